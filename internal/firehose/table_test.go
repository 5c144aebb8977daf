package firehose

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// updateEnv makes the test write the table instead of comparing it.
const updateEnv = "HYDRANT_UPDATE_DOCS"

// A probe is a request with one member of interest.
type probe struct{ path, body string }

// s3Probes are the members of an S3 destination, each in a value that Firehose takes.
var s3Probes = []probe{
	{"RoleARN", `"RoleARN":"arn:aws:iam::123456789012:role/other"`},
	{"BucketARN", `"BucketARN":"arn:aws:s3:::other"`},
	{"Prefix", `"Prefix":"p/"`},
	{"ErrorOutputPrefix", `"ErrorOutputPrefix":"e/!{firehose:error-output-type}/"`},
	{"BufferingHints.SizeInMBs", `"BufferingHints":{"SizeInMBs":1}`},
	{"BufferingHints.IntervalInSeconds", `"BufferingHints":{"IntervalInSeconds":0}`},
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

// extendedProbes are those that only the extended shape has; %s is the backup's name.
var extendedProbes = []probe{
	{"ProcessingConfiguration.Enabled=false", `"ProcessingConfiguration":{"Enabled":false,"Processors":[{"Type":"Lambda","Parameters":[]}]}`},
	{"ProcessingConfiguration.Enabled=true", `"ProcessingConfiguration":{"Enabled":true,"Processors":[{"Type":"AppendDelimiterToRecord","Parameters":[]}]}`},
	{"S3BackupMode=Disabled", `"S3BackupMode":"Disabled"`},
	{"S3BackupMode=Enabled", `"S3BackupMode":"Enabled","%s":{` + bucket + `}`},
	{"%s", `"%s":{` + bucket + `}`},
	{"DataFormatConversionConfiguration.Enabled=false", `"DataFormatConversionConfiguration":{"Enabled":false}`},
	{"DataFormatConversionConfiguration.Enabled=true", `"DataFormatConversionConfiguration":{"Enabled":true}`},
	{"DynamicPartitioningConfiguration.Enabled=false", `"DynamicPartitioningConfiguration":{"Enabled":false}`},
	{"DynamicPartitioningConfiguration.Enabled=true", `"DynamicPartitioningConfiguration":{"Enabled":true}`},
	{"DynamicPartitioningConfiguration.RetryOptions", `"DynamicPartitioningConfiguration":{"Enabled":false,"RetryOptions":{"DurationInSeconds":0}}`},
	{"FileExtension", `"FileExtension":".log"`},
	{"CustomTimeZone", `"CustomTimeZone":"Asia/Tokyo"`},
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
		return []probe{{"Limit", `"Limit":1`}, {"DeliveryStreamType", `"DeliveryStreamType":"DirectPut"`},
			{"ExclusiveStartDeliveryStreamName", `"ExclusiveStartDeliveryStreamName":"a"`}}
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
	within := func(name, required string, probes []probe) {
		for _, p := range probes {
			// A member given twice is no JSON that Firehose takes.
			had := required
			for _, r := range strings.Split(required, ",") {
				if member, _, _ := strings.Cut(p.body, ":"); strings.HasPrefix(r, member+":") {
					had = strings.Trim(strings.ReplaceAll(strings.ReplaceAll(required, r, ""), ",,", ","), ",")
				}
			}
			all = append(all, probe{name + "." + p.path, `"` + name + `":{` + had + `,` + p.body + `}`})
		}
	}
	within("S3DestinationConfiguration", bucket, s3Probes)
	within("ExtendedS3DestinationConfiguration", bucket, append(slices.Clone(s3Probes), backupNamed("S3BackupConfiguration")...))
	for _, d := range destinations {
		all = append(all, probe{d + "DestinationConfiguration", `"` + d + `DestinationConfiguration":{}`})
	}
	for i := range all {
		all[i].body = `"DeliveryStreamName":"new",` + all[i].body
	}
	return all
}

func updateProbes() []probe {
	var all []probe
	for _, p := range s3Probes {
		all = append(all, probe{"S3DestinationUpdate." + p.path, `"S3DestinationUpdate":{` + p.body + `}`})
	}
	for _, p := range append(slices.Clone(s3Probes), backupNamed("S3BackupUpdate")...) {
		all = append(all, probe{"ExtendedS3DestinationUpdate." + p.path, `"ExtendedS3DestinationUpdate":{` + p.body + `}`})
	}
	for _, d := range destinations {
		all = append(all, probe{d + "DestinationUpdate", `"` + d + `DestinationUpdate":{}`})
	}
	for i := range all {
		all[i].body = `"DeliveryStreamName":"s","CurrentDeliveryStreamVersionId":"1","DestinationId":"destinationId-000000000001",` + all[i].body
	}
	return all
}

// backupNamed are the extended probes with the name that the backup has in the operation.
func backupNamed(name string) []probe {
	all := slices.Clone(extendedProbes)
	for i := range all {
		all[i].path, all[i].body = strings.ReplaceAll(all[i].path, "%s", name), strings.ReplaceAll(all[i].body, "%s", name)
	}
	return all
}

// state is what the API does with a probe.
func (w *world) state(operation string, p probe) string {
	status, body := w.call("ALICE", operation, "{"+p.body+"}")
	if status == 200 {
		return "taken"
	}
	code, message := failure(w.t, body)
	switch {
	case code == "InvalidArgumentException" && strings.HasSuffix(message, "is not supported by this version of Hydrant."):
		return "refused: " + message
	case code == "InvalidArgumentException" && (strings.HasPrefix(message, "Changing the destination type") ||
		strings.HasPrefix(message, "Dynamic Partitioning can only be enabled")):
		return "refused, as Firehose does: " + message
	}
	w.t.Errorf("%s %s: %d %s", operation, p.body, status, body)
	return "missing"
}

// TestTheConformanceTableIsTrue makes docs/conformance.md: each row is a request that was made.
func TestTheConformanceTableIsTrue(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Conformance\n\nWhat this version does with each member of each operation of the Firehose API. The table is made by\n" +
		"the tests of `internal/firehose`: each row is a request that was made.\n")
	counts := map[string]int{}
	for operation := range strings.FieldsSeq("CreateDeliveryStream DeleteDeliveryStream DescribeDeliveryStream ListDeliveryStreams " +
		"ListTagsForDeliveryStream PutRecord PutRecordBatch StartDeliveryStreamEncryption StopDeliveryStreamEncryption " +
		"TagDeliveryStream UntagDeliveryStream UpdateDestination") {
		fmt.Fprintf(&b, "\n## %s\n\n| Member | State |\n|---|---|\n", operation)
		for _, p := range probesOf(operation) {
			w := newWorld(t)
			w.active("s")
			state := w.state(operation, p)
			kind, _, _ := strings.Cut(state, ":")
			counts[kind]++
			fmt.Fprintf(&b, "| `%s` | %s |\n", p.path, state)
		}
	}
	fmt.Fprintf(&b, "\n%d members are taken, %d refused by name, and %d refused because Firehose refuses them.\n",
		counts["taken"], counts["refused"], counts["refused, as Firehose does"])
	path := filepath.Join("..", "..", "docs", "conformance.md")
	if os.Getenv(updateEnv) != "" {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != b.String() {
		t.Errorf("docs/conformance.md is not what the API does (%v): run %s=1 go test ./internal/firehose", err, updateEnv)
	}
}
