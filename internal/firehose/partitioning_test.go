package firehose

import (
	"fmt"
	"strings"
	"testing"
)

// The parts of partitioned destinations, and the words they are refused with.
const (
	on        = `"DynamicPartitioningConfiguration":{"Enabled":true}`
	failed    = `"ErrorOutputPrefix":"e/!{firehose:error-output-type}/"`
	queriedK  = `"Prefix":"!{partitionKeyFromQuery:k}/"`
	notInPath = "MetaDataExtraction JQ Query can't contain keys that are not present in the S3 Prefix expression"
	noSource  = "A MetadataExtraction or Lambda processor is required when Dynamic Partitioning is enabled."
	notQuery  = "partitionKeyFromQuery can only be part of a prefix expression when a MetadataExtraction processor is present."
	notLambda = "partitionKeyFromLambda can only be part of a prefix expression when a Lambda processor is present."
	fewMBs    = "BufferingHints.SizeInMBs must be at least 64 when Dynamic Partitioning is enabled."
	fewTime   = "BufferingHints.IntervalInSeconds must be at least 60 when Dynamic Partitioning is enabled."
	flat      = "S3 Prefix should contain Dynamic Partitioning namespaces when Dynamic Partitioning is enabled"
	noError   = "ErrorOutputPrefix cannot be null or empty when Prefix contains expressions"
	switched  = "Dynamic Partitioning can only be enabled or disabled when the Firehose is created."
	alone     = "class com.amazonaws.services.firehose.internal.model.%sProcessor can only be present when Dynamic Partitioning is enabled."
)

// jq is the processor of a query.
func jq(query string) string {
	return processor("MetadataExtraction", "MetadataExtractionQuery", query, "JsonParsingEngine", "JQ-1.6").body
}

// lambda is a function that may tell keys.
func lambda() string { return processor("Lambda", "LambdaArn", aFunction).body }

// through is a ProcessingConfiguration of these processors.
func through(processors ...string) string {
	return `"ProcessingConfiguration":{"Enabled":true,"Processors":[` + strings.Join(processors, ",") + `]}`
}

// all are members of a destination.
func all(members ...string) string { return strings.Join(members, ",") }

// manyKeys is a query of n keys.
func manyKeys(n int) string {
	pairs := make([]string, n)
	for i := range pairs {
		pairs[i] = fmt.Sprintf("k%d:.k", i)
	}
	return "{" + strings.Join(pairs, ",") + "}"
}

