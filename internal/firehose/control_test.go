package firehose

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"hydrant/internal/record"
	"hydrant/internal/registry"
	"hydrant/internal/stream"
)

// update is an UpdateDestination of stream s.
func update(version, members string) string {
	return `{"DeliveryStreamName":"s","CurrentDeliveryStreamVersionId":"` + version +
		`","DestinationId":"destinationId-000000000001"` + members + `}`
}

func TestUpdateConforms(t *testing.T) {
	w := newWorld(t)
	w.active("s")
	const invalid = "InvalidArgumentException"
	w.check("UpdateDestination", []exchange{
		{`{}`, "ValidationException", "3 validation errors detected: Value at 'deliveryStreamName' failed to satisfy constraint: Member must not be null; " +
			"Value at 'currentDeliveryStreamVersionId' failed to satisfy constraint: Member must not be null; Value at 'destinationId' failed to satisfy constraint: Member must not be null"},
		{update("one", ``), "ValidationException", broken("currentDeliveryStreamVersionId", "Member must satisfy regular expression pattern: [0-9]+")},
		{update("1", `,"ExtendedS3DestinationUpdate":{"BufferingHints":{"SizeInMBs":129}}`), "ValidationException",
			broken("extendedS3DestinationUpdate.bufferingHints.sizeInMBs", "Member must have value less than or equal to 128")},
		{update("1", `,"S3DestinationUpdate":{"RoleARN":"x"}`), "ValidationException",
			broken("s3DestinationUpdate.roleARN", "Member must satisfy regular expression pattern: "+modelRoleARN.pattern)},
		{strings.Replace(update("1", ``), `"s"`, `"none"`, 1), "ResourceNotFoundException", "Firehose none under account 123456789012 not found."},
		{update("2", `,"ExtendedS3DestinationUpdate":{}`), "ConcurrentModificationException",
			"Cannot update firehose: s since the current version id: 1 and specified version id: 2 do not match"},
		{strings.Replace(update("1", ``), "000001", "000002", 1), invalid, "Destination Id destinationId-000000000002 not found"},
		{update("1", ``), invalid, "At least one destination or source configuration update must be provided"},
		{update("1", `,"S3DestinationUpdate":{},"ExtendedS3DestinationUpdate":{}`), invalid, "Exactly one of s3DestinationUpdate or extendedS3DestinationUpdate must be specified."},
		{update("1", `,"ExtendedS3DestinationUpdate":{"Prefix":"!{bad"}`), invalid, "Invalid expression usage"},
		{update("1", `,"ExtendedS3DestinationUpdate":{}`), "", `{}`},
		{update("1", `,"ExtendedS3DestinationUpdate":{"Prefix":"p/"}`), "", `{}`},
		{update("1", `,"ExtendedS3DestinationUpdate":{"Prefix":"p/"}`), "ConcurrentModificationException",
			"Cannot update firehose: s since the current version id: 2 and specified version id: 1 do not match"},
		{update("2", `,"ExtendedS3DestinationUpdate":{"Prefix":"p/"}`), "", `{}`},
	})
	d, _ := w.streams.Get("s")
	if d.Version != 2 || *d.S3.Prefix != "p/" || !d.Updated.Equal(clock().UTC()) || d.Status != stream.Active {
		t.Errorf("after one effective update: %+v", d)
	}
}

func TestTagsConform(t *testing.T) {
	w := newWorld(t)
	w.active("s")
	many := func(from, n int) string {
		var tags []string
		for i := range n {
			tags = append(tags, fmt.Sprintf(`{"Key":"k%03d"}`, from+i))
		}
		return `{"DeliveryStreamName":"s","Tags":[` + strings.Join(tags, ",") + `]}`
	}
	w.check("TagDeliveryStream", []exchange{
		{`{"DeliveryStreamName":"none","Tags":[{"Key":"a"}]}`, "ResourceNotFoundException", "Firehose none under account 123456789012 not found."},
		{`{"DeliveryStreamName":"s","Tags":[]}`, "ValidationException", broken("tags", "Member must have length greater than or equal to 1")},
		{`{"DeliveryStreamName":"s","Tags":[{"Key":"aws:a"}]}`, "ValidationException", broken("tags.1.member.key", "Member must satisfy regular expression pattern: "+modelTagKey.pattern)},
		{`{"DeliveryStreamName":"s","Tags":[{"Key":"a","Value":null}]}`, "ValidationException", broken("tags.1.member.value", notNull)},
		{many(0, 50), "", `{}`},
		{many(50, 1), "LimitExceededException", "Maximum number of tags per delivery stream exceeded"},
		{`{"DeliveryStreamName":"s","Tags":[{"Key":"k001","Value":"x"},{"Key":"k001","Value":"y"}]}`, "", `{}`},
	})
	w.check("ListTagsForDeliveryStream", []exchange{
		{`{"DeliveryStreamName":"none"}`, "ResourceNotFoundException", "Firehose none under account 123456789012 not found."},
		{`{"DeliveryStreamName":"s","Limit":51}`, "ValidationException", broken("limit", "Member must have value less than or equal to 50")},
		{`{"DeliveryStreamName":"s","Limit":2}`, "", `{"Tags":[{"Key":"k000"},{"Key":"k001","Value":"y"}],"HasMoreTags":true}`},
		{`{"DeliveryStreamName":"s","ExclusiveStartTagKey":"k0475"}`, "", `{"Tags":[{"Key":"k048"},{"Key":"k049"}],"HasMoreTags":false}`},
	})
	w.check("UntagDeliveryStream", []exchange{
		{`{"DeliveryStreamName":"none","TagKeys":["a"]}`, "ResourceNotFoundException", "Firehose none under account 123456789012 not found."},
		{`{"DeliveryStreamName":"s","TagKeys":["unknown"]}`, "", `{}`},
		{`{"DeliveryStreamName":"s","TagKeys":["k000"]}`, "", `{}`},
	})
	w.check("ListTagsForDeliveryStream", []exchange{
		{`{"DeliveryStreamName":"s","Limit":1}`, "", `{"Tags":[{"Key":"k001","Value":"y"}],"HasMoreTags":true}`},
	})
	if d, _ := w.streams.Get("s"); d.Version != 1 || !d.Updated.IsZero() {
		t.Errorf("tags made version %d, updated %s", d.Version, d.Updated)
	}
}

