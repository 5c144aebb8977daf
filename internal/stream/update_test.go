package stream

import (
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

var noon = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)

// updated applies an update, given as the members of ExtendedS3DestinationUpdate, to a stream
// that was created with the members before it.
func updated(t *testing.T, created, update string) (*Definition, bool, error) {
	t.Helper()
	return apply(t, created, `{"ExtendedS3DestinationUpdate":{`+update+`}}`)
}

func apply(t *testing.T, created, update string) (*Definition, bool, error) {
	t.Helper()
	d := parse(t, extended(created)).Definition()
	d.Version = 1
	var u Update
	if err := json.Unmarshal([]byte(update), &u); err != nil {
		t.Fatal(err)
	}
	changed, err := u.Apply(d, anything(), noon)
	return d, changed, err
}

func TestUpdatesMergeMemberByMemberOrReplace(t *testing.T) {
	const (
		hints   = `"BufferingHints":{"SizeInMBs":5,"IntervalInSeconds":300},`
		format  = `"CompressionFormat":"UNCOMPRESSED",`
		plain   = `"EncryptionConfiguration":{"NoEncryptionConfig":"NoEncryption"},`
		silent  = `"CloudWatchLoggingOptions":{"Enabled":false}`
		backOff = `,"S3BackupMode":"Disabled"`
		lambda  = `"Processors":[{"Type":"Lambda","Parameters":[]}]`
	)
	for _, c := range []struct{ created, update, want string }{
		{`,"Prefix":"a"`, `"Prefix":"b"`, minimal + `,"Prefix":"b",` + hints + format + plain + silent + backOff},
		{`,"Prefix":"a"`, `"Prefix":""`, minimal + `,"Prefix":"",` + hints + format + plain + silent + backOff},
		{``, `"BufferingHints":{"SizeInMBs":9}`, minimal + `,"BufferingHints":{"SizeInMBs":9,"IntervalInSeconds":300},` + format + plain + silent + backOff},
		{``, `"BufferingHints":{"IntervalInSeconds":0}`, minimal + `,"BufferingHints":{"SizeInMBs":5,"IntervalInSeconds":0},` + format + plain + silent + backOff},
		{``, `"CompressionFormat":"GZIP"`, minimal + `,` + hints + `"CompressionFormat":"GZIP",` + plain + silent + backOff},
		{`,"CloudWatchLoggingOptions":{"Enabled":false,"LogGroupName":"g"}`, `"CloudWatchLoggingOptions":{"LogStreamName":"s"}`,
			minimal + `,` + hints + format + plain + `"CloudWatchLoggingOptions":{"Enabled":false,"LogGroupName":"g","LogStreamName":"s"}` + backOff},
		{`,"ProcessingConfiguration":{"Enabled":false,` + lambda + `}`, `"ProcessingConfiguration":{}`,
			minimal + `,` + hints + format + plain + silent + `,"ProcessingConfiguration":{"Enabled":false}` + backOff},
		{`,"DataFormatConversionConfiguration":{"Enabled":false,"SchemaConfiguration":{"DatabaseName":"d","TableName":"t"}}`,
			`"DataFormatConversionConfiguration":{"Enabled":false,"SchemaConfiguration":{"TableName":"u"}}`,
			minimal + `,` + hints + format + plain + silent + backOff + `,"DataFormatConversionConfiguration":{"SchemaConfiguration":{"DatabaseName":"d","TableName":"u"},"Enabled":false}`},
		{``, `"DynamicPartitioningConfiguration":{"Enabled":false,"RetryOptions":{"DurationInSeconds":7}}`,
			minimal + `,` + hints + format + plain + silent + backOff + `,"DynamicPartitioningConfiguration":{"Enabled":false,"RetryOptions":{"DurationInSeconds":7}}`},
		{`,"FileExtension":".log"`, `"FileExtension":"","CustomTimeZone":"Asia/Tokyo"`,
			minimal + `,` + hints + format + plain + silent + backOff + `,"FileExtension":"","CustomTimeZone":"Asia/Tokyo"`},
	} {
		d, changed, err := updated(t, c.created, c.update)
		if err != nil || !changed {
			t.Fatalf("%s: changed %v, %v", c.update, changed, err)
		}
		got, err := json.Marshal(d.S3)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != `{`+c.want+`}` {
			t.Errorf("%s after %s\n got %s\nwant {%s}", c.update, c.created, got, c.want)
		}
		if d.Version != 2 || !d.Updated.Equal(noon) {
			t.Errorf("%s: version %d, updated %s", c.update, d.Version, d.Updated)
		}
	}
}

func TestAnUpdateWithoutEffectMakesNoVersion(t *testing.T) {
	for _, update := range []string{
		`{"ExtendedS3DestinationUpdate":{}}`,
		`{"S3DestinationUpdate":{}}`,
		`{"ExtendedS3DestinationUpdate":{"Prefix":"a","BufferingHints":{"SizeInMBs":5},"S3BackupMode":"Disabled","CompressionFormat":"UNCOMPRESSED"}}`,
		`{"S3DestinationUpdate":{"FileExtension":".ignored","S3BackupMode":"Enabled"}}`,
	} {
		d, changed, err := apply(t, `,"Prefix":"a"`, update)
		if err != nil || changed || d.Version != 1 || !d.Updated.IsZero() {
			t.Errorf("%s: changed %v to version %d at %s, %v", update, changed, d.Version, d.Updated, err)
		}
	}
}

func TestTheLegacyShapeKeepsWhatItDoesNotKnow(t *testing.T) {
	d, changed, err := apply(t, `,"FileExtension":".log"`, `{"S3DestinationUpdate":{"Prefix":"b"}}`)
	if err != nil || !changed || or(d.S3.FileExtension, "") != ".log" || or(d.S3.Prefix, "") != "b" {
		t.Fatalf("%+v, %v", d.S3, err)
	}
}