// refusedPartitions are destinations that break the rules of spec section 7.1. Prefixes come
// first, then processors, then what is left; one row shows it for each two.
var refusedPartitions = []struct{ members, want string }{
	{all(on, failed, `"Prefix":"flat/"`, through(jq("{k:.k}"))), flat},
	{all(on, failed, through(jq("{k:.k}"))), flat},
	{all(on, failed, `"Prefix":"!{timestamp:yyyy}/"`), flat},
	{all(on, queriedK, through(jq("{k:.k}"))), noError},
	{all(on, queriedK, `"ErrorOutputPrefix":""`, through(jq("{k:.k}"))), noError},
	{all(on, queriedK, `"ErrorOutputPrefix":"e/"`), "ErrorOutputPrefix must contain at least one occurrence of !{firehose:error-output-type}"},
	{all(on, queriedK, `"ErrorOutputPrefix":"!{firehose:error-output-type}/!{partitionKeyFromQuery:k}/"`), "Dynamic Partitioning Namespaces can't be part of an error prefix expression"},
	{all(failed, queriedK, through(jq("{k:.k}"))), "Dynamic Partitioning Namespaces can only be part of a prefix expression when Dynamic Partitioning is enabled."},
	{all(failed, `"Prefix":"!{partitionKeyFromLambda:k}/","DynamicPartitioningConfiguration":{"Enabled":false}`), "Dynamic Partitioning Namespaces can only be part of a prefix expression when Dynamic Partitioning is enabled."},

	{through(jq("{k:.k}")), fmt.Sprintf(alone, "MetadataExtraction")},
	{through(processor("RecordDeAggregation", "SubRecordType", "JSON").body), fmt.Sprintf(alone, "RecordDeAggregation")},
	{all(on, failed, queriedK, through(processor("MetadataExtraction", "MetadataExtractionQuery", "{k:.k}").body)), "MetaDataExtraction JSON Parsing Engine has to be one of JQ-1.6"},
	{all(on, failed, queriedK, through(processor("MetadataExtraction", "MetadataExtractionQuery", "{k:.k}", "JsonParsingEngine", "JQ-1.7").body)), "MetaDataExtraction JSON Parsing Engine has to be one of JQ-1.6"},
	{all(on, failed, queriedK, through(processor("RecordDeAggregation", "SubRecordType", "CSV").body, jq("{k:.k}"))), "SubRecordType has to be one of JSON, DELIMITED"},
	{all(on, failed, queriedK, through(processor("RecordDeAggregation", "SubRecordType", "DELIMITED").body, jq("{k:.k}"))), "Delimiter should be present for DELIMITED"},
	{all(on, failed, queriedK, through(jq("{k:.k,l:.l}"))), notInPath},
	{all(on, failed, queriedK, through(jq("{l:.l}"))), notInPath},
	{all(on, failed, queriedK, `"BufferingHints":{"SizeInMBs":1}`, through(jq("{k:.k,l:.l}"))), notInPath},
	{all(on, failed, `"Prefix":"!{partitionKeyFromLambda:k}/"`, through(jq("{k:.k}"), lambda())), notInPath},
	{all(on, failed, `"Prefix":"!{partitionKeyFromQuery:k}/!{partitionKeyFromQuery:l}/"`, through(jq("{k:.k}"))),
		"S3 Prefix expression can't contain the partition key l, which the MetaDataExtraction JQ Query does not yield"},
	{all(on, failed, queriedK, through(processor("MetadataExtraction", "JsonParsingEngine", "JQ-1.6").body)), "invalid MetadataExtractionQuery: it is empty"},
	{all(on, failed, queriedK, through(jq("{"))), "invalid MetadataExtractionQuery: unexpected EOF"},
	{all(on, failed, queriedK, through(jq(manyKeys(51)))), "invalid MetadataExtractionQuery: it yields 51 keys, more than 50"},

	{all(on, failed, queriedK, `"BufferingHints":{"SizeInMBs":63,"IntervalInSeconds":0}`), fewMBs},
	{all(on, failed, queriedK, `"BufferingHints":{"SizeInMBs":64,"IntervalInSeconds":59}`), fewTime},
	{all(on, failed, queriedK, `"BufferingHints":{"IntervalInSeconds":0}`, through(jq("{k:.k}"))), fewTime},
	{all(on, failed, queriedK), noSource},
	{all(on, failed, queriedK, through(processor("AppendDelimiterToRecord", "Delimiter", `\\n`).body)), noSource},
	{all(on, failed, queriedK, strings.Replace(through(jq("{k:.k}")), "true", "false", 1)), noSource},
	{all(on, failed, queriedK, through(lambda())), notQuery},
	{all(on, failed, `"Prefix":"!{partitionKeyFromQuery:k}/!{partitionKeyFromLambda:l}/"`, through(jq("{k:.k}"))), notLambda},
}

func TestPartitionsAreRefusedInTheWordsOfTheSpec(t *testing.T) {
	w := newJudgedWorld(t)
	for _, c := range refusedPartitions {
		w.check("CreateDeliveryStream", []exchange{{extended("s", c.members), "InvalidArgumentException", c.want}})
	}
	const retries = `"DynamicPartitioningConfiguration":{"Enabled":true,"RetryOptions":{"DurationInSeconds":%d}}`
	const at = "extendedS3DestinationConfiguration.dynamicPartitioningConfiguration.retryOptions.durationInSeconds"
	w.check("CreateDeliveryStream", []exchange{
		{extended("s", fmt.Sprintf(retries, -1)), "ValidationException", broken(at, "Member must have value greater than or equal to 0")},
		{extended("s", fmt.Sprintf(retries, 7201)), "ValidationException", broken(at, "Member must have value less than or equal to 7200")},
		// The legacy shape has no partitions: to its clients they are an unknown member.
		{`{"DeliveryStreamName":"s","S3DestinationConfiguration":{` + all(bucket, on, failed, queriedK) + `}}`, "InvalidArgumentException",
			"Dynamic Partitioning Namespaces can only be part of a prefix expression when Dynamic Partitioning is enabled."},
	})
	if n := len(w.streams.All()); n != 0 {
		t.Errorf("%d streams were made", n)
	}
}

