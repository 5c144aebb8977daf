package stream

import (
	"errors"
	"reflect"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
)

const minimal = `"RoleARN":"arn:aws:iam::123456789012:role/fh","BucketARN":"arn:aws:s3:::logs"`

func parse(t *testing.T, text string) *Configuration {
	t.Helper()
	var c Configuration
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	return &c
}

// anything is rules that take whatever they are asked about.
func anything() *Rules {
	return &Rules{
		Account:      "123456789012",
		Prefixes:     func(string, string, string, bool) error { return nil },
		PrefixKeys:   func(string) (queried, function []string) { return nil, nil },
		Query:        func(string) ([]string, error) { return nil, nil },
		Deserializer: func(*Deserializer) error { return nil },
		Table:        func(*SchemaConfiguration) error { return nil },
	}
}

func extended(members string) string {
	return `{"DeliveryStreamName":"s","ExtendedS3DestinationConfiguration":{` + minimal + members + `}}`
}

// processors is a stream with these processors.
func processors(list string) string {
	return extended(`,"ProcessingConfiguration":{"Enabled":true,"Processors":[` + list + `]}`)
}

const (
	arn      = `{"ParameterName":"LambdaArn","ParameterValue":"arn:aws:lambda:us-east-1:123456789012:function:f"}`
	function = `{"Type":"Lambda","Parameters":[` + arn + `]}`
	unzip    = `{"Type":"Decompression","Parameters":[{"ParameterName":"CompressionFormat","ParameterValue":"GZIP"}]}`
)

// The parameters of the Lambda processor come back in their order and with their defaults,
// as they were typed.
func TestProcessorsAreShownWithTheirDefaults(t *testing.T) {
	c := parse(t, processors(`{"Type":"AppendDelimiterToRecord","Parameters":[{"ParameterName":"Delimiter","ParameterValue":"\\n"}]},`+
		`{"Type":"Lambda","Parameters":[{"ParameterName":"BufferIntervalInSeconds","ParameterValue":"61"},{"ParameterName":"BufferSizeInMBs","ParameterValue":"1.0"},`+arn+`]},`+
		unzip+`,{"Type":"CloudWatchLogProcessing","Parameters":[{"ParameterName":"DataMessageExtraction","ParameterValue":"True"}]}`))
	if err := c.Check(anything()); err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(c.Destination().Processing)
	want := `{"Enabled":true,"Processors":[{"Type":"AppendDelimiterToRecord","Parameters":[]},{"Type":"Lambda","Parameters":[` + arn +
		`,{"ParameterName":"NumberOfRetries","ParameterValue":"3"},{"ParameterName":"RoleArn","ParameterValue":"arn:aws:iam::123456789012:role/fh"}` +
		`,{"ParameterName":"BufferSizeInMBs","ParameterValue":"1.0"},{"ParameterName":"BufferIntervalInSeconds","ParameterValue":"61"}]},` +
		unzip + `,{"Type":"CloudWatchLogProcessing","Parameters":[{"ParameterName":"DataMessageExtraction","ParameterValue":"True"}]}]}`
	if err != nil || string(got) != want {
		t.Fatalf("%v\ngot  %s\nwant %s", err, got, want)
	}
	l := c.Destination().Find(LambdaProcessor).Lambda()
	if l.Retries != 3 || l.MBs != 1 || l.Interval != 61 || l.ARN == "" {
		t.Fatalf("%+v", l)
	}
	if roles := c.Destination().Roles(); !reflect.DeepEqual(roles, []string{"arn:aws:iam::123456789012:role/fh"}) {
		t.Fatalf("roles %q", roles)
	}
	c.ExtendedS3.Processing.Processors[1].Parameters = append(c.ExtendedS3.Processing.Processors[1].Parameters, ProcessorParameter{"RoleArn", "arn:aws:iam::123456789012:role/other"})
	if roles := c.Destination().Roles(); len(roles) != 2 { // whoever configures it must be allowed to pass both
		t.Fatalf("roles %q", roles)
	}
	if same := c.Destination().configuration().stored(); !reflect.DeepEqual(same, c.Destination()) {
		t.Fatalf("stored again as %+v", same)
	}
}

