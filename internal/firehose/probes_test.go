package firehose

import (
	"maps"
	"slices"
	"strings"
)

// A probe is a request with one member of interest.
type probe struct{ path, body string }

// partitions says whether the probe needs a stream that is partitioned.
func (p probe) partitions() bool { return strings.Contains(p.body, partitioning) }

// partitioning are the members of a destination that is partitioned by the key k, but for its
// processors, and conversion those that a destination that converts needs beside it.
const (
	partitioning = `"BufferingHints":{"SizeInMBs":64},"Prefix":"!{partitionKeyFromQuery:k}/","ErrorOutputPrefix":"!{firehose:error-output-type}/","DynamicPartitioningConfiguration":{"Enabled":true`
	extraction   = `{"Type":"MetadataExtraction","Parameters":[{"ParameterName":"MetadataExtractionQuery","ParameterValue":"{k:.k}"},{"ParameterName":"JsonParsingEngine","ParameterValue":"JQ-1.6"}]}`
	conversion   = `"BufferingHints":{"SizeInMBs":64},"DataFormatConversionConfiguration":{`
	aTable       = `"RoleARN":"arn:aws:iam::123456789012:role/fh","DatabaseName":"d","TableName":"t"`
)

// partitioned are the members of a destination that is partitioned, with more members of its
// DynamicPartitioningConfiguration and more processors.
func partitioned(more, processors string) string {
	return partitioning + more + `},"ProcessingConfiguration":{"Enabled":true,"Processors":[` + processors + `]}`
}

// converting are the members of a destination that converts, with a member of the
// configuration that is of interest.
func converting(member, value string) string {
	parts := map[string]string{
		"SchemaConfiguration":       "{" + aTable + "}",
		"InputFormatConfiguration":  `{"Deserializer":{"HiveJsonSerDe":{}}}`,
		"OutputFormatConfiguration": `{"Serializer":{"OrcSerDe":{}}}`,
	}
	if member == "SchemaConfiguration" && !strings.HasPrefix(value, `{"RoleARN"`) {
		value = "{" + joined(aTable, value[1:len(value)-1]) + "}"
	} else if member == "SchemaConfiguration" {
		value = parts[member]
	}
	parts[member] = value
	var all []string
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		all = append(all, `"`+name+`":`+parts[name])
	}
	return conversion + strings.Join(all, ",") + "}"
}

// s3Probes are the members of an S3 destination, each in a value that Firehose takes.
var s3Probes = []probe{
	{"RoleARN", `"RoleARN":"arn:aws:iam::123456789012:role/other"`},
	{"BucketARN", `"BucketARN":"arn:aws:s3:::other"`},
	{"Prefix", `"Prefix":"p/"`},
	{"ErrorOutputPrefix", `"ErrorOutputPrefix":"e/!{firehose:error-output-type}/"`},
	{"BufferingHints.SizeInMBs", `"BufferingHints":{"SizeInMBs":1}`},
	{"BufferingHints.IntervalInSeconds=0", `"BufferingHints":{"IntervalInSeconds":0}`},
	{"BufferingHints.IntervalInSeconds=60", `"BufferingHints":{"IntervalInSeconds":60}`},
	{"CompressionFormat=UNCOMPRESSED", `"CompressionFormat":"UNCOMPRESSED"`},
	{"CompressionFormat=GZIP", `"CompressionFormat":"GZIP"`},
	{"CompressionFormat=ZIP", `"CompressionFormat":"ZIP"`},
	{"CompressionFormat=Snappy", `"CompressionFormat":"Snappy"`},
	{"CompressionFormat=HADOOP_SNAPPY", `"CompressionFormat":"HADOOP_SNAPPY"`},
	{"EncryptionConfiguration.NoEncryptionConfig", `"EncryptionConfiguration":{"NoEncryptionConfig":"NoEncryption"}`},
	{"EncryptionConfiguration.KMSEncryptionConfig.AWSKMSKeyARN", `"EncryptionConfiguration":{"KMSEncryptionConfig":{"AWSKMSKeyARN":"arn:aws:kms:us-east-1:123456789012:key/k"}}`},
	{"CloudWatchLoggingOptions.Enabled=false", `"CloudWatchLoggingOptions":{"Enabled":false}`},
	{"CloudWatchLoggingOptions.Enabled=true", `"CloudWatchLoggingOptions":{"Enabled":true,"LogGroupName":"g","LogStreamName":"s"}`},
	{"CloudWatchLoggingOptions.LogGroupName", `"CloudWatchLoggingOptions":{"LogGroupName":"g"}`},
	{"CloudWatchLoggingOptions.LogStreamName", `"CloudWatchLoggingOptions":{"LogStreamName":"s"}`},
}

