package batch

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"hydrant/internal/stream"
)

var monday = time.Date(2018, 8, 27, 10, 30, 0, 999_999_999, time.UTC)

var someID = [16]byte{0x0a, 0x1b, 0x2c, 0x3d, 0x4e, 0x5f, 0x67, 0x89, 0xeb, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89}

const someUUID = "0a1b2c3d-4e5f-4789-abcd-ef0123456789"

func compile(t testing.TB, c NamesConfig) *Names {
	t.Helper()
	c.Stream, c.Version = "s", "3"
	n, err := CompileNames(c)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// The worked examples of spec section 4.9, and some of 4.2, 4.6 and 4.7.
func TestKeysAreThoseOfTheSpecification(t *testing.T) {
	const typed = "e/!{firehose:error-output-type}/"
	for _, c := range []struct {
		name         string
		config       NamesConfig
		data, failed string // without uuid and what follows
	}{
		{"nothing configured", NamesConfig{}, "2018/08/27/10/s-3-2018-08-27-10-30-00-", "processing-failed/2018/08/27/10/s-3-2018-08-27-10-30-00-"},
		{"literal", NamesConfig{Prefix: "my"}, "my2018/08/27/10/s-3-2018-08-27-10-30-00-", "myprocessing-failed/2018/08/27/10/s-3-2018-08-27-10-30-00-"},
		{"folder", NamesConfig{Prefix: "my/"}, "my/2018/08/27/10/s-3-2018-08-27-10-30-00-", "my/processing-failed/2018/08/27/10/s-3-2018-08-27-10-30-00-"},
		{"error prefix alone", NamesConfig{ErrorOutputPrefix: "fail/!{firehose:error-output-type}/"}, "2018/08/27/10/s-3-2018-08-27-10-30-00-", "fail/processing-failed/s-3-2018-08-27-10-30-00-"},
		{"no slash is added", NamesConfig{Prefix: "y=!{timestamp:yyyy}/m=!{timestamp:MM}/", ErrorOutputPrefix: "e/!{firehose:error-output-type}/!{timestamp:dd}"}, "y=2018/m=08/s-3-2018-08-27-10-30-00-", "e/processing-failed/27s-3-2018-08-27-10-30-00-"},
		{"quoted literals", NamesConfig{Prefix: "!{timestamp:'year='yyyy'/doy='DDD}/", ErrorOutputPrefix: typed}, "year=2018/doy=239/s-3-2018-08-27-10-30-00-", "e/processing-failed/s-3-2018-08-27-10-30-00-"},
		{"zone", NamesConfig{Prefix: "d=!{timestamp:yyyy-MM-dd}/h=!{timestamp:HH}/", ErrorOutputPrefix: typed, TimeZone: "Asia/Tokyo"}, "d=2018-08-27/h=19/s-3-2018-08-27-19-30-00-", "e/processing-failed/s-3-2018-08-27-19-30-00-"},
		{"zone of the default prefix", NamesConfig{TimeZone: "America/Los_Angeles"}, "2018/08/27/03/s-3-2018-08-27-03-30-00-", "processing-failed/2018/08/27/03/s-3-2018-08-27-03-30-00-"},
		{"braces and marks", NamesConfig{Prefix: "a!b{c}!"}, "a!b{c}!2018/08/27/10/s-3-2018-08-27-10-30-00-", "a!b{c}!processing-failed/2018/08/27/10/s-3-2018-08-27-10-30-00-"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := compile(t, c.config)
			if got, want := n.Data(monday, someID), c.data+someUUID; got != want {
				t.Errorf("data key %q instead of %q", got, want)
			}
			if got, want := n.Failure("processing-failed", monday, someID), c.failed+someUUID; got != want {
				t.Errorf("failure key %q instead of %q", got, want)
			}
		})
	}
}

func TestExtensionsFollowCompressionAndFileExtension(t *testing.T) {
	for _, c := range []struct {
		compression  stream.Compression
		extension    string
		data, failed string
	}{
		{"", "", "", ""},
		{stream.Uncompressed, ".json", ".json", ""},
		{stream.Gzip, "", ".gz", ".gz"},
		{stream.Gzip, ".custom.log", ".custom.log", ".gz"},
		{"ZIP", "", ".zip", ".zip"},
		{"Snappy", "", ".snappy", ".snappy"},
		{"HADOOP_SNAPPY", "", ".snappy", ".snappy"},
	} {
		n := compile(t, NamesConfig{Compression: c.compression, FileExtension: c.extension})
		if got := n.Data(monday, someID); !strings.HasSuffix(got, someUUID+c.data) {
			t.Errorf("%s %s: %s", c.compression, c.extension, got)
		}
		if got := n.Failure("x", monday, someID); !strings.HasSuffix(got, someUUID+c.failed) {
			t.Errorf("%s %s: %s", c.compression, c.extension, got)
		}
	}
	if _, err := CompileNames(NamesConfig{Compression: "BROTLI"}); err == nil {
		t.Error("BROTLI was taken for a compression")
	}
}