func TestWhatCannotBeAnUpdateIsRefusedInTheSpecsWords(t *testing.T) {
	for _, c := range []struct{ update, want string }{
		{`{}`, "At least one destination or source configuration update must be provided"},
		{`{"S3DestinationUpdate":{},"ExtendedS3DestinationUpdate":{}}`, "Exactly one of s3DestinationUpdate or extendedS3DestinationUpdate must be specified."},
		{`{"S3DestinationUpdate":{},"SplunkDestinationUpdate":{}}`, "Exactly one destination configuration is supported for a Firehose"},
		{`{"SplunkDestinationUpdate":{},"RedshiftDestinationUpdate":{}}`, "Exactly one destination configuration is supported for a Firehose"},
		{`{"SplunkDestinationUpdate":{}}`, "SplunkDestinationUpdate is not supported by this version of Hydrant."},
		{`{"HttpEndpointDestinationUpdate":{}}`, "Changing the destination type to or from S3 is not supported at this time."},
		{`{"ExtendedS3DestinationUpdate":{"DynamicPartitioningConfiguration":{"Enabled":true}}}`, "Dynamic Partitioning can only be enabled or disabled when the Firehose is created."},
		{`{"ExtendedS3DestinationUpdate":{"S3BackupMode":"Enabled"}}`, "S3 backup destination configuration is required when enabling S3 backup."},
		{`{"ExtendedS3DestinationUpdate":{"S3BackupUpdate":{"Prefix":"x"}}}`, "S3 backup destination configuration is required when enabling S3 backup."},
		{`{"ExtendedS3DestinationUpdate":{"EncryptionConfiguration":{}}}`, "Exactly one of NoEncryptionConfig or KMSEncryptionConfig must be specified"},
		{`{"ExtendedS3DestinationUpdate":{"CloudWatchLoggingOptions":{"Enabled":true}}}`, "CloudWatch Log Group Name is required if CloudWatch Logging is enabled"},
	} {
		d, changed, err := apply(t, ``, c.update)
		if err == nil || err.Error() != c.want || changed || d.Version != 1 {
			t.Errorf("%s\n got %v\nwant %s", c.update, err, c.want)
		}
	}
	enabled := parse(t, extended(`,"S3BackupConfiguration":{`+minimal+`}`)).Destination()
	enabled.S3BackupMode = BackupEnabled
	if _, err := enabled.with(&S3Update{S3BackupMode: new(BackupDisabled)}); err == nil || err.Error() != "Disabling S3 backup is not currently supported." {
		t.Errorf("the backup was switched off: %v", err)
	}
}

func TestABackupIsEnabledByAnUpdateAndThenChanged(t *testing.T) {
	d, changed, err := apply(t, ``, `{"ExtendedS3DestinationUpdate":{"S3BackupMode":"Enabled","S3BackupUpdate":{`+minimal+`}}}`)
	if err != nil || !changed || d.S3.S3BackupMode != BackupEnabled || d.S3.S3Backup.BufferingHints != (BufferingHints{5, 300}) {
		t.Fatalf("%+v, %v", d.S3, err)
	}
	enabled := `,"S3BackupMode":"Enabled","S3BackupConfiguration":{` + minimal + `,"Prefix":"raw/"}`
	d, changed, err = apply(t, enabled, `{"ExtendedS3DestinationUpdate":{"S3BackupUpdate":{"CompressionFormat":"GZIP"}}}`)
	if b := d.S3.S3Backup; err != nil || !changed || b.CompressionFormat != Gzip || or(b.Prefix, "") != "raw/" {
		t.Fatalf("%+v, %v", b, err)
	}
	// The legacy shape does not know of backups and leaves them alone.
	d, _, err = apply(t, enabled, `{"S3DestinationUpdate":{"Prefix":"b"}}`)
	if err != nil || d.S3.S3BackupMode != BackupEnabled || d.S3.S3Backup == nil {
		t.Fatalf("%+v, %v", d.S3, err)
	}
}

func TestTagsAreSetRemovedAndPaged(t *testing.T) {
	d := &Definition{}
	set := func(pairs ...string) bool {
		var tags []Tag
		for i := 0; i < len(pairs); i += 2 {
			tags = append(tags, Tag{Key: pairs[i], Value: new(pairs[i+1])})
		}
		changed, err := d.SetTags(tags)
		if err != nil {
			t.Fatal(err)
		}
		return changed
	}
	if !set("b", "1", "a", "2", "b", "3") || set("b", "3") || !set("b", "4") {
		t.Errorf("changes were not told right: %v", d.Tags)
	}
	if tags, more := d.TagsAfter("", 1); len(tags) != 1 || tags[0].Key != "a" || !more {
		t.Errorf("first page: %v, more %v", tags, more)
	}
	if tags, more := d.TagsAfter("a", 1); len(tags) != 1 || *tags[0].Value != "4" || more {
		t.Errorf("second page: %v, more %v", tags, more)
	}
	if d.RemoveTags([]string{"x"}) || !d.RemoveTags([]string{"a", "x"}) || len(d.Tags) != 1 {
		t.Errorf("left after removal: %v", d.Tags)
	}
	many := make([]Tag, MaxTags)
	for i := range many {
		many[i].Key = string(rune(0x400 + i))
	}
	if _, err := d.SetTags(many); err != ErrTooManyTags || len(d.Tags) != 1 {
		t.Errorf("51 tags: %v, %d kept", err, len(d.Tags))
	}
}
