package firehose

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"hydrant/internal/ingest"
	"hydrant/internal/record"
	"hydrant/internal/stream"
)

// exchange is one line of a conformance table: what alice sends and what she gets. An
// empty code means success, and want is the body then, else the message.
type exchange struct{ body, code, want string }

func (w *world) check(operation string, table []exchange) {
	w.t.Helper()
	for _, c := range table {
		status, body := w.call("ALICE", operation, c.body)
		wantStatus := http.StatusOK
		switch c.code {
		case "":
		case "ServiceUnavailableException", "InternalFailure":
			wantStatus = http.StatusInternalServerError
		default:
			wantStatus = http.StatusBadRequest
		}
		if status != wantStatus {
			w.t.Errorf("%s %.300s\n got status %d: %.600s\nwant %d", operation, c.body, status, body, wantStatus)
			continue
		}
		if c.code == "" {
			if d := cmp.Diff(canonical(w.t, c.want), canonical(w.t, body)); d != "" {
				w.t.Errorf("%s %.300s\n%s", operation, c.body, d)
			}
			continue
		}
		if code, message := failure(w.t, body); code != c.code || message != c.want {
			w.t.Errorf("%s %.300s\n got %s: %s\nwant %s: %s", operation, c.body, code, message, c.code, c.want)
		}
	}
}

func broken(path, constraint string) string {
	return "1 validation error detected: " + also(path, constraint)
}

func also(path, constraint string) string {
	return fmt.Sprintf("Value at '%s' failed to satisfy constraint: %s", path, constraint)
}

const namePattern = "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"

