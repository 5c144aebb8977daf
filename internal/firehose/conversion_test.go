package firehose

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"hydrant/internal/batch"
	"hydrant/internal/encode/serde"
	"hydrant/internal/process/extract"
	"hydrant/internal/stream"
)

// newJudgedWorld is a world in which prefixes, queries and formats are judged as in a node.
// Of tables it knows all but one.
func newJudgedWorld(t testing.TB) *world {
	w := newWorld(t)
	w.judges = fakeRules()
	w.judges.Prefixes, w.judges.PrefixKeys = batch.CheckPrefixes, batch.Keys
	w.judges.Deserializer = func(d *stream.Deserializer) error {
		if d.HiveJSON != nil {
			return serde.CheckTimestampFormats(d.HiveJSON.TimestampFormats)
		}
		return serde.CheckMappings(d.OpenXJSON.KeyMappings)
	}
	w.judges.Query = func(query string) ([]string, error) {
		e, err := extract.New(query, "JQ-1.6", clock)
		if err != nil {
			return nil, err
		}
		return e.Keys(), nil
	}
	return w
}

// extended is a CreateDeliveryStream with these members of its destination.
func extended(name, members string) string {
	return `{"DeliveryStreamName":"` + name + `","ExtendedS3DestinationConfiguration":{` + joined(bucket, members) + `}}`
}

// changes is an UpdateDestination of stream s with these members of its destination.
func changes(version, members string) string {
	return update(version, `,"ExtendedS3DestinationUpdate":{`+members+`}`)
}

// shown is a member of a stream's extended S3 destination as Describe has it, and whether it
// has it.
func (w *world) shown(name, member string) (string, bool) {
	w.t.Helper()
	var out struct {
		DeliveryStreamDescription struct {
			Destinations []struct {
				ExtendedS3DestinationDescription map[string]jsontext.Value
			}
		}
	}
	if err := json.Unmarshal([]byte(w.do("DescribeDeliveryStream", `{"DeliveryStreamName":"`+name+`"}`)), &out); err != nil {
		w.t.Fatal(err)
	}
	value, ok := out.DeliveryStreamDescription.Destinations[0].ExtendedS3DestinationDescription[member]
	return string(value), ok
}

// shows fails the test if Describe does not have the member so; an empty want is an absent
// member.
func (w *world) shows(name, member, want string) {
	w.t.Helper()
	got, ok := w.shown(name, member)
	switch {
	case ok != (want != ""):
		w.t.Errorf("%s of %s is %s, want %s", member, name, got, want)
	case ok && canonical(w.t, got) != canonical(w.t, want):
		w.t.Errorf("%s of %s is\n%s, want\n%s", member, name, got, want)
	}
}

// membersOf are the members of an object, without its braces, by their names.
func membersOf(t testing.TB, members string) map[string]string {
	t.Helper()
	var values map[string]jsontext.Value
	if err := json.Unmarshal([]byte("{"+members+"}"), &values); err != nil {
		t.Fatalf("%s: %v", members, err)
	}
	all := map[string]string{}
	for name, value := range values {
		all[name] = string(value)
	}
	return all
}

// A step has members of a destination and members of its conversion, all but Enabled. It
// mends what the step before was refused for.
type step struct{ beside, conversion, code, want string }

