package stream

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

const (
	role    = `"RoleARN":"arn:aws:iam::123456789012:role/fh"`
	table   = `"SchemaConfiguration":{` + role + `,"DatabaseName":"d","TableName":"t"}`
	openX   = `"InputFormatConfiguration":{"Deserializer":{"OpenXJsonSerDe":{}}}`
	parquet = `"OutputFormatConfiguration":{"Serializer":{"ParquetSerDe":{}}}`
)

// converting is a stream with these members of its conversion, and more of its own.
func converting(conversion, more string) string {
	return extended(`,"DataFormatConversionConfiguration":{` + conversion + `}` + more)
}

// partitioned is a stream with dynamic partitioning, these processors, and more members.
func partitioned(processors, more string) string {
	return extended(`,"DynamicPartitioningConfiguration":{"Enabled":true},"ProcessingConfiguration":{"Enabled":true,"Processors":[` + processors + `]}` + more)
}

const query = `{"Type":"MetadataExtraction","Parameters":[{"ParameterName":"JsonParsingEngine","ParameterValue":"JQ-1.6"},{"ParameterName":"MetadataExtractionQuery","ParameterValue":"ab"}]}`

// keyed are rules by which the prefix Q names the queried key q, L the key l of a function,
// and each letter of a query is a key that it yields; a question mark says that only records
// can tell.
func keyed() *Rules {
	r := anything()
	r.PrefixKeys = func(prefix string) (queried, function []string) {
		for _, c := range prefix {
			if c == 'L' {
				function = append(function, "l")
			} else {
				queried = append(queried, strings.ToLower(string(c)))
			}
		}
		return queried, function
	}
	r.Query = func(query string) ([]string, error) {
		switch query {
		case "":
			return nil, errors.New("the query is empty")
		case "?":
			return nil, nil
		}
		return strings.Split(query, ""), nil
	}
	r.Deserializer = func(d *Deserializer) error {
		if d.HiveJSON != nil && slices.Contains(d.HiveJSON.TimestampFormats, "bad") {
			return errors.New("One or more SerDe options are invalid")
		}
		return nil
	}
	r.Table = func(s *SchemaConfiguration) error {
		if *s.TableName == "missing" {
			return &Refusal{Message: "Table missing not found."}
		}
		return nil
	}
	return r
}

// The checks of spec sections 6.7 and 7.1, in their order.
func TestConversionAndPartitioningAreRefusedInTheSpecsWords(t *testing.T) {
	for _, c := range []struct{ config, want string }{
		{converting(``, `,"CompressionFormat":"GZIP"`), "The S3 destination's compression format must be set to UNCOMPRESSED when data format conversion is enabled. To enable compression within the converted output format, set the appropriate serialization option in the output format configuration."},
		{converting(``, `,"BufferingHints":{"SizeInMBs":63}`), "BufferingHints.SizeInMBs must be at least 64 when data format conversion is enabled."},
		{converting(``, ``), "InputFormatConfiguration must not be null"},
		{converting(openX, ``), "OutputFormatConfiguration must not be null"},
		{converting(openX+`,`+parquet, ``), "SchemaConfiguration must not be null"},
		{converting(`"InputFormatConfiguration":{},`+parquet+`,`+table, ``), "Deserializer must not be null"},
		{converting(openX+`,"OutputFormatConfiguration":{"Serializer":{}},`+table, ``), "Serializer must not be null"},
		{converting(`"InputFormatConfiguration":{"Deserializer":{"OpenXJsonSerDe":{},"HiveJsonSerDe":{}}},`+parquet+`,`+table, ``), "More than one deserializer specified. Only one may be chosen."},
		{converting(openX+`,"OutputFormatConfiguration":{"Serializer":{"ParquetSerDe":{},"OrcSerDe":{}}},`+table, ``), "More than one serializer specified. Only one may be chosen."},
		{converting(openX+`,`+parquet+`,"SchemaConfiguration":{}`, ``), "SchemaConfiguration.RoleArn must not be null or empty"},
		{converting(openX+`,`+parquet+`,"SchemaConfiguration":{`+role+`}`, ``), "SchemaConfiguration.DatabaseName must not be null or empty"},
		{converting(openX+`,`+parquet+`,"SchemaConfiguration":{`+role+`,"DatabaseName":"d"}`, ``), "SchemaConfiguration.TableName must not be null or empty"},
		{converting(openX+`,`+parquet+`,"SchemaConfiguration":{"RoleARN":"role","DatabaseName":"d","TableName":"t"}`, ``), "Invalid role ARN."},
		{converting(openX+`,`+parquet+`,"SchemaConfiguration":{"RoleARN":"arn:aws:iam::000000000000:role/r","DatabaseName":"d","TableName":"t"}`, ``), "Cross-account pass role is not allowed."},
		{converting(`"InputFormatConfiguration":{"Deserializer":{"HiveJsonSerDe":{"TimestampFormats":["bad"]}}},`+parquet+`,`+table, ``), "One or more SerDe options are invalid"},
		{converting(openX+`,`+parquet+`,"SchemaConfiguration":{`+role+`,"DatabaseName":"d","TableName":"missing"}`, ``), "Table missing not found."},

		{partitioned(query, `,"Prefix":"AB","BufferingHints":{"SizeInMBs":63}`), "BufferingHints.SizeInMBs must be at least 64 when Dynamic Partitioning is enabled."},
		{partitioned(query, `,"Prefix":"AB","BufferingHints":{"IntervalInSeconds":0}`), "BufferingHints.IntervalInSeconds must be at least 60 when Dynamic Partitioning is enabled."},
		{partitioned(query, `,"Prefix":"A"`), "MetaDataExtraction JQ Query can't contain keys that are not present in the S3 Prefix expression"},
		{partitioned(query, `,"Prefix":"ABC"`), "S3 Prefix expression can't contain the partition key c, which the MetaDataExtraction JQ Query does not yield"},
		{partitioned(strings.Replace(query, `"ab"`, `""`, 1), `,"Prefix":"A"`), "the query is empty"},
		{partitioned(strings.Replace(query, `"ab"`, `"?"`, 1), `,"Prefix":"LA"`), "partitionKeyFromLambda can only be part of a prefix expression when a Lambda processor is present."},
		{partitioned(function, `,"Prefix":"LA"`), "partitionKeyFromQuery can only be part of a prefix expression when a MetadataExtraction processor is present."},
		{partitioned(query+`,`+query, `,"Prefix":"AB"`), "Cannot have more than 1 MetadataExtraction processor."},
		{partitioned(unzip, ``), "A MetadataExtraction or Lambda processor is required when Dynamic Partitioning is enabled."},
		{extended(`,"DynamicPartitioningConfiguration":{"Enabled":true}`), "A MetadataExtraction or Lambda processor is required when Dynamic Partitioning is enabled."},
	} {
		err := parse(t, c.config).Check(keyed())
		var refusal *Refusal
		if !errors.As(err, &refusal) || refusal.Message != c.want {
			t.Errorf("%s\n got %v\nwant %s", c.config, err, c.want)
		}
	}
}