func TestCreateConforms(t *testing.T) {
	w := newWorld(t)
	w.active("taken")
	with := func(members string) string {
		return `{"DeliveryStreamName":"s","ExtendedS3DestinationConfiguration":{` + bucket + members + `}}`
	}
	const at = "extendedS3DestinationConfiguration."
	role := `Member must satisfy regular expression pattern: arn:.*:iam::\d{12}:role/[a-zA-Z_0-9+=,.@\-_/]+`
	w.check("CreateDeliveryStream", []exchange{
		// Not the right JSON.
		{``, "SerializationException", ""},
		{`{"DeliveryStreamName":1}`, "SerializationException", "NUMBER_VALUE can not be converted to a String"},
		{with(`,"BufferingHints":{"SizeInMBs":"5"}`), "SerializationException", "STRING_VALUE can not be converted to an Integer"},
		{with(`,"BufferingHints":{"SizeInMBs":1.5}`), "SerializationException", "NUMBER_VALUE can not be converted to an Integer"},
		{with(`,"BufferingHints":5`), "SerializationException", "Expected structure, map or null"},
		{with(`,"Prefix":{}`), "SerializationException", "Start of structure or map found where not expected."},
		{with(`,"S3BackupMode":"Disabled","S3BackupMode":"Disabled"`), "SerializationException", ""},

		// Broken constraints, all of them at once, in the order of the shapes.
		{`{}`, "ValidationException", broken("deliveryStreamName", notNull)},
		{`{"DeliveryStreamName":"a b"}`, "ValidationException", broken("deliveryStreamName", namePattern)},
		{`{"DeliveryStreamName":"s","DeliveryStreamType":"Pull"}`, "ValidationException",
			broken("deliveryStreamType", "Member must satisfy enum value set: [DirectPut, KinesisStreamAsSource, MSKAsSource, DatabaseAsSource]")},
		{`{"DeliveryStreamName":"s","DirectPutSourceConfiguration":{"ThroughputHintInMBs":101}}`, "ValidationException",
			broken("directPutSourceConfiguration.throughputHintInMBs", "Member must have value less than or equal to 100")},
		{`{"DeliveryStreamName":"s","S3DestinationConfiguration":{}}`, "ValidationException",
			"2 validation errors detected: " + also("s3DestinationConfiguration.roleARN", notNull) + "; " + also("s3DestinationConfiguration.bucketARN", notNull)},
		{`{"DeliveryStreamName":"s","ExtendedS3DestinationConfiguration":{"RoleARN":"fh","BucketARN":"logs"}}`, "ValidationException",
			"2 validation errors detected: " + also(at+"roleARN", role) + "; " +
				also(at+"bucketARN", `Member must satisfy regular expression pattern: arn:.*:s3:::[\w\.\-]{1,255}`)},
		{with(`,"CompressionFormat":"gzip"`), "ValidationException",
			broken(at+"compressionFormat", "Member must satisfy enum value set: [ZIP, HADOOP_SNAPPY, Snappy, GZIP, UNCOMPRESSED]")},
		{with(`,"FileExtension":"json"`), "ValidationException",
			broken(at+"fileExtension", `Member must satisfy regular expression pattern: ^(|\.[0-9a-z!\-_.*'()]+)$`)},
		{with(`,"CustomTimeZone":"Etc/GMT+5"`), "ValidationException",
			broken(at+"customTimeZone", `Member must satisfy regular expression pattern: ^$|[a-zA-Z/_]+`)},
		{with(`,"BufferingHints":{"SizeInMBs":0,"IntervalInSeconds":901}`), "ValidationException",
			"2 validation errors detected: " + also(at+"bufferingHints.sizeInMBs", "Member must have value greater than or equal to 1") + "; " +
				also(at+"bufferingHints.intervalInSeconds", "Member must have value less than or equal to 900")},
		{with(`,"BufferingHints":{"SizeInMBs":129,"IntervalInSeconds":-1}`), "ValidationException",
			"2 validation errors detected: " + also(at+"bufferingHints.sizeInMBs", "Member must have value less than or equal to 128") + "; " +
				also(at+"bufferingHints.intervalInSeconds", "Member must have value greater than or equal to 0")},
		{with(`,"Prefix":"` + strings.Repeat("é", 1025) + `"`), "ValidationException",
			broken(at+"prefix", "Member must have length less than or equal to 1024")},
		{with(`,"ProcessingConfiguration":{"Processors":[{"Type":"Lambda","Parameters":[{"ParameterName":"LambdaArn","ParameterValue":" "}]},null,{"Type":"Filter"}]}`), "ValidationException",
			"3 validation errors detected: " +
				also(at+"processingConfiguration.processors.1.member.parameters.1.member.parameterValue", `Member must satisfy regular expression pattern: ^(?!\s*$).+`) + "; " +
				also(at+"processingConfiguration.processors.2.member", notNull) + "; " +
				also(at+"processingConfiguration.processors.3.member.type", "Member must satisfy enum value set: [Decompression, Lambda, RecordDeAggregation, MetadataExtraction, AppendDelimiterToRecord, CloudWatchLogProcessing]")},
		{with(`,"DataFormatConversionConfiguration":{"SchemaConfiguration":{"Region":""},"InputFormatConfiguration":{"Deserializer":{"OpenXJsonSerDe":{"ColumnToJsonKeyMappings":{"a b":"x","c d":" "}}}},
			"OutputFormatConfiguration":{"Serializer":{"OrcSerDe":{"PaddingTolerance":1.5},"ParquetSerDe":{"WriterVersion":"V3","BlockSizeBytes":1}}}}`), "ValidationException",
			"7 validation errors detected: " +
				also(at+"dataFormatConversionConfiguration.outputFormatConfiguration.serializer.parquetSerDe.blockSizeBytes", "Member must have value greater than or equal to 67108864") + "; " +
				also(at+"dataFormatConversionConfiguration.outputFormatConfiguration.serializer.parquetSerDe.writerVersion", "Member must satisfy enum value set: [V1, V2]") + "; " +
				also(at+"dataFormatConversionConfiguration.outputFormatConfiguration.serializer.orcSerDe.paddingTolerance", "Member must have value less than or equal to 1") + "; " +
				also(at+"dataFormatConversionConfiguration.inputFormatConfiguration.deserializer.openXJsonSerDe.columnToJsonKeyMappings", `Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: ^\S+$]`) + "; " +
				also(at+"dataFormatConversionConfiguration.inputFormatConfiguration.deserializer.openXJsonSerDe.columnToJsonKeyMappings", `Map value must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: ^(?!\s*$).+]`) + "; " +
				also(at+"dataFormatConversionConfiguration.schemaConfiguration.region", "Member must have length greater than or equal to 1") + "; " +
				also(at+"dataFormatConversionConfiguration.schemaConfiguration.region", `Member must satisfy regular expression pattern: ^\S+$`)},
		{`{"DeliveryStreamName":"s","Tags":[]}`, "ValidationException", broken("tags", "Member must have length greater than or equal to 1")},
		{`{"DeliveryStreamName":"s","Tags":[{"Key":"aws:x"},{"Key":"k","Value":null}]}`, "ValidationException",
			"2 validation errors detected: " + also("tags.1.member.key", `Member must satisfy regular expression pattern: ^(?!aws:)[\p{L}\p{Z}\p{N}_.:\/=+\-@%]*$`) + "; " +
				also("tags.2.member.value", notNull)},
		{`{"DeliveryStreamName":"s","Tags":[` + strings.Repeat(`{"Key":"k"},`, 50) + `{"Key":"k"}]}`, "ValidationException",
			broken("tags", "Member must have length less than or equal to 50")},

		// The name is looked at before the meaning.
		{`{"DeliveryStreamName":"taken"}`, "ResourceInUseException", "Firehose taken under accountId 123456789012 already exists"},
		{`{"DeliveryStreamName":"s"}`, "InvalidArgumentException", "Exactly one destination configuration is supported for a Firehose"},
		{`{"DeliveryStreamName":"s","SplunkDestinationConfiguration":{"HECEndpoint":"x"}}`, "InvalidArgumentException",
			"SplunkDestinationConfiguration is not supported by this version of Hydrant."},
		{with(`,"Prefix":"!{bad"`), "InvalidArgumentException", "Invalid expression usage"},

		// Streams, and what does not make them fail.
		{`{"DeliveryStreamName":"legacy","S3DestinationConfiguration":{` + bucket + `}}`, "",
			`{"DeliveryStreamARN":"arn:aws:firehose:us-east-1:123456789012:deliverystream/legacy"}`},
		{`{"DeliveryStreamName":"Full.1_2-3","DeliveryStreamType":"DirectPut","Nonsense":{"a":1,"a":2},"Tags":[{"Key":"team","Value":"data"},{"Key":"bare"}],
			"DirectPutSourceConfiguration":{"ThroughputHintInMBs":100},"ExtendedS3DestinationConfiguration":{` + bucket + `,
			"Prefix":null,"BufferingHints":{"SizeInMBs":128,"IntervalInSeconds":0},"CompressionFormat":"GZIP","ProcessingConfiguration":{"Enabled":false}}}`, "",
			`{"DeliveryStreamARN":"arn:aws:firehose:us-east-1:123456789012:deliverystream/Full.1_2-3"}`},
		{`{"DeliveryStreamName":"legacy","S3DestinationConfiguration":{` + bucket + `}}`, "ResourceInUseException",
			"Firehose legacy under accountId 123456789012 already exists"},
	})
}