func TestRandomStringsDifferWithObjectAndOccurrenceAndCanBeMadeAgain(t *testing.T) {
	n := compile(t, NamesConfig{
		Prefix:            "!{firehose:random-string}/!{firehose:random-string}/",
		ErrorOutputPrefix: "!{firehose:random-string}/!{firehose:error-output-type}/",
	})
	key := n.Data(monday, someID)
	m := regexp.MustCompile(`^([0-9a-f]{11})/([0-9a-f]{11})/s-3-2018-08-27-10-30-00-` + someUUID + `$`).FindStringSubmatch(key)
	if m == nil {
		t.Fatal(key)
	}
	if m[1] == m[2] {
		t.Error("both occurrences are the same")
	}
	if n.Data(monday, someID) != key {
		t.Error("the key cannot be made again")
	}
	other := someID
	other[15]++
	if strings.HasPrefix(n.Data(monday, other), m[1]) {
		t.Error("another object has the same random string")
	}
}

// The messages and the order of spec section 4.8.
func TestPrefixesAreRefusedInTheWordsOfAWS(t *testing.T) {
	const typed = "e/!{firehose:error-output-type}/"
	long := strings.Repeat("x", 512)
	for _, c := range []struct {
		data, failed, zone string
		dynamic            bool
		want               string
	}{
		{data: long},
		{data: "a/!{timestamp:yyyy}", failed: typed, zone: "Europe/Kiev"},
		{data: "a/!{timestamp:zzzz VV z v vvvv}", failed: typed, zone: "UTC"},
		{data: "c=!{partitionKeyFromQuery:c}/", failed: typed, dynamic: true},
		{data: long[3:] + "日本語"},

		{data: "!{timestamp:yyyy/MM/dd}", want: "ErrorOutputPrefix cannot be null or empty when Prefix contains expressions"},
		{data: "x/!{firehose:error-output-type}/", failed: typed, want: "Prefix must not contain any occurrence of !{firehose:error-output-type}"},
		{data: "x/!{timestamp:yyyy", failed: typed, want: "Invalid expression usage"},
		{data: "x/!{timestamp}", failed: typed, want: "Invalid expression usage"},
		{data: "x/!{timestamp:}", failed: typed, want: "Invalid expression usage"},
		{data: "x/!{timestamp:!{firehose:random-string}}", failed: typed, want: "Invalid expression usage"},
		{data: "!{", want: "Invalid expression usage"},
		{failed: "!{firehose:error-output-type", want: "Invalid expression usage"},
		{data: "x/!{date:yyyy}/", failed: typed, want: "Namespace to the left of colon (date) is an invalid keyword!"},
		{data: "x/!{Timestamp:yyyy}/", failed: typed, want: "Namespace to the left of colon (Timestamp) is an invalid keyword!"},
		{data: "x/!{:yyyy}/", failed: typed, want: "Namespace to the left of colon () is an invalid keyword!"},
		{data: "!{date:x}", failed: "!{oops", want: "Invalid expression usage"},
		{data: "!{timestamp:b}", failed: typed, want: "Invalid conversion character used in the value of the expression in Prefix"},
		{data: "!{timestamp:hhh}", failed: typed, want: "Invalid conversion character used in the value of the expression in Prefix"},
		{data: "!{timestamp:yyyy#}", failed: typed, want: "Invalid conversion character used in the value of the expression in Prefix"},
		{data: "!{firehose:uuid}", failed: typed, want: "Invalid conversion character used in the value of the expression in Prefix"},
		{failed: typed + "!{timestamp:'}", want: "Invalid conversion character used in the value of the expression in ErrorOutputPrefix"},
		{failed: "errors/", want: "ErrorOutputPrefix must contain at least one occurrence of !{firehose:error-output-type}"},
		{failed: "!{timestamp:yyyy}/", want: "ErrorOutputPrefix must contain at least one occurrence of !{firehose:error-output-type}"},
		{failed: typed + "!{partitionKeyFromLambda:c}", want: "Dynamic Partitioning Namespaces can't be part of an error prefix expression"},
		{data: "!{partitionKeyFromQuery:c}/", failed: typed, want: "Dynamic Partitioning Namespaces can only be part of a prefix expression when Dynamic Partitioning is enabled."},
		{data: "c/", failed: typed, dynamic: true, want: "S3 Prefix should contain Dynamic Partitioning namespaces when Dynamic Partitioning is enabled"},
		{data: long + "x", want: "Length of evaluated prefix cannot be greater than 512"},
		{data: long[8:] + "!{timestamp:MMMM}", failed: typed, want: "Length of evaluated prefix cannot be greater than 512"},
		{failed: long + typed, want: "Length of evaluated ErrorOutputPrefix cannot be greater than 512"},
		{data: strings.Repeat("日", 300), want: "Length of evaluated prefix cannot be greater than 764 bytes in UTF-8"},
		{zone: "Mars/Olympus", want: "CustomTimeZone Mars/Olympus is not a known time zone"},
		{zone: "Local", want: "CustomTimeZone Local is not a known time zone"},
		{zone: "right/UTC", want: "CustomTimeZone right/UTC is not a known time zone"},
		{zone: "Etc/GMT+5", want: "CustomTimeZone Etc/GMT+5 is not a known time zone"},
		{zone: "../UTC", want: "CustomTimeZone ../UTC is not a known time zone"},
		{data: "!{timestamp:z}", failed: typed, zone: "Asia/Tokyo", want: `The timestamp expression z in Prefix is not supported by Hydrant: the zone name "z" of a CustomTimeZone other than UTC (use VV or xxx)`},
	} {
		err := CheckPrefixes(c.data, c.failed, c.zone, c.dynamic)
		var refused *PrefixError
		if c.want == "" && err != nil || c.want != "" && (!errors.As(err, &refused) || refused.Message != c.want) {
			t.Errorf("%q %q %q: %v instead of %q", c.data, c.failed, c.zone, err, c.want)
		}
	}
}