// steps lead from a conversion with which everything is wrong to one that is taken, in the
// order of spec section 6.7.
var steps = func() []step {
	const (
		invalid = "InvalidArgumentException"
		small   = `"BufferingHints":{"SizeInMBs":63}`
		large   = `"BufferingHints":{"SizeInMBs":64}`
		inputs  = `"InputFormatConfiguration":{"Deserializer":{"OpenXJsonSerDe":{},"HiveJsonSerDe":{"TimestampFormats":["yyyy-MM-dd","q"]}}}`
		hive    = `"InputFormatConfiguration":{"Deserializer":{"HiveJsonSerDe":{"TimestampFormats":["yyyy-MM-dd","q"]}}}`
		openX   = `"InputFormatConfiguration":{"Deserializer":{"OpenXJsonSerDe":{}}}`
		outputs = `,"OutputFormatConfiguration":{"Serializer":{"ParquetSerDe":{},"OrcSerDe":{}}}`
		orc     = `,"OutputFormatConfiguration":{"Serializer":{"OrcSerDe":{}}}`
		nobody  = `"RoleARN":"fh"`
		other   = `"RoleARN":"arn:aws:iam::000000000000:role/fh"`
		own     = `"RoleARN":"arn:aws:iam::123456789012:role/fh"`
	)
	schema := func(members string) string { return `,"SchemaConfiguration":{` + members + `}` }
	return []step{
		{`"CompressionFormat":"GZIP",` + small, ``, invalid, "The S3 destination's compression format must be set to UNCOMPRESSED when data format conversion is enabled. " +
			"To enable compression within the converted output format, set the appropriate serialization option in the output format configuration."},
		{`"CompressionFormat":"UNCOMPRESSED",` + small, ``, invalid, "BufferingHints.SizeInMBs must be at least 64 when data format conversion is enabled."},
		{large, ``, invalid, "InputFormatConfiguration must not be null"},
		{large, `"InputFormatConfiguration":{}`, invalid, "OutputFormatConfiguration must not be null"},
		{large, `"InputFormatConfiguration":{},"OutputFormatConfiguration":{}`, invalid, "SchemaConfiguration must not be null"},
		{large, `"InputFormatConfiguration":{},"OutputFormatConfiguration":{}` + schema(``), invalid, "Deserializer must not be null"},
		{large, `"InputFormatConfiguration":{"Deserializer":{}},"OutputFormatConfiguration":{"Serializer":{}}` + schema(``), invalid, "Deserializer must not be null"},
		{large, inputs + `,"OutputFormatConfiguration":{}` + schema(``), invalid, "Serializer must not be null"},
		{large, inputs + `,"OutputFormatConfiguration":{"Serializer":{}}` + schema(``), invalid, "Serializer must not be null"},
		{large, inputs + outputs + schema(``), invalid, "More than one deserializer specified. Only one may be chosen."},
		{large, hive + outputs + schema(``), invalid, "More than one serializer specified. Only one may be chosen."},
		{large, hive + orc + schema(``), invalid, "SchemaConfiguration.RoleArn must not be null or empty"},
		{large, hive + orc + schema(nobody), invalid, "SchemaConfiguration.DatabaseName must not be null or empty"},
		{large, hive + orc + schema(nobody+`,"DatabaseName":"d"`), invalid, "SchemaConfiguration.TableName must not be null or empty"},
		{large, hive + orc + schema(nobody+`,"DatabaseName":"d","TableName":"missing"`), "InvalidParameterValueException", "Invalid role ARN."},
		{large, hive + orc + schema(other+`,"DatabaseName":"d","TableName":"missing"`), invalid, "Cross-account pass role is not allowed."},
		{large, hive + orc + schema(own+`,"DatabaseName":"d","TableName":"missing"`), invalid,
			"One or more SerDe options are invalid for org.apache.hcatalog.data.JsonSerDe: [Key: timestamp.formats, Value: q, Reason: Illegal pattern component: q]"},
		{large, openX + orc + schema(own+`,"DatabaseName":"d","TableName":"missing"`), invalid, "Table missing not found."},
		{large, openX + orc + schema(own+`,"DatabaseName":"d","TableName":"t"`), "", ""},
	}
}()

// members are those of the step's destination.
func (s step) members(enabled string) string {
	inner := s.conversion
	if enabled != "" {
		inner = strings.TrimSuffix(`"Enabled":`+enabled+`,`+inner, ",")
	}
	return s.beside + `,"DataFormatConversionConfiguration":{` + inner + `}`
}

// What has no Enabled counts as enabled.
func TestConversionIsJudgedInTheOrderOfTheSpec(t *testing.T) {
	for _, enabled := range []string{"", "true"} {
		t.Run("enabled="+enabled, func(t *testing.T) {
			w := newJudgedWorld(t)
			w.active("s")
			for _, s := range steps {
				made, changed := s.want, s.want
				if s.code == "" {
					made, changed = `{"DeliveryStreamARN":"arn:aws:firehose:us-east-1:123456789012:deliverystream/new"}`, `{}`
				}
				w.check("CreateDeliveryStream", []exchange{{extended("new", s.members(enabled)), s.code, made}})
				w.check("UpdateDestination", []exchange{{changes("1", s.members(enabled)), s.code, changed}})
			}
			if d, _ := w.streams.Get("s"); d.Version != 2 {
				t.Errorf("after one update that was taken, the version is %d", d.Version)
			}
		})
	}
}