func TestTheQuotaOfStreamsIsTold(t *testing.T) {
	w := newWorldOf(t, 6)
	for i := range 6 {
		w.in(fmt.Sprint("s", i), stream.Creating)
	}
	w.check("CreateDeliveryStream", []exchange{
		{`{"DeliveryStreamName":"one-more"}`, "LimitExceededException",
			"You have already consumed your firehose quota of 6 hoses. Firehose names: [s0, s1, s2, s3, s4, s5]"},
	})
}

func TestDescribeConforms(t *testing.T) {
	w := newWorld(t)
	w.in("failed", stream.CreatingFailed)
	w.do("CreateDeliveryStream", `{"DeliveryStreamName":"clicks","S3DestinationConfiguration":{`+bucket+`,"Prefix":"raw/"}}`)
	d, _ := w.streams.Get("clicks")
	if err := w.streams.Activate(t.Context(), "clicks", d.ID); err != nil {
		t.Fatal(err)
	}
	w.do("CreateDeliveryStream", `{"DeliveryStreamName":"full","DirectPutSourceConfiguration":{"ThroughputHintInMBs":7},"ExtendedS3DestinationConfiguration":{`+bucket+
		`,"Prefix":"","FileExtension":".x","CustomTimeZone":"UTC","ErrorOutputPrefix":"e/","S3BackupMode":"Disabled","ProcessingConfiguration":{"Processors":[]}}}`)

	head := func(name, status string) string {
		return `{"DeliveryStreamDescription":{"DeliveryStreamName":"` + name + `",
			"DeliveryStreamARN":"arn:aws:firehose:us-east-1:123456789012:deliverystream/` + name + `",
			"DeliveryStreamStatus":"` + status + `","DeliveryStreamEncryptionConfiguration":{"Status":"DISABLED"},
			"DeliveryStreamType":"DirectPut","VersionId":"1","CreateTimestamp":1768471200.123,"HasMoreDestinations":false,`
	}
	shown := func(prefix, both, extended string) string {
		both = bucket + prefix + `,"BufferingHints":{"SizeInMBs":5,"IntervalInSeconds":300},"CompressionFormat":"UNCOMPRESSED",
			"EncryptionConfiguration":{"NoEncryptionConfig":"NoEncryption"},"CloudWatchLoggingOptions":{"Enabled":false}` + both
		return `"Destinations":[{"DestinationId":"destinationId-000000000001","S3DestinationDescription":{` + both + `},
			"ExtendedS3DestinationDescription":{` + both + `,"S3BackupMode":"Disabled"` + extended + `}}]`
	}
	clicks := head("clicks", "ACTIVE") + shown(`,"Prefix":"raw/"`, "", "") + `}}`
	w.check("DescribeDeliveryStream", []exchange{
		{`{"DeliveryStreamName":"clicks"}`, "", clicks},
		{`{"DeliveryStreamName":"clicks","Limit":1,"ExclusiveStartDestinationId":"no-such"}`, "", clicks},
		{`{"DeliveryStreamName":"full"}`, "", head("full", "CREATING") +
			`"Source":{"DirectPutSourceDescription":{"ThroughputHintInMBs":7}},` +
			shown(`,"Prefix":""`, `,"ErrorOutputPrefix":"e/"`, `,"FileExtension":".x","CustomTimeZone":"UTC","ProcessingConfiguration":{"Enabled":false,"Processors":[]}`) + `}}`},
		{`{"DeliveryStreamName":"failed"}`, "", head("failed", "CREATING_FAILED") +
			`"FailureDescription":{"Type":"UNKNOWN_ERROR","Details":"the hook said so"},` + shown("", "", "") + `}}`},
		{`{"DeliveryStreamName":"none"}`, "ResourceNotFoundException", "Firehose none under account 123456789012 not found."},
		{`{"Limit":0,"ExclusiveStartDestinationId":""}`, "ValidationException", "4 validation errors detected: " +
			also("deliveryStreamName", notNull) + "; " + also("limit", "Member must have value greater than or equal to 1") + "; " +
			also("exclusiveStartDestinationId", "Member must have length greater than or equal to 1") + "; " +
			also("exclusiveStartDestinationId", "Member must satisfy regular expression pattern: [a-zA-Z0-9-]+")},
	})
}