// unused is in the path of a member that nothing is done with: what a partition holds is
// delivered whenever that is possible again.
const unused = "RetryOptions.DurationInSeconds"

// extendedProbes are those that only the extended shape has; backup is the member that holds
// the backup's destination.
func extendedProbes(backup string) []probe {
	all := []probe{
		{"ProcessingConfiguration.Enabled=false", `"ProcessingConfiguration":{"Enabled":false,"Processors":[{"Type":"Lambda","Parameters":[]}]}`},
		{"ProcessingConfiguration.Enabled=true", `"ProcessingConfiguration":{"Enabled":true,"Processors":[{"Type":"AppendDelimiterToRecord","Parameters":[]}]}`},
	}
	for _, p := range processorProbes {
		all = append(all, probe{"ProcessingConfiguration.Processors." + p.path, `"ProcessingConfiguration":{"Enabled":true,"Processors":[` + p.body + `]}`})
	}
	for _, p := range partitionProbes {
		all = append(all, probe{"ProcessingConfiguration.Processors." + p.path, partitioned("", p.body)})
	}
	all = append(all,
		probe{"S3BackupMode=Disabled", `"S3BackupMode":"Disabled"`},
		probe{"S3BackupMode=Enabled", `"S3BackupMode":"Enabled","` + backup + `":{` + bucket + `}`},
		probe{backup, `"` + backup + `":{` + bucket + `}`},
	)
	for _, p := range s3Probes {
		all = append(all, probe{backup + "." + p.path, `"S3BackupMode":"Enabled","` + backup + `":{` + joined(bucket, p.body) + `}`})
	}
	all = append(all,
		probe{"DataFormatConversionConfiguration.Enabled=false", `"DataFormatConversionConfiguration":{"Enabled":false}`},
		probe{"DataFormatConversionConfiguration.Enabled=true", converting("Enabled", "true")},
	)
	for _, m := range modelDataFormatConversionConfiguration.members {
		if m.name != "Enabled" {
			all = append(all, leaves("DataFormatConversionConfiguration."+m.name, m.shape, func(value string) string {
				return converting(m.name, value)
			})...)
		}
	}
	return append(all,
		probe{"DynamicPartitioningConfiguration.Enabled=false", `"DynamicPartitioningConfiguration":{"Enabled":false}`},
		probe{"DynamicPartitioningConfiguration.Enabled=true", partitioned("", extraction)},
		probe{"DynamicPartitioningConfiguration." + unused, partitioned(`,"RetryOptions":{"DurationInSeconds":0}`, extraction)},
		probe{"FileExtension", `"FileExtension":".log"`},
		probe{"CustomTimeZone", `"CustomTimeZone":"Asia/Tokyo"`},
	)
}

// processorProbes are processors, each with what it needs to be taken.
var processorProbes = []probe{
	processor("Lambda", "LambdaArn", aFunction),
	processor("Lambda", "NumberOfRetries", "0", "LambdaArn", aFunction),
	processor("Lambda", "RoleArn", "arn:aws:iam::123456789012:role/other", "LambdaArn", aFunction),
	processor("Lambda", "BufferSizeInMBs", "0.2", "BufferIntervalInSeconds", "0", "LambdaArn", aFunction),
	processor("Lambda", "BufferIntervalInSeconds", "900", "BufferSizeInMBs", "3", "LambdaArn", aFunction),
	processor("Decompression", "CompressionFormat", "GZIP"),
	{"Type=CloudWatchLogProcessing, DataMessageExtraction", processor("Decompression", "CompressionFormat", "GZIP").body + "," +
		processor("CloudWatchLogProcessing", "DataMessageExtraction", "true").body},
	processor("AppendDelimiterToRecord", "Delimiter", `\\n`),
}

// partitionProbes are processors that only a partitioned stream has.
var partitionProbes = []probe{
	beside(processor("RecordDeAggregation", "SubRecordType", "JSON")),
	beside(processor("RecordDeAggregation", "Delimiter", "IyMjIw==", "SubRecordType", "DELIMITED")),
	processor("MetadataExtraction", "JsonParsingEngine", "JQ-1.6", "MetadataExtractionQuery", "{k:.k}"),
	processor("MetadataExtraction", "MetadataExtractionQuery", "{k:.k}", "JsonParsingEngine", "JQ-1.6"),
}