func TestConversionThatIsNotEnabledIsStoredUnjudged(t *testing.T) {
	w := newJudgedWorld(t)
	for i, s := range steps {
		name := fmt.Sprint("s", i)
		w.do("CreateDeliveryStream", extended(name, s.members("false")))
		w.shows(name, "DataFormatConversionConfiguration", "{"+strings.TrimSuffix(`"Enabled":false,`+s.conversion, ",")+"}")
	}
}

// Whatever is stored wrong while conversion is off is judged by the update that enables it.
func TestAnUpdateThatEnablesConversionIsJudgedWithWhatIsStored(t *testing.T) {
	const enable = `"DataFormatConversionConfiguration":{}`
	for _, s := range steps {
		w := newJudgedWorld(t)
		w.made("s", strings.TrimSuffix(strings.TrimPrefix(extended("s", s.members("false")), `{"DeliveryStreamName":"s",`), "}"))
		want := s.want
		if s.code == "" {
			want = `{}`
		}
		w.check("UpdateDestination", []exchange{{changes("1", enable), s.code, want}})
	}
}

// everyOption is a conversion with a value of each option that one conversion can have.
func everyOption(deserializer, serializer string) string {
	return `{"Enabled":true,"InputFormatConfiguration":{"Deserializer":` + deserializer + `},"OutputFormatConfiguration":{"Serializer":` + serializer + `},
		"SchemaConfiguration":{"RoleARN":"arn:aws:iam::123456789012:role/fh","CatalogId":"123456789012","DatabaseName":"d","TableName":"t","Region":"us-east-1","VersionId":"LATEST"}}`
}

// Serializer and deserializer options get no defaults (spec section 2.3).
func TestConversionComesBackAsItWasSent(t *testing.T) {
	w := newJudgedWorld(t)
	for i, c := range []string{
		everyOption(`{"OpenXJsonSerDe":{}}`, `{"ParquetSerDe":{}}`),
		everyOption(`{"HiveJsonSerDe":{}}`, `{"OrcSerDe":{}}`),
		everyOption(`{"HiveJsonSerDe":{"TimestampFormats":["millis","yyyy-MM-dd"]}}`,
			`{"ParquetSerDe":{"BlockSizeBytes":67108864,"PageSizeBytes":65536,"Compression":"GZIP","EnableDictionaryCompression":false,"MaxPaddingBytes":0,"WriterVersion":"V2"}}`),
		everyOption(`{"OpenXJsonSerDe":{"ConvertDotsInJsonKeysToUnderscores":false,"CaseInsensitive":true,"ColumnToJsonKeyMappings":{"ts":"time.stamp","id":"Id"}}}`,
			`{"OrcSerDe":{"StripeSizeBytes":8388608,"BlockSizeBytes":67108864,"RowIndexStride":1000,"EnablePadding":false,"PaddingTolerance":0,"Compression":"NONE",
			"BloomFilterColumns":["id","ts"],"BloomFilterFalsePositiveProbability":0.05,"DictionaryKeyThreshold":1,"FormatVersion":"V0_11"}}`),
		strings.Replace(everyOption(`{"OpenXJsonSerDe":{}}`, `{"ParquetSerDe":{}}`), `"Enabled":true,`, ``, 1),
	} {
		made, changed := fmt.Sprint("made", i), "s"
		w.do("CreateDeliveryStream", extended(made, `"DataFormatConversionConfiguration":`+c))
		w.shows(made, "DataFormatConversionConfiguration", c)
		if !strings.Contains(c, `"Enabled"`) {
			continue // an update that says nothing of it enables conversion
		}
		v := newJudgedWorld(t)
		v.active(changed)
		v.do("UpdateDestination", changes("1", `"BufferingHints":{"SizeInMBs":128},"DataFormatConversionConfiguration":`+c))
		v.shows(changed, "DataFormatConversionConfiguration", c)
	}
}