func TestListConforms(t *testing.T) {
	w := newWorld(t)
	w.check("ListDeliveryStreams", []exchange{
		{`{}`, "", `{"DeliveryStreamNames":[],"HasMoreDeliveryStreams":false}`},
	})
	for _, name := range []string{"b", "a", "c", "B"} {
		w.in(name, stream.Creating)
	}
	w.in("d", stream.Deleting)
	w.check("ListDeliveryStreams", []exchange{
		{`{}`, "", `{"DeliveryStreamNames":["B","a","b","c","d"],"HasMoreDeliveryStreams":false}`},
		{`{"Limit":2}`, "", `{"DeliveryStreamNames":["B","a"],"HasMoreDeliveryStreams":true}`},
		{`{"Limit":2,"ExclusiveStartDeliveryStreamName":"a"}`, "", `{"DeliveryStreamNames":["b","c"],"HasMoreDeliveryStreams":true}`},
		{`{"ExclusiveStartDeliveryStreamName":"bb","DeliveryStreamType":"DirectPut"}`, "", `{"DeliveryStreamNames":["c","d"],"HasMoreDeliveryStreams":false}`},
		{`{"DeliveryStreamType":"MSKAsSource"}`, "", `{"DeliveryStreamNames":[],"HasMoreDeliveryStreams":false}`},
		{`{"Limit":10001}`, "ValidationException", broken("limit", "Member must have value less than or equal to 10000")},
		{`{"Limit":0}`, "ValidationException", broken("limit", "Member must have value greater than or equal to 1")},
		{`[]`, "SerializationException", "Start of list found where not expected."},
	})
}