func TestTheStatusesInWhichAStreamCanBeChanged(t *testing.T) {
	for _, status := range []stream.Status{stream.Creating, stream.CreatingFailed, stream.Deleting, stream.DeletingFailed} {
		w := newWorld(t)
		w.in("s", status)
		updating := "Cannot update firehose: s when it is in " + string(status) + " status"
		w.check("UpdateDestination", []exchange{{update("1", `,"ExtendedS3DestinationUpdate":{}`), "ResourceInUseException", updating}})
		w.check("StartDeliveryStreamEncryption", []exchange{{`{"DeliveryStreamName":"s"}`, "ResourceInUseException", updating}})
		w.check("StopDeliveryStreamEncryption", []exchange{{`{"DeliveryStreamName":"s"}`, "ResourceInUseException", updating}})
		w.do("ListTagsForDeliveryStream", `{"DeliveryStreamName":"s"}`)
		tagging := exchange{`{"DeliveryStreamName":"s","Tags":[{"Key":"a"}]}`, "", `{}`}
		if strings.HasPrefix(string(status), "DELETING") {
			tagging = exchange{tagging.body, "ResourceInUseException", "Firehose s under account 123456789012 is in the " + string(status) + " state."}
		}
		w.check("TagDeliveryStream", []exchange{tagging})
	}
}

// transit runs the registry until the encryption of stream s has left its status.
func (w *world) transit(answer error) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	done := make(chan struct{})
	w.changed = func(d *stream.Definition) {
		if !d.Encryption.Changing() {
			close(done)
		}
	}
	ended := make(chan error)
	go func() {
		ended <- w.streams.Run(ctx, registry.Hooks{Encrypt: func(context.Context, *stream.Definition) error { return answer }})
	}()
	<-done
	cancel()
	if err := <-ended; err != nil {
		w.t.Fatal(err)
	}
	w.changed = nil
}

// encryption is what Describe shows of it.
func (w *world) encryption() string {
	_, rest, _ := strings.Cut(w.do("DescribeDeliveryStream", `{"DeliveryStreamName":"s"}`), `"DeliveryStreamEncryptionConfiguration":`)
	shown, _, _ := strings.Cut(rest, `,"DeliveryStreamType"`)
	return shown
}