// Each line is an option that is refused, and the words for it.
func TestWhatCannotBeAStreamIsRefusedInTheSpecsWords(t *testing.T) {
	const s3 = `"S3DestinationConfiguration":{` + minimal + `}`
	for _, c := range []struct{ config, want string }{
		{`{}`, "Exactly one destination configuration is supported for a Firehose"},
		{`{` + s3 + `,"SplunkDestinationConfiguration":{"a":1}}`, "Exactly one destination configuration is supported for a Firehose"},
		{`{` + s3 + `,"ExtendedS3DestinationConfiguration":{},"SplunkDestinationConfiguration":{}}`, "Exactly one destination configuration is supported for a Firehose"},
		{`{` + s3 + `,"ExtendedS3DestinationConfiguration":{` + minimal + `}}`, "Exactly one of S3DestinationConfiguration or ExtendedS3DestinationConfiguration must be specified."},
		{`{"HttpEndpointDestinationConfiguration":{}}`, "HttpEndpointDestinationConfiguration is not supported by this version of Hydrant."},
		{`{"IcebergDestinationConfiguration":{}}`, "IcebergDestinationConfiguration is not supported by this version of Hydrant."},
		{`{` + s3 + `,"KinesisStreamSourceConfiguration":{}}`, "KinesisSourceStreamConfig is only applicable for KinesisStreamAsSource stream type"},
		{`{` + s3 + `,"DeliveryStreamType":"KinesisStreamAsSource"}`, "KinesisSourceStreamConfig is mandatory for KinesisStreamAsSource stream type."},
		{`{` + s3 + `,"DeliveryStreamType":"KinesisStreamAsSource","KinesisStreamSourceConfiguration":{}}`, "DeliveryStreamType KinesisStreamAsSource is not supported by this version of Hydrant."},
		{`{` + s3 + `,"DeliveryStreamType":"MSKAsSource"}`, "MSKSourceConfig is mandatory for MSK as Source stream type."},
		{`{` + s3 + `,"MSKSourceConfiguration":{}}`, "MSKSourceConfiguration is not supported by this version of Hydrant."},
		{`{` + s3 + `,"DatabaseSourceConfiguration":{}}`, "DatabaseSourceConfiguration is not supported by this version of Hydrant."},
		{`{` + s3 + `,"DeliveryStreamType":"DatabaseAsSource"}`, "IcebergDestinationConfiguration must be specified for Database as Source."},
		{`{` + s3 + `,"DeliveryStreamType":"KinesisStreamAsSource","KinesisStreamSourceConfiguration":{},"DeliveryStreamEncryptionConfigurationInput":{"KeyType":"AWS_OWNED_CMK"}}`,
			"Server side encryption from firehose is only allowed for direct put delivery streams and database as a source delivery streams"},
		{extended(`,"EncryptionConfiguration":{}`), "Exactly one of NoEncryptionConfig or KMSEncryptionConfig must be specified"},
		{extended(`,"EncryptionConfiguration":{"NoEncryptionConfig":"NoEncryption","KMSEncryptionConfig":{"AWSKMSKeyARN":"a"}}`), "Exactly one of NoEncryptionConfig or KMSEncryptionConfig must be specified"},
		{extended(`,"CloudWatchLoggingOptions":{"Enabled":true}`), "CloudWatch Log Group Name is required if CloudWatch Logging is enabled"},
		{extended(`,"CloudWatchLoggingOptions":{"Enabled":true,"LogGroupName":"g"}`), "CloudWatch Log Stream Name is required if CloudWatch Logging is enabled"},
		{extended(`,"S3BackupMode":"Enabled"`), "S3 backup destination configuration is required when enabling S3 backup."},
		{extended(`,"S3BackupMode":"Enabled","S3BackupConfiguration":{` + minimal + `,"BufferingHints":{"IntervalInSeconds":59}}`), "BufferingHints.IntervalInSeconds must be at least 60 for S3 backup."},
		{extended(`,"S3BackupConfiguration":{` + minimal + `,"BufferingHints":{"IntervalInSeconds":0}}`), "BufferingHints.IntervalInSeconds must be at least 60 for S3 backup."},
		{extended(`,"S3BackupMode":"Enabled","S3BackupConfiguration":{` + minimal + `,"EncryptionConfiguration":{}}`), "Exactly one of NoEncryptionConfig or KMSEncryptionConfig must be specified"},
		{extended(`,"ProcessingConfiguration":{"Enabled":true}`), "A maximum of 5 and a minimum of 1 processor needs to be supplied when processing is enabled."},
		{processors(`{"Type":"Lambda"}`), "LambdaArn is required when Lambda processor is used."},
		{processors(function + `,` + function), "Cannot have more than 1 Lambda processor."},
		{processors(`{"Type":"Lambda","Parameters":[` + arn + `,{"ParameterName":"NumberOfRetries","ParameterValue":"301"}]}`), "Number of retries for lambda must be between 0 and 300."},
		{processors(`{"Type":"Lambda","Parameters":[` + arn + `,{"ParameterName":"NumberOfRetries","ParameterValue":"x"}]}`), "Number of retries for lambda must be between 0 and 300."},
		{processors(`{"Type":"Lambda","Parameters":[` + arn + `,{"ParameterName":"BufferSizeInMBs","ParameterValue":"1"}]}`), "Both BufferSizeInMBs and BufferIntervalInSeconds are required to configure buffering for lambda processor."},
		{processors(`{"Type":"Lambda","Parameters":[` + arn + `,{"ParameterName":"BufferSizeInMBs","ParameterValue":"0.1"},{"ParameterName":"BufferIntervalInSeconds","ParameterValue":"60"}]}`), "BufferSizeInMBs for lambda processor must be between 0.2 and 3."},
		{processors(`{"Type":"Lambda","Parameters":[` + arn + `,{"ParameterName":"BufferSizeInMBs","ParameterValue":"NaN"},{"ParameterName":"BufferIntervalInSeconds","ParameterValue":"60"}]}`), "BufferSizeInMBs for lambda processor must be between 0.2 and 3."},
		{processors(`{"Type":"Lambda","Parameters":[` + arn + `,{"ParameterName":"BufferSizeInMBs","ParameterValue":"3"},{"ParameterName":"BufferIntervalInSeconds","ParameterValue":"901"}]}`), "BufferIntervalInSeconds for lambda processor must be between 0 and 900."},
		{processors(`{"Type":"Decompression","Parameters":[{"ParameterName":"CompressionFormat","ParameterValue":"ZIP"}]}`), "CompressionFormat has to be GZIP"},
		{processors(unzip + `,{"Type":"CloudWatchLogProcessing","Parameters":[{"ParameterName":"DataMessageExtraction","ParameterValue":"yes"}]}`), "Invalid parameter value for DataMessageExtraction. Allowed values are True and False."},
		{processors(`{"Type":"CloudWatchLogProcessing","Parameters":[{"ParameterName":"DataMessageExtraction","ParameterValue":"TRUE"}]}`), "CloudWatchLogProcessingProcessor can only be enabled with DecompressionProcessor"},
		{processors(`{"Type":"RecordDeAggregation","Parameters":[{"ParameterName":"SubRecordType","ParameterValue":"XML"}]}`), "SubRecordType has to be one of JSON, DELIMITED"},
		{processors(`{"Type":"RecordDeAggregation","Parameters":[{"ParameterName":"SubRecordType","ParameterValue":"DELIMITED"}]}`), "Delimiter should be present for DELIMITED"},
		{processors(`{"Type":"RecordDeAggregation","Parameters":[{"ParameterName":"SubRecordType","ParameterValue":"JSON"}]}`), "class com.amazonaws.services.firehose.internal.model.RecordDeAggregationProcessor can only be present when Dynamic Partitioning is enabled."},
		{processors(`{"Type":"MetadataExtraction","Parameters":[{"ParameterName":"JsonParsingEngine","ParameterValue":"JQ-1.5"}]}`), "MetaDataExtraction JSON Parsing Engine has to be one of JQ-1.6"},
		{processors(`{"Type":"MetadataExtraction","Parameters":[{"ParameterName":"JsonParsingEngine","ParameterValue":"JQ-1.6"},{"ParameterName":"MetadataExtractionQuery","ParameterValue":"{a:.a}"}]}`), "class com.amazonaws.services.firehose.internal.model.MetadataExtractionProcessor can only be present when Dynamic Partitioning is enabled."},
	} {
		err := parse(t, c.config).Check(anything())
		var refusal *Refusal
		if !errors.As(err, &refusal) || refusal.Message != c.want {
			t.Errorf("%s\n got %v\nwant %s", c.config, err, c.want)
		}
	}
}