// The legacy shape has no conversion: to its clients that is an unknown member.
func TestTheLegacyShapeDoesNotConvert(t *testing.T) {
	w := newJudgedWorld(t)
	w.made("s", `"S3DestinationConfiguration":{`+bucket+`,"DataFormatConversionConfiguration":{}}`)
	w.shows("s", "DataFormatConversionConfiguration", "")
	w.do("UpdateDestination", update("1", `,"S3DestinationUpdate":{"DataFormatConversionConfiguration":{}}`))
	w.shows("s", "DataFormatConversionConfiguration", "")
}

// Parts are replaced whole, but the names of the table one by one (spec section 2.7.2).
func TestAnUpdateOfConversionIsMergedMemberByMember(t *testing.T) {
	w := newJudgedWorld(t)
	w.made("s", `"ExtendedS3DestinationConfiguration":{`+bucket+`,"DataFormatConversionConfiguration":`+
		everyOption(`{"OpenXJsonSerDe":{"CaseInsensitive":false}}`, `{"OrcSerDe":{"Compression":"ZLIB"}}`)+`}`)
	merged := func(enabled, output, version string) string {
		return `{"Enabled":` + enabled + `,"InputFormatConfiguration":{"Deserializer":{"OpenXJsonSerDe":{"CaseInsensitive":false}}},"OutputFormatConfiguration":{"Serializer":` + output + `},
			"SchemaConfiguration":{"RoleARN":"arn:aws:iam::123456789012:role/fh","CatalogId":"123456789012","DatabaseName":"d","TableName":"t","Region":"us-east-1","VersionId":"` + version + `"}}`
	}
	for i, c := range []struct{ update, want string }{
		{`{"SchemaConfiguration":{"VersionId":"7"}}`, merged("true", `{"OrcSerDe":{"Compression":"ZLIB"}}`, "7")},
		{`{"OutputFormatConfiguration":{"Serializer":{"ParquetSerDe":{}}}}`, merged("true", `{"ParquetSerDe":{}}`, "7")},
		{`{"Enabled":false}`, merged("false", `{"ParquetSerDe":{}}`, "7")},
		{`{"SchemaConfiguration":{"VersionId":"8"}}`, merged("true", `{"ParquetSerDe":{}}`, "8")},
	} {
		w.do("UpdateDestination", changes(fmt.Sprint(i+1), `"DataFormatConversionConfiguration":`+c.update))
		w.shows("s", "DataFormatConversionConfiguration", c.want)
	}
	w.check("UpdateDestination", []exchange{
		{changes("5", `"DataFormatConversionConfiguration":{"SchemaConfiguration":{"TableName":"missing"}}`), "InvalidArgumentException", "Table missing not found."},
		{changes("5", `"CompressionFormat":"ZIP"`), "InvalidArgumentException", steps[0].want},
		{changes("5", `"BufferingHints":{"SizeInMBs":5}`), "InvalidArgumentException", steps[1].want},
		{changes("5", `"DataFormatConversionConfiguration":{"Enabled":true}`), "", `{}`},
		{changes("5", ``), "", `{}`}, // neither was a change
	})
}

// Spec section 3.2: what collects rows or partitions has large buffers, unless it is said.
func TestTheDefaultsOfBuffersAreThoseOfTheirContents(t *testing.T) {
	w := newJudgedWorld(t)
	off := strings.Replace(converting("Enabled", "true"), `"Enabled":true`, `"Enabled":false`, 1)
	const hints = `"BufferingHints":{"SizeInMBs":64}`
	for i, c := range []struct {
		members string
		mb, s   int
	}{
		{converting("Enabled", "true"), 128, 300},
		{partitioned("", extraction), 128, 300},
		{converting("Enabled", "true") + strings.TrimPrefix(partitioned("", extraction), hints), 128, 300},
		{off, 5, 300},
	} {
		for j, given := range []struct {
			hints string
			mb, s int
		}{
			{`"BufferingHints":{}`, c.mb, c.s},
			{`"BufferingHints":{"IntervalInSeconds":900}`, c.mb, 900},
			{`"BufferingHints":{"SizeInMBs":100}`, 100, c.s},
		} {
			name := fmt.Sprint("s", i, "-", j)
			w.do("CreateDeliveryStream", extended(name, strings.Replace(c.members, hints, given.hints, 1)))
			w.shows(name, "BufferingHints", fmt.Sprintf(`{"SizeInMBs":%d,"IntervalInSeconds":%d}`, given.mb, given.s))
		}
	}
}