// beside puts a processor beside the one that every partitioned stream needs.
func beside(p probe) probe { return probe{p.path, p.body + "," + extraction} }

const aFunction = "arn:aws:lambda:us-east-1:123456789012:function:f"

// processor is a processor with the parameters of which names and values follow each other;
// the first one is of interest.
func processor(kind string, parameters ...string) probe {
	var all []string
	for pair := range slices.Chunk(parameters, 2) {
		all = append(all, `{"ParameterName":"`+pair[0]+`","ParameterValue":"`+pair[1]+`"}`)
	}
	return probe{"Type=" + kind + ", " + parameters[0], `{"Type":"` + kind + `","Parameters":[` + strings.Join(all, ",") + `]}`}
}

// leaves are probes of all values in a shape, and of all values of its enums. in puts a value
// into the members of the probe.
func leaves(path string, s *shape, in func(string) string) []probe {
	var all []probe
	switch {
	case s.kind == structure && len(s.members) == 0:
		all = []probe{{path, in("{}")}}
	case s.kind == structure:
		for _, m := range s.members {
			all = append(all, leaves(path+"."+m.name, m.shape, func(value string) string { return in(with(s, m.name, value)) })...)
		}
	case s.kind == list:
		all = leaves(path, s.of, func(value string) string { return in("[" + value + "]") })
	case s.kind == mapping:
		all = []probe{{path, in(`{"k":` + least(s.of) + `}`)}}
	case s.enum != nil:
		for _, v := range s.enum {
			all = append(all, probe{path + "=" + v, in(quote(v))})
		}
	default:
		all = []probe{{path, in(least(s))}}
	}
	return all
}

// joined are members and more members, which take the place of those of the same name: a
// member given twice is no JSON that Firehose takes.
func joined(members, more string) string {
	all := more
	for _, m := range slices.Backward(strings.Split(members, ",")) {
		if name, _, _ := strings.Cut(m, ":"); !strings.HasPrefix(more, name+":") {
			all = m + "," + all
		}
	}
	return all
}

// destinations are the members of CreateDeliveryStream and UpdateDestination, without their
// ends, that name a destination.
var destinations = []string{"Redshift", "Elasticsearch", "Amazonopensearchservice", "AmazonOpenSearchServerless",
	"Splunk", "HttpEndpoint", "Snowflake", "Iceberg"}

// probesOf are the probes of an operation, in the order of the table.
func probesOf(operation string) []probe {
	named := `"DeliveryStreamName":"s"`
	switch operation {
	case "CreateDeliveryStream":
		return createProbes()
	case "UpdateDestination":
		return updateProbes()
	case "ListDeliveryStreams":
		return append([]probe{{"Limit", `"Limit":1`}, {"ExclusiveStartDeliveryStreamName", `"ExclusiveStartDeliveryStreamName":"a"`}},
			leaves("DeliveryStreamType", modelDeliveryStreamType, func(value string) string { return `"DeliveryStreamType":` + value })...)
	case "DeleteDeliveryStream":
		return []probe{{"DeliveryStreamName", named}, {"AllowForceDelete", named + `,"AllowForceDelete":true`}}
	case "DescribeDeliveryStream":
		return []probe{{"DeliveryStreamName", named}, {"Limit", named + `,"Limit":1`},
			{"ExclusiveStartDestinationId", named + `,"ExclusiveStartDestinationId":"x"`}}
	case "PutRecord":
		return []probe{{"DeliveryStreamName, Record.Data", named + `,"Record":{"Data":"eA=="}`}}
	case "PutRecordBatch":
		return []probe{{"DeliveryStreamName, Records", named + `,"Records":[{"Data":"eA=="}]`}}
	case "TagDeliveryStream":
		return []probe{{"DeliveryStreamName, Tags", named + `,"Tags":[{"Key":"k","Value":"v"}]`}}
	case "UntagDeliveryStream":
		return []probe{{"DeliveryStreamName, TagKeys", named + `,"TagKeys":["k"]`}}
	case "ListTagsForDeliveryStream":
		return []probe{{"DeliveryStreamName", named}, {"ExclusiveStartTagKey", named + `,"ExclusiveStartTagKey":"k"`}, {"Limit", named + `,"Limit":1`}}
	case "StartDeliveryStreamEncryption":
		key := named + `,"DeliveryStreamEncryptionConfigurationInput":{`
		return []probe{{"DeliveryStreamName", named}, {"KeyType=AWS_OWNED_CMK", key + `"KeyType":"AWS_OWNED_CMK"}`},
			{"KeyType=CUSTOMER_MANAGED_CMK, KeyARN", key + `"KeyType":"CUSTOMER_MANAGED_CMK","KeyARN":"arn:aws:kms:us-east-1:123456789012:key/k"}`}}
	case "StopDeliveryStreamEncryption":
		return []probe{{"DeliveryStreamName", named}}
	}
	return nil
}