func TestABackupIsADestinationOfItsOwn(t *testing.T) {
	c := parse(t, extended(`,"Prefix":"main/","S3BackupMode":"Enabled","S3BackupConfiguration":{`+minimal+`,"Prefix":"raw/","BufferingHints":{"IntervalInSeconds":60},"FileExtension":".x"}`))
	var asked []string
	rules := anything()
	rules.Prefixes = func(prefix, _, _ string, _ bool) error {
		asked = append(asked, prefix)
		return nil
	}
	err := c.Check(rules)
	if err != nil || len(asked) != 2 || asked[1] != "raw/" {
		t.Fatalf("asked about %q, %v", asked, err)
	}
	b := c.Destination().S3Backup
	if b.BufferingHints != (BufferingHints{5, 60}) || b.CompressionFormat != Uncompressed || b.FileExtension != nil {
		t.Fatalf("stored as %+v", b)
	}
}

func TestThePrefixCheckerHasTheWord(t *testing.T) {
	c := parse(t, extended(`,"Prefix":"p","ErrorOutputPrefix":"e","CustomTimeZone":"Asia/Tokyo","DynamicPartitioningConfiguration":{"Enabled":true}`))
	rules := anything()
	rules.Prefixes = func(prefix, errorPrefix, zone string, dynamic bool) error {
		if prefix != "p" || errorPrefix != "e" || zone != "Asia/Tokyo" || !dynamic {
			t.Errorf("asked about %q %q %q %v", prefix, errorPrefix, zone, dynamic)
		}
		return errors.New("Invalid expression usage")
	}
	err := c.Check(rules)
	var refusal *Refusal
	if !errors.As(err, &refusal) || refusal.Message != "Invalid expression usage" {
		t.Fatal(err)
	}
}