func TestTheDefaultPageHasTenNames(t *testing.T) {
	w := newWorldOf(t, 11)
	var names []string
	for i := range 11 {
		name := fmt.Sprintf("s%02d", i)
		w.in(name, stream.Creating)
		names = append(names, `"`+name+`"`)
	}
	w.check("ListDeliveryStreams", []exchange{
		{`{}`, "", `{"DeliveryStreamNames":[` + strings.Join(names[:10], ",") + `],"HasMoreDeliveryStreams":true}`},
		{`{"Limit":11}`, "", `{"DeliveryStreamNames":[` + strings.Join(names, ",") + `],"HasMoreDeliveryStreams":false}`},
	})
}

// The columns of the state table of spec section 2.2.
func TestTheStateTableHolds(t *testing.T) {
	const (
		inUse    = "ResourceInUseException"
		notFound = "ResourceNotFoundException"
	)
	for _, c := range []struct {
		status      stream.Status
		put, delete string
	}{
		{stream.Creating, notFound, inUse},
		{stream.Active, "", ""},
		{stream.CreatingFailed, notFound, ""},
		{stream.Deleting, notFound, ""},
		{stream.DeletingFailed, notFound, ""},
	} {
		t.Run(string(c.status), func(t *testing.T) {
			w := newWorld(t)
			w.in("s", c.status)
			w.check("CreateDeliveryStream", []exchange{{`{"DeliveryStreamName":"s"}`, inUse, "Firehose s under accountId 123456789012 already exists"}})
			w.do("DescribeDeliveryStream", `{"DeliveryStreamName":"s"}`)
			if c.put == notFound {
				inactive := "Firehose s is not active in 123456789012 account."
				w.check("PutRecord", []exchange{{`{"DeliveryStreamName":"s","Record":{"Data":""}}`, notFound, inactive}})
				w.check("PutRecordBatch", []exchange{{batchTo("s", "x"), notFound, inactive}})
			} else {
				w.do("PutRecord", `{"DeliveryStreamName":"s","Record":{"Data":""}}`)
				w.do("PutRecordBatch", batchTo("s", "x"))
			}
			if c.delete == inUse {
				w.check("DeleteDeliveryStream", []exchange{{`{"DeliveryStreamName":"s"}`, inUse, "Firehose s under account 123456789012 cannot be deleted in CREATING state"}})
				return
			}
			for range 2 { // deleting again is no error
				w.check("DeleteDeliveryStream", []exchange{{`{"DeliveryStreamName":"s","AllowForceDelete":true}`, "", `{}`}})
			}
			if d, _ := w.streams.Get("s"); d.Status != stream.Deleting {
				t.Errorf("after Delete it is %s", d.Status)
			}
		})
	}
}

func TestDeleteConforms(t *testing.T) {
	newWorld(t).check("DeleteDeliveryStream", []exchange{
		{`{"DeliveryStreamName":"none"}`, "ResourceNotFoundException", "Firehose none under account 123456789012 not found."},
		{`{}`, "ValidationException", broken("deliveryStreamName", notNull)},
		{`{"DeliveryStreamName":"s","AllowForceDelete":"true"}`, "SerializationException", "STRING_VALUE can not be converted to a Boolean"},
	})
}

func batchTo(name string, data ...string) string {
	return strings.Replace(batchBody(data...), "clicks", name, 1)
}

func TestPutRecordConforms(t *testing.T) {
	w := newWorld(t)
	d := w.active("s")
	id := string(record.AppendID(nil, record.Queue{Stream: d.ID}, record.Position{Entry: 1, Index: 5}))
	accepted := `{"RecordId":"` + id + `","Encrypted":false}`
	whole := strings.Repeat("x", record.MaxRecordBytes)
	w.check("PutRecord", []exchange{
		{`{"DeliveryStreamName":"s","Record":{"Data":"aGVsbG8="}}`, "", accepted},
		{`{"DeliveryStreamName":"s","Record":{"Data":""}}`, "", accepted},
		{`{"Record":{"Data":"//79"},"DeliveryStreamName":"s"}`, "", accepted},
		{`{"DeliveryStreamName":"s","Record":{"Data":"` + b64(whole) + `"}}`, "", accepted},
		{`{"DeliveryStreamName":"s","Record":{"Data":"` + b64(whole+"x") + `"}}`, "ValidationException",
			broken("record.data", "Member must have length less than or equal to 1024000")},
		{`{"DeliveryStreamName":"s","Record":{"Data":"a"}}`, "SerializationException", "Data of record 1 is not valid base64."},
		{`{"DeliveryStreamName":"s","Record":{}}`, "ValidationException", broken("record.data", notNull)},
		{`{"DeliveryStreamName":"none","Record":{"Data":""}}`, "ResourceNotFoundException", "Firehose none under account 123456789012 not found."},
		{`{"DeliveryStreamName":"no/ne","Record":{"Data":""}}`, "ValidationException", broken("deliveryStreamName", namePattern)},
	})
	if d := cmp.Diff([]string{"hello", "", "\xff\xfe\xfd", whole}, w.door.stored["s"]); d != "" {
		t.Error(d)
	}
}