func TestEncryptionConforms(t *testing.T) {
	const (
		arn   = "arn:aws:kms:us-east-1:123456789012:key/k"
		start = `{"DeliveryStreamName":"s","DeliveryStreamEncryptionConfigurationInput":{`
		stop  = `{"DeliveryStreamName":"s"}`
		put   = `{"DeliveryStreamName":"s","Record":{"Data":""}}`
	)
	w := newWorld(t)
	w.active("s")
	show := func(want string) {
		t.Helper()
		if got := w.encryption(); got != want {
			t.Errorf("Describe shows %s, want %s", got, want)
		}
	}
	w.check("StartDeliveryStreamEncryption", []exchange{
		{start + `}}`, "ValidationException", broken("deliveryStreamEncryptionConfigurationInput.keyType", notNull)},
		{start + `"KeyType":"CUSTOMER_MANAGED_CMK"}}`, "InvalidArgumentException", "KeyARN has to be specified when KeyType is CUSTOMER_MANAGED_CMK"},
		{start + `"KeyType":"AWS_OWNED_CMK","KeyARN":"` + arn + `"}}`, "InvalidArgumentException", "KeyARN cannot be specified when KeyType is AWS_OWNED_CMK"},
		{start + `"KeyType":"CUSTOMER_MANAGED_CMK","KeyARN":"arn:aws:kms:eu-west-1:123456789012:key/k"}}`, "InvalidArgumentException",
			"Cross-region keys are not allowed for SSE. Please provide CMKs in the same region as firehose"},
		{`{"DeliveryStreamName":"none"}`, "ResourceNotFoundException", "Firehose none under account 123456789012 not found."},
	})
	w.check("StopDeliveryStreamEncryption", []exchange{{stop, "", `{}`}})
	show(`{"Status":"DISABLED"}`)
	w.check("StartDeliveryStreamEncryption", []exchange{
		{stop, "", `{}`},
		{stop, "ResourceInUseException", "Cannot update firehose: s when it is in ENABLING status"},
	})
	show(`{"KeyType":"AWS_OWNED_CMK","Status":"ENABLING"}`)
	w.check("StopDeliveryStreamEncryption", []exchange{{stop, "ResourceInUseException", "Cannot update firehose: s when it is in ENABLING status"}})
	if got := w.do("PutRecord", put); !strings.Contains(got, `"Encrypted":false`) {
		t.Errorf("while it is ENABLING: %s", got)
	}
	w.transit(nil)
	show(`{"KeyType":"AWS_OWNED_CMK","Status":"ENABLED"}`)
	if got := w.do("PutRecord", put); !strings.Contains(got, `"Encrypted":true`) {
		t.Errorf("while it is ENABLED: %s", got)
	}
	if got := w.do("PutRecordBatch", batchTo("s", "x")); !strings.Contains(got, `"Encrypted":true`) {
		t.Errorf("while it is ENABLED: %s", got)
	}

	w.check("StartDeliveryStreamEncryption", []exchange{{start + `"KeyType":"CUSTOMER_MANAGED_CMK","KeyARN":"` + arn + `"}}`, "", `{}`}})
	w.transit(&stream.Failure{Type: "DISABLED_KMS_KEY", Details: "the key is disabled"})
	show(`{"KeyARN":"` + arn + `","KeyType":"CUSTOMER_MANAGED_CMK","Status":"ENABLING_FAILED","FailureDescription":{"Type":"DISABLED_KMS_KEY","Details":"the key is disabled"}}`)
	if d, _ := w.streams.Get("s"); d.Encryption.InUse == nil || d.Encryption.InUse.Type != stream.AWSOwnedKey {
		t.Errorf("the former key is not in use any more: %+v", d.Encryption)
	}
	w.check("StopDeliveryStreamEncryption", []exchange{{stop, "", `{}`}})
	w.transit(nil)
	show(`{"Status":"DISABLED"}`)
	if d, _ := w.streams.Get("s"); d.Version != 1 {
		t.Errorf("encryption made version %d", d.Version)
	}
}

func TestEncryptionCannotBeChangedWithoutEnd(t *testing.T) {
	w := newWorld(t)
	w.active("s")
	for i := range stream.MaxEncryptionCalls {
		op := "StartDeliveryStreamEncryption"
		if i%2 == 1 {
			op = "StopDeliveryStreamEncryption"
		}
		w.do(op, `{"DeliveryStreamName":"s"}`)
		w.transit(nil)
	}
	w.check("StopDeliveryStreamEncryption", []exchange{{`{"DeliveryStreamName":"s"}`, "LimitExceededException",
		"StartDeliveryStreamEncryption and StopDeliveryStreamEncryption can be called 25 times for a Firehose in 24 hours."}})
}

func TestAKeyThatCannotBeUsedIsTold(t *testing.T) {
	w := newWorld(t)
	w.active("s")
	w.door.err = fmt.Errorf("put: %w", &record.KeyError{Code: "KMSInvalidStateException", Message: "k is pending deletion."})
	status, body := w.call("ALICE", "PutRecord", `{"DeliveryStreamName":"s","Record":{"Data":""}}`)
	if want := `{"__type":"InvalidKMSResourceException","message":"k is pending deletion.","code":"KMS.InvalidStateException"}`; status != 400 || body != want {
		t.Errorf("got %d %s, want %s", status, body, want)
	}
}

// FuzzControl sends any body to any operation, by any name: what it changes can be described,
// and nothing is our own failure.
func FuzzControl(f *testing.F) {
	for op := range strings.FieldsSeq("CreateDeliveryStream DeleteDeliveryStream DescribeDeliveryStream ListDeliveryStreams " +
		"ListTagsForDeliveryStream PutRecord PutRecordBatch StartDeliveryStreamEncryption StopDeliveryStreamEncryption " +
		"TagDeliveryStream UntagDeliveryStream UpdateDestination") {
		for _, p := range probesOf(op) {
			f.Add(op, "{"+p.body+"}")
		}
	}
	f.Add("", "")
	f.Add("UpdateDestination\x00", update("1", `,"ExtendedS3DestinationUpdate":{"DataFormatConversionConfiguration":{"SchemaConfiguration":{}}}`))
	f.Fuzz(func(t *testing.T, op, body string) {
		w := newWorld(t)
		w.active("s")
		if strings.ContainsAny(op, "\r\n") { // no header can hold it
			return
		}
		status, answer := w.call("ALICE", op, body)
		if status == 200 {
			w.do("DescribeDeliveryStream", `{"DeliveryStreamName":"s"}`)
			return
		}
		if code, _ := failure(t, answer); code == "InternalFailure" {
			t.Fatalf("%s %s: %s", op, body, answer)
		}
	})
}