// partitionedStream makes stream s, which is partitioned by a key of its query and one of its
// function.
func (w *world) partitionedStream() {
	w.t.Helper()
	w.made("s", `"ExtendedS3DestinationConfiguration":{`+all(bucket, on, failed, `"Prefix":"!{partitionKeyFromQuery:k}/!{partitionKeyFromLambda:l}/"`,
		through(jq("{k:.k}"), lambda()))+`}`)
}

// An update is judged together with what it leaves as it is.
func TestAnUpdateOfPartitionsIsJudgedAsAWhole(t *testing.T) {
	w := newJudgedWorld(t)
	w.partitionedStream()
	const queriedKL = `"Prefix":"!{partitionKeyFromQuery:k}/!{partitionKeyFromQuery:l}/"`
	for _, c := range []struct{ members, want string }{
		{`"DynamicPartitioningConfiguration":{"Enabled":false}`, switched},
		{`"DynamicPartitioningConfiguration":{"Enabled":false},"Prefix":"flat/"`, switched},
		{`"Prefix":"flat/"`, flat},
		{`"Prefix":""`, flat},
		{`"ErrorOutputPrefix":""`, noError},
		{`"ErrorOutputPrefix":"!{firehose:error-output-type}/!{partitionKeyFromLambda:l}/"`, "Dynamic Partitioning Namespaces can't be part of an error prefix expression"},
		{`"Prefix":"!{partitionKeyFromLambda:l}/"`, notInPath},
		{queriedKL, "S3 Prefix expression can't contain the partition key l, which the MetaDataExtraction JQ Query does not yield"},
		{through(jq("{k:.k,l:.l}"), lambda()), notInPath},
		{through(jq("{}"), lambda()), "S3 Prefix expression can't contain the partition key k, which the MetaDataExtraction JQ Query does not yield"},
		{through(jq("{k:.k}")), notLambda},
		{through(lambda()), notQuery},
		{`"ProcessingConfiguration":{"Enabled":false}`, noSource},
		{`"ProcessingConfiguration":{}`, "A maximum of 5 and a minimum of 1 processor needs to be supplied when processing is enabled."},
		{`"BufferingHints":{"SizeInMBs":63}`, fewMBs},
		{`"BufferingHints":{"IntervalInSeconds":0}`, fewTime},
	} {
		w.check("UpdateDestination", []exchange{{changes("1", c.members), "InvalidArgumentException", c.want}})
	}
	w.check("UpdateDestination", []exchange{
		{update("1", `,"S3DestinationUpdate":{"Prefix":"flat/"}`), "InvalidArgumentException", flat},
		{update("1", `,"S3DestinationUpdate":{"DynamicPartitioningConfiguration":{"Enabled":false}}`), "", `{}`}, // an unknown member
		{changes("1", on), "", `{}`},
		{changes("1", `"DynamicPartitioningConfiguration":{}`), "", `{}`}, // neither was a change
		{changes("1", all(queriedKL, through(jq("{k:.k,l:.l}")))), "", `{}`},
		{changes("2", `"BufferingHints":{"SizeInMBs":64,"IntervalInSeconds":60}`), "", `{}`},
	})
	w.shows("s", "Prefix", `"!{partitionKeyFromQuery:k}/!{partitionKeyFromQuery:l}/"`)
	w.shows("s", "BufferingHints", `{"SizeInMBs":64,"IntervalInSeconds":60}`)
}

func TestPartitioningCanNotBeEnabledLater(t *testing.T) {
	for _, had := range []string{``, `,"DynamicPartitioningConfiguration":{"Enabled":false,"RetryOptions":{"DurationInSeconds":1}}`} {
		w := newJudgedWorld(t)
		w.made("s", `"ExtendedS3DestinationConfiguration":{`+bucket+had+`}`)
		w.check("UpdateDestination", []exchange{
			{changes("1", on), "InvalidArgumentException", switched},
			{changes("1", all(on, failed, queriedK, through(jq("{k:.k}")))), "InvalidArgumentException", switched},
			{changes("1", all(failed, queriedK)), "InvalidArgumentException",
				"Dynamic Partitioning Namespaces can only be part of a prefix expression when Dynamic Partitioning is enabled."},
			{changes("1", through(jq("{k:.k}"))), "InvalidArgumentException", fmt.Sprintf(alone, "MetadataExtraction")},
		})
	}
}