func TestPutRecordBatchConforms(t *testing.T) {
	w := newWorld(t)
	d := w.active("s")
	id := func(entry uint64, index uint32) string {
		return `{"RecordId":"` + string(record.AppendID(nil, record.Queue{Stream: d.ID}, record.Position{Entry: entry, Index: index})) + `"}`
	}
	large := strings.Repeat("m", record.MaxRecordBytes)
	exact := []string{large, large, large, large, strings.Repeat("r", 4<<20-4*len(large))} // 4 MiB
	w.door.split = 2
	w.check("PutRecordBatch", []exchange{
		{batchTo("s", "a", "b", "c"), "", `{"FailedPutCount":0,"Encrypted":false,"RequestResponses":[` + id(1, 5) + `,` + id(1, 6) + `,` + id(2, 5) + `]}`},
		{batchTo("s", exact...), "", `{"FailedPutCount":0,"Encrypted":false,"RequestResponses":[` + id(1, 5) + `,` + id(1, 6) + `,` + id(2, 5) + `,` + id(2, 6) + `,` + id(3, 5) + `]}`},
		{batchTo("s", append(exact, "x")...), "InvalidArgumentException", "Records size exceeds 4 MB limit"},
		{batchTo("none", append(exact, "x")...), "InvalidArgumentException", "Records size exceeds 4 MB limit"},
		{batchTo("none", "x"), "ResourceNotFoundException", "Firehose none under account 123456789012 not found."},
		{`{"DeliveryStreamName":"s","Records":[]}`, "ValidationException", broken("records", "Member must have length greater than or equal to 1")},
		{batchTo("s", make([]string, 501)...), "ValidationException", broken("records", "Member must have length less than or equal to 500")},
	})
	if n := len(w.door.stored["s"]); n != 8 {
		t.Errorf("%d records are stored, want 8: refused batches store nothing", n)
	}
}

func TestABatchIsAcceptedUpToWhereRoomEnds(t *testing.T) {
	w := newWorld(t)
	d := w.active("s")
	w.door.room = 2
	id := func(index uint32) string {
		return `{"RecordId":"` + string(record.AppendID(nil, record.Queue{Stream: d.ID}, record.Position{Entry: 1, Index: index})) + `"}`
	}
	const refused = `{"ErrorCode":"ServiceUnavailableException","ErrorMessage":"Slow down."}`
	w.check("PutRecordBatch", []exchange{
		{batchTo("s", "a", "b", "c", "d"), "", `{"FailedPutCount":2,"Encrypted":false,"RequestResponses":[` + id(5) + `,` + id(6) + `,` + refused + `,` + refused + `]}`},
		{batchTo("s", "e"), "ServiceUnavailableException", "Slow down."},
	})
	w.check("PutRecord", []exchange{{`{"DeliveryStreamName":"s","Record":{"Data":"ZQ=="}}`, "ServiceUnavailableException", "Slow down."}})
	if d := cmp.Diff([]string{"a", "b"}, w.door.stored["s"]); d != "" {
		t.Error(d)
	}
}

func TestTheDoorsErrorsHaveTheirCodes(t *testing.T) {
	for _, c := range []struct {
		err        error
		code, want string
	}{
		{record.ErrThrottled, "ServiceUnavailableException", "Slow down."},
		{record.ErrNoSpace, "ServiceUnavailableException", "Slow down."},
		{ingest.ErrClosed, "ResourceNotFoundException", "Firehose s is not active in 123456789012 account."},
		{record.ErrUncertain, "InternalFailure", ""},
	} {
		w := newWorld(t)
		w.active("s")
		w.door.err = fmt.Errorf("put to stream s: %w", c.err)
		w.check("PutRecord", []exchange{{`{"DeliveryStreamName":"s","Record":{"Data":"ZQ=="}}`, c.code, c.want}})
		w.check("PutRecordBatch", []exchange{{batchTo("s", "e"), c.code, c.want}})
	}
}