func TestEveryCompressionFormatIsTaken(t *testing.T) {
	for format, deflated := range map[Compression]bool{
		Uncompressed: false, Gzip: true, Zip: true, Snappy: false, HadoopSnappy: false,
	} {
		for _, shape := range []string{"S3", "ExtendedS3"} {
			c := parse(t, `{"DeliveryStreamName":"s","`+shape+`DestinationConfiguration":{`+minimal+`,"CompressionFormat":"`+string(format)+`"}}`)
			if err := c.Check(anything()); err != nil {
				t.Errorf("%s with %s: %v", shape, format, err)
			}
			if got := c.Destination().CompressionFormat; got != format || got.Deflated() != deflated {
				t.Errorf("%s with %s became %s, deflated: %t", shape, format, got, got.Deflated())
			}
		}
	}
}

func TestDisabledStructuresAreKeptAsTheyCame(t *testing.T) {
	const members = `"ProcessingConfiguration":{"Enabled":false,"Processors":[{"Type":"Lambda","Parameters":[{"ParameterName":"LambdaArn","ParameterValue":"x"}]},{"Type":"Decompression","Parameters":[]}]},` +
		`"S3BackupMode":"Disabled",` +
		`"DataFormatConversionConfiguration":{"InputFormatConfiguration":{"Deserializer":{"OpenXJsonSerDe":{}}},"OutputFormatConfiguration":{"Serializer":{"ParquetSerDe":{"BlockSizeBytes":134217728}}},"Enabled":false},` +
		`"DynamicPartitioningConfiguration":{"Enabled":false,"RetryOptions":{"DurationInSeconds":0}},` +
		`"FileExtension":"","CustomTimeZone":"UTC"`
	c := parse(t, extended(`,"CloudWatchLoggingOptions":{"Enabled":false,"LogGroupName":"g"},`+members))
	if err := c.Check(anything()); err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(c.Destination())
	if err != nil {
		t.Fatal(err)
	}
	want := `{` + minimal + `,"BufferingHints":{"SizeInMBs":5,"IntervalInSeconds":300},"CompressionFormat":"UNCOMPRESSED",` +
		`"EncryptionConfiguration":{"NoEncryptionConfig":"NoEncryption"},"CloudWatchLoggingOptions":{"Enabled":false,"LogGroupName":"g"},` + members + `}`
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Fatal(d)
	}
}

func TestTheLegacyShapeKnowsNoExtendedMembers(t *testing.T) {
	c := parse(t, `{"DeliveryStreamName":"s","S3DestinationConfiguration":{`+minimal+`,"Prefix":"","FileExtension":".x","S3BackupMode":"Enabled",
		"ProcessingConfiguration":{"Enabled":true},"BufferingHints":{"IntervalInSeconds":0}}}`)
	if err := c.Check(anything()); err != nil {
		t.Fatal(err)
	}
	d := c.Destination()
	if d.FileExtension != nil || d.Processing != nil || d.S3BackupMode != BackupDisabled {
		t.Fatalf("extended members were taken: %+v", d)
	}
	if d.Prefix == nil || *d.Prefix != "" {
		t.Fatal("an empty prefix that was sent is not an absent one")
	}
	if d.BufferingHints != (BufferingHints{5, 0}) || d.Bucket() != "logs" {
		t.Fatalf("%+v in bucket %q", d.BufferingHints, d.Bucket())
	}
}

func TestTheLastValueOfATagCounts(t *testing.T) {
	tags := UniqueTags([]Tag{{"a", new("1")}, {"b", nil}, {"a", new("2")}})
	if d := cmp.Diff([]Tag{{"a", new("2")}, {"b", nil}}, tags); d != "" {
		t.Fatal(d)
	}
	if UniqueTags(nil) != nil {
		t.Fatal("no tags became some")
	}
}

func TestADefinitionSurvivesStorage(t *testing.T) {
	c := parse(t, extended(`,"DataFormatConversionConfiguration":{"Enabled":false,"InputFormatConfiguration":{"Deserializer":{"OpenXJsonSerDe":{"ColumnToJsonKeyMappings":{"a":"b"}}}}},"S3BackupConfiguration":{`+minimal+`}`))
	want := c.Definition()
	want.Status, want.Failure = CreatingFailed, &Failure{"UNKNOWN_ERROR", "why"}
	stored, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Definition
	if err := json.Unmarshal(stored, &got, json.RejectUnknownMembers(true)); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, &got); d != "" {
		t.Fatal(d)
	}
}