func TestZonesOfOldNamesAreKnown(t *testing.T) {
	for _, zone := range []string{"", "UTC", "Asia/Calcutta", "Europe/Kiev", "America/Buenos_Aires", "America/Argentina/Buenos_Aires", "Asia/Kolkata"} {
		if err := CheckPrefixes("", "", zone, false); err != nil {
			t.Errorf("%s: %v", zone, err)
		}
	}
}

// Whatever the prefixes are: they are refused with words, or they make short keys with the
// suffix at the end, the same ones each time.
func FuzzPrefixes(f *testing.F) {
	f.Add("a/!{timestamp:yyyy-'x'[MM]ppd}/!{firehose:random-string}", "e/!{firehose:error-output-type}!{timestamp:EEEE}", "Asia/Tokyo", int64(1530000000))
	f.Add("!{partitionKeyFromQuery:x}", "!{", "UTC", int64(0))
	f.Add("", "", "", int64(4102444800))
	f.Fuzz(func(t *testing.T, data, failed, zone string, second int64) {
		oldest := time.Unix(second%4102444800, 0)
		n, err := CompileNames(NamesConfig{Stream: "s", Version: "3", Prefix: data, ErrorOutputPrefix: failed, TimeZone: zone})
		if err != nil {
			var refused *PrefixError
			if !errors.As(err, &refused) || refused.Message == "" {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		for _, key := range []string{n.Data(oldest, someID), n.Failure("processing-failed", oldest, someID)} {
			if !strings.HasSuffix(key, someUUID) || len(key) > 1024 {
				t.Fatalf("key of %d bytes: %s", len(key), key)
			}
			if utf8.ValidString(data+failed) && !utf8.ValidString(key) {
				t.Fatalf("a character was cut: %q", key)
			}
		}
		if once, again := n.Data(oldest, someID), n.Data(oldest, someID); once != again {
			t.Fatalf("two keys for one object: %q and %q", once, again)
		}
	})
}

func BenchmarkDataKey(b *testing.B) {
	n := compile(b, NamesConfig{
		Prefix:            "logs/!{timestamp:yyyy}/!{timestamp:MM}/!{timestamp:dd}/!{timestamp:HH}/!{firehose:random-string}/",
		ErrorOutputPrefix: "e/!{firehose:error-output-type}/",
		Compression:       stream.Gzip,
		TimeZone:          "Europe/Berlin",
	})
	b.ReportAllocs()
	for b.Loop() {
		n.Data(monday, someID)
	}
}