// Spec section 1.6, rule 2: what is wrong first is told, and who may not ask learns nothing
// about members or streams.
func TestAuthorisationComesBetweenDecodingAndEverythingElse(t *testing.T) {
	w := newWorld(t)
	w.active("s")
	denied := func(action, resource string) string {
		return "User: arn:aws:iam::123456789012:user/bob is not authorized to perform: firehose:" + action + " on resource: " +
			resource + " because no identity-based policy allows the firehose:" + action + " action"
	}
	const streams = "arn:aws:firehose:us-east-1:123456789012:deliverystream/"
	for _, c := range []struct{ operation, body, code, want string }{
		{"PutRecord", `{"Record":`, "SerializationException", ""},
		{"PutRecord", `{"DeliveryStreamName":"s","Record":{"Data":"?"}}`, "SerializationException", "Data of record 1 is not valid base64."},
		{"PutRecord", `{"DeliveryStreamName":"s","Record":{}}`, "AccessDeniedException", denied("PutRecord", streams+"s")},
		{"PutRecord", `{"DeliveryStreamName":"s","Record":{"Data":""}}`, "AccessDeniedException", denied("PutRecord", streams+"s")},
		{"PutRecordBatch", batchTo("none", "x"), "AccessDeniedException", denied("PutRecordBatch", streams+"none")},
		{"DeleteDeliveryStream", `{"DeliveryStreamName":"none"}`, "AccessDeniedException", denied("DeleteDeliveryStream", streams+"none")},
		{"DeleteDeliveryStream", `{}`, "AccessDeniedException", denied("DeleteDeliveryStream", streams)},
		{"ListDeliveryStreams", `{"Limit":0}`, "AccessDeniedException", denied("ListDeliveryStreams", "*")},
		{"UpdateDestination", `{"DeliveryStreamName":"s"}`, "AccessDeniedException", denied("UpdateDestination", streams+"s")},
		{"CreateDeliveryStream", `{"DeliveryStreamName":"s","Tags":[{"Key":"k"}]}`, "AccessDeniedException", denied("TagDeliveryStream", streams+"s")},
		{"DescribeDeliveryStream", `{"DeliveryStreamName":"none"}`, "ResourceNotFoundException", "Firehose none under account 123456789012 not found."},
	} {
		status, body := w.call("BOB", c.operation, c.body)
		if code, message := failure(t, body); status != http.StatusBadRequest || code != c.code || message != c.want {
			t.Errorf("%s %s\n got %d %s: %s\nwant %s: %s", c.operation, c.body, status, code, message, c.code, c.want)
		}
	}
}

func TestAnOperationThatFirehoseDoesNotHaveIsUnknown(t *testing.T) {
	newWorld(t).check("PutRecords", []exchange{{`{}`, "UnknownOperationException", ""}})
}

func TestTimestampsAreNumbersOfSeconds(t *testing.T) {
	got, err := json.Marshal(timestamp{clock()})
	if err != nil || string(got) != "1768471200.123" {
		t.Fatalf("%s, %v", got, err)
	}
}

func TestAnswersAreCountedByTheirCode(t *testing.T) {
	w := newWorld(t)
	w.active("s")
	w.do("PutRecord", `{"DeliveryStreamName":"s","Record":{"Data":""}}`)
	w.call("ALICE", "PutRecord", `{"DeliveryStreamName":"none","Record":{"Data":""}}`)
	w.door.err = record.ErrUncertain
	w.call("ALICE", "PutRecord", `{"DeliveryStreamName":"s","Record":{"Data":""}}`)
	page := httptest.NewRecorder()
	w.metrics.Handler().ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, code := range []string{"", "ResourceNotFoundException", "InternalFailure"} {
		line := `hydrant_requests_total{code="` + code + `",operation="PutRecord",service="firehose"} 1`
		if !strings.Contains(page.Body.String(), line) {
			t.Errorf("the page does not say %s", line)
		}
	}
}