// What passes gets the defaults of large buffers; a setting allows small ones.
func TestLargeBuffersAreTheDefault(t *testing.T) {
	for _, c := range []struct {
		config string
		small  bool
		want   BufferingHints
	}{
		{converting(openX+`,`+parquet+`,`+table, ``), false, BufferingHints{128, 300}},
		{converting(`"Enabled":false`, ``), false, BufferingHints{5, 300}},
		{partitioned(query, `,"Prefix":"AB"`), false, BufferingHints{128, 300}},
		{partitioned(query+`,`+function, `,"Prefix":"ABL","BufferingHints":{"SizeInMBs":64,"IntervalInSeconds":60}`), false, BufferingHints{64, 60}},
		{partitioned(query, `,"Prefix":"AB","BufferingHints":{"SizeInMBs":1,"IntervalInSeconds":0}`), true, BufferingHints{1, 0}},
		{converting(openX+`,`+parquet+`,`+table, `,"BufferingHints":{"SizeInMBs":1}`), true, BufferingHints{1, 300}},
	} {
		rules := keyed()
		rules.SmallBuffers = c.small
		parsed := parse(t, c.config)
		if err := parsed.Check(rules); err != nil {
			t.Errorf("%s: %v", c.config, err)
			continue
		}
		if got := parsed.Destination().BufferingHints; got != c.want {
			t.Errorf("%s: %+v", c.config, got)
		}
	}
}

// An update that says the same again changes nothing: what was absent stays absent.
func TestTheSameConversionAgainIsNoChange(t *testing.T) {
	const all = `"DataFormatConversionConfiguration":{` + openX + `,` + parquet + `,` + table + `}`
	d, changed, err := updated(t, `,`+all, all)
	if err != nil || changed || d.Version != 1 || d.S3.Conversion.Enabled != nil {
		t.Fatalf("%+v, %v, %v", d.S3.Conversion, changed, err)
	}
}

// An update that enables conversion is checked against the buffer that is stored.
func TestConversionIsEnabledByAnUpdate(t *testing.T) {
	const all = `"DataFormatConversionConfiguration":{` + openX + `,` + parquet + `,` + table + `}`
	_, _, err := updated(t, ``, all)
	if err == nil || err.Error() != "BufferingHints.SizeInMBs must be at least 64 when data format conversion is enabled." {
		t.Fatal(err)
	}
	d, changed, err := updated(t, ``, all+`,"BufferingHints":{"SizeInMBs":64}`)
	if err != nil || !changed || !d.S3.Converts() {
		t.Fatalf("%+v, %v, %v", d.S3, changed, err)
	}
	if roles := d.S3.Roles(); len(roles) != 1 {
		t.Fatalf("roles %q", roles)
	}
}