// shownOn is on with the default of section 2.3.
const shownOn = `{"Enabled":true,"RetryOptions":{"DurationInSeconds":300}}`

// showsAll asserts that Describe shows members as they were sent, and the default of retries.
func (w *world) showsAll(name, members string) {
	w.t.Helper()
	for member, value := range membersOf(w.t, members) {
		if value == `{"Enabled":true}` {
			value = shownOn
		}
		w.shows(name, member, value)
	}
}

// What is taken comes back as it was sent, but for the parameters of a function.
func TestPartitionsComeBackAsTheyWereSent(t *testing.T) {
	w := newJudgedWorld(t)
	deAggregated := through(processor("RecordDeAggregation", "Delimiter", "IyMjIw==", "SubRecordType", "DELIMITED").body, jq(`{k:.k|ascii_downcase}`))
	for i, members := range []string{
		all(on, failed, queriedK, through(jq("{k:.k}"))),
		all(on, failed, queriedK, deAggregated),
		all(on, failed, queriedK, through(jq(".keys"))), // only a record can tell its keys
		all(`"DynamicPartitioningConfiguration":{"Enabled":true,"RetryOptions":{"DurationInSeconds":0}}`, failed, queriedK, through(jq("{k:.k}"))),
		all(`"DynamicPartitioningConfiguration":{"Enabled":true,"RetryOptions":{"DurationInSeconds":7200}}`, failed,
			`"Prefix":"!{partitionKeyFromQuery:k}/!{timestamp:yyyy/MM/dd}/!{partitionKeyFromQuery:k}/"`, through(jq("{k:.k}"))),
		all(`"DynamicPartitioningConfiguration":{"Enabled":false,"RetryOptions":{"DurationInSeconds":300}}`, failed, `"Prefix":"flat/"`, strings.Replace(through(jq("bad")), "true", "false", 1)),
	} {
		name := fmt.Sprint("s", i)
		w.do("CreateDeliveryStream", extended(name, members))
		w.showsAll(name, members)
	}
	w.partitionedStream()
	w.shows("s", "DynamicPartitioningConfiguration", shownOn)
	w.do("UpdateDestination", changes("1", `"DynamicPartitioningConfiguration":{"RetryOptions":{"DurationInSeconds":60}}`))
	w.shows("s", "DynamicPartitioningConfiguration", `{"Enabled":true,"RetryOptions":{"DurationInSeconds":60}}`)
}

// Rows can have partitions, and each keeps its own rules (spec section 7.1).
func TestRowsMayBePartitioned(t *testing.T) {
	w := newJudgedWorld(t)
	last := steps[len(steps)-1]
	both := all(on, failed, queriedK, through(jq("{k:.k}")), last.members("true"))
	w.check("CreateDeliveryStream", []exchange{
		{extended("s", strings.Replace(both, `"SizeInMBs":64`, `"SizeInMBs":63`, 1)), "InvalidArgumentException", steps[1].want}, // conversion is looked at first
		{extended("s", strings.Replace(both, `"SizeInMBs":64`, `"SizeInMBs":64,"IntervalInSeconds":0`, 1)), "InvalidArgumentException", fewTime},
		{extended("s", strings.Replace(both, `"t"`, `"missing"`, 1)), "InvalidArgumentException", "Table missing not found."},
	})
	w.made("s", `"ExtendedS3DestinationConfiguration":{`+bucket+`,`+both+`}`)
	w.showsAll("s", all(on, failed, queriedK, strings.Replace(last.members("true"), last.beside+",", "", 1)))
	description := w.do("DescribeDeliveryStream", `{"DeliveryStreamName":"s"}`)
	for _, member := range []string{"DataFormatConversionConfiguration", "DynamicPartitioningConfiguration"} {
		if n := strings.Count(description, member); n != 1 {
			t.Errorf("%s is shown %d times: the legacy shape does not have it", member, n)
		}
	}
	w.check("UpdateDestination", []exchange{
		{changes("1", `"DataFormatConversionConfiguration":{"Enabled":false}`), "", `{}`},
		{changes("2", `"BufferingHints":{"SizeInMBs":5}`), "InvalidArgumentException", fewMBs},
		{changes("2", `"CompressionFormat":"GZIP"`), "", `{}`},
		{changes("3", `"DataFormatConversionConfiguration":{}`), "InvalidArgumentException", steps[0].want},
	})
}