func TestATextOfMegabytesIsNotCopied(t *testing.T) {
	w := newWorld(t)
	long := strings.Repeat("x", 9<<20)
	w.check("DescribeDeliveryStream", []exchange{
		{`{"DeliveryStreamName":"` + long + `"}`, "ValidationException", broken("deliveryStreamName", "Member must have length less than or equal to 64")},
	})
	w.check("PutRecord", []exchange{
		{`{"DeliveryStreamName":"` + long + `","Record":{"Data":""}}`, "ValidationException", broken("deliveryStreamName", "Member must have length less than or equal to 64")},
	})
}

func TestANameOfMegabytesIsNotCopied(t *testing.T) {
	body := []byte(`{"` + strings.Repeat("x", 9<<20) + `":1}`)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := parseBody(describeInput, body); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("%d bytes were allocated", n)
	}
}

// Whatever body passes the shapes can also be read as a configuration, and either makes a
// stream or is refused with words.
func FuzzCreate(f *testing.F) {
	f.Add(`{"DeliveryStreamName":"s","S3DestinationConfiguration":{` + bucket + `},"Tags":[{"Key":"k","Value":"v"}]}`)
	f.Add(`{"DeliveryStreamName":"s","ExtendedS3DestinationConfiguration":{` + bucket + `,"ProcessingConfiguration":{"Enabled":false,"Processors":[{"Type":"Lambda","Parameters":[null]}]},
		"DataFormatConversionConfiguration":{"Enabled":false,"InputFormatConfiguration":{"Deserializer":{"OpenXJsonSerDe":{"ColumnToJsonKeyMappings":{"a":"b"}},"HiveJsonSerDe":{"TimestampFormats":["a"]}}},
		"OutputFormatConfiguration":{"Serializer":{"OrcSerDe":{"PaddingTolerance":0.5,"StripeSizeBytes":67108864}}}},"DynamicPartitioningConfiguration":{"RetryOptions":{"DurationInSeconds":1}}}}`)
	f.Add(`{"DeliveryStreamName":"s","SplunkDestinationConfiguration":{"a":{"a":1,"a":2}},"DeliveryStreamEncryptionConfigurationInput":{"KeyType":"AWS_OWNED_CMK"},"DirectPutSourceConfiguration":{"ThroughputHintInMBs":1}}`)
	f.Add(extended("s", converting("Enabled", "true")+strings.TrimPrefix(partitioned("", extraction), `"BufferingHints":{"SizeInMBs":64}`)))
	f.Fuzz(func(t *testing.T, body string) {
		w := newJudgedWorld(t)
		status, answer := w.call("ALICE", "CreateDeliveryStream", body)
		if status == http.StatusOK {
			w.do("DescribeDeliveryStream", `{"DeliveryStreamName":"`+w.streams.All()[0].Name+`"}`)
			return
		}
		if code, _ := failure(t, answer); code == "InternalFailure" {
			t.Fatalf("%s: %s", body, answer)
		}
	})
}

// BenchmarkPut is a put from the HTTP handler to the door and back, signature included.
func BenchmarkPut(b *testing.B) {
	large := make([]string, 500)
	for i := range large {
		large[i] = strings.Repeat(fmt.Sprint(i%10), 512)
	}
	for _, c := range []struct{ name, operation, body string }{
		{"single=512B", "PutRecord", `{"DeliveryStreamName":"s","Record":{"Data":"` + b64(large[0]) + `"}}`},
		{"batch=500x512B", "PutRecordBatch", batchTo("s", large...)},
	} {
		b.Run(c.name, func(b *testing.B) {
			w := newWorld(b)
			w.active("s")
			w.door.forgetful = true
			r := w.request("ALICE", c.operation, c.body)
			body := strings.NewReader(c.body)
			answer := &discard{header: http.Header{}}
			b.SetBytes(int64(len(c.body)))
			b.ReportAllocs()
			for b.Loop() {
				body.Reset(c.body)
				r.Body = io.NopCloser(body)
				w.server.ServeHTTP(answer, r)
				if answer.status != http.StatusOK {
					b.Fatal(answer.status)
				}
			}
		})
	}
}

// discard is a response that nobody reads.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }

func BenchmarkBatchAnswer(b *testing.B) {
	got := ingest.Receipt{Runs: []ingest.Run{{First: record.Position{Entry: 1 << 30}, Records: 500}}}
	out := appendBatchAnswer(nil, &got, 500, false)
	b.SetBytes(int64(len(out)))
	b.ReportAllocs()
	for b.Loop() {
		out = appendBatchAnswer(out[:0], &got, 500, false)
	}
}