func createProbes() []probe {
	legacy := `"S3DestinationConfiguration":{` + bucket + `}`
	all := []probe{
		{"DeliveryStreamName", legacy},
		{"DeliveryStreamType=DirectPut", legacy + `,"DeliveryStreamType":"DirectPut"`},
		{"DirectPutSourceConfiguration.ThroughputHintInMBs", legacy + `,"DirectPutSourceConfiguration":{"ThroughputHintInMBs":1}`},
		{"DeliveryStreamType=KinesisStreamAsSource, KinesisStreamSourceConfiguration", legacy + `,"DeliveryStreamType":"KinesisStreamAsSource","KinesisStreamSourceConfiguration":` +
			`{"KinesisStreamARN":"arn:aws:kinesis:us-east-1:123456789012:stream/k","RoleARN":"arn:aws:iam::123456789012:role/fh"}`},
		{"DeliveryStreamType=MSKAsSource, MSKSourceConfiguration", legacy + `,"DeliveryStreamType":"MSKAsSource","MSKSourceConfiguration":{}`},
		{"DeliveryStreamType=DatabaseAsSource, DatabaseSourceConfiguration", `"IcebergDestinationConfiguration":{},"DeliveryStreamType":"DatabaseAsSource","DatabaseSourceConfiguration":{}`},
		{"DeliveryStreamEncryptionConfigurationInput.KeyType=AWS_OWNED_CMK", legacy + `,"DeliveryStreamEncryptionConfigurationInput":{"KeyType":"AWS_OWNED_CMK"}`},
		{"DeliveryStreamEncryptionConfigurationInput.KeyARN", legacy + `,"DeliveryStreamEncryptionConfigurationInput":{"KeyType":"CUSTOMER_MANAGED_CMK","KeyARN":"arn:aws:kms:us-east-1:123456789012:key/k"}`},
		{"Tags", legacy + `,"Tags":[{"Key":"k","Value":"v"}]`},
	}
	within := func(name string, probes []probe) {
		for _, p := range probes {
			all = append(all, probe{name + "." + p.path, `"` + name + `":{` + joined(bucket, p.body) + `}`})
		}
	}
	within("S3DestinationConfiguration", s3Probes)
	within("ExtendedS3DestinationConfiguration", append(slices.Clone(s3Probes), extendedProbes("S3BackupConfiguration")...))
	for _, d := range destinations {
		all = append(all, probe{d + "DestinationConfiguration", `"` + d + `DestinationConfiguration":{}`})
	}
	for i := range all {
		all[i].body = `"DeliveryStreamName":"new",` + all[i].body
	}
	return all
}

func updateProbes() []probe {
	all := []probe{{"DeliveryStreamName, CurrentDeliveryStreamVersionId, DestinationId", `"S3DestinationUpdate":{}`}}
	for _, p := range s3Probes {
		all = append(all, probe{"S3DestinationUpdate." + p.path, `"S3DestinationUpdate":{` + p.body + `}`})
	}
	for _, p := range append(slices.Clone(s3Probes), extendedProbes("S3BackupUpdate")...) {
		all = append(all, probe{"ExtendedS3DestinationUpdate." + p.path, `"ExtendedS3DestinationUpdate":{` + p.body + `}`})
	}
	all = append(all, probe{"ExtendedS3DestinationUpdate.DynamicPartitioningConfiguration.Enabled=true, of a stream that is not partitioned",
		`"ExtendedS3DestinationUpdate":{"DynamicPartitioningConfiguration":{"Enabled":true}}`})
	for _, d := range destinations {
		all = append(all, probe{d + "DestinationUpdate", `"` + d + `DestinationUpdate":{}`})
	}
	for i := range all {
		all[i].body = `"DeliveryStreamName":"s","CurrentDeliveryStreamVersionId":"1","DestinationId":"destinationId-000000000001",` + all[i].body
	}
	return all
}
