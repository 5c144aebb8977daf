package serde

import (
	"bytes"
	"math/big"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"hydrant/internal/column"
)

var fuzzSchemas = []string{
	"struct<a:string,b:array<struct<c:int,d:timestamp>>,m:map<string,double>>",
	"struct<a:map<int,array<decimal(10,2)>>,s:struct<x:varchar(3),y:struct<z:date>>,t:tinyint>",
	"struct<a:boolean,b:bigint,c:float,d:array<array<string>>,e:map<timestamp,string>>",
}

// Whatever comes, nothing panics, the vectors fit each other and hold valid UTF-8, each
// document is a row or a failure, and failures are parts of the record.
func FuzzAppend(f *testing.F) {
	for _, s := range []string{
		`{"a":"x","b":[{"c":1,"d":"2018-02-07 18:32:08"}],"m":{"x":1}}{"a":[1],"A":{"x":1,"X":2}}`,
		`{"a":{"1":[1.005],"01":[]},"s":{"x":"\ud800äöü","y":[["2020-1-1"]]},"t":"0x7f"} {"a":true,"b":9223372036854775808}`,
		`{"a":{"b":1,"b":1}}`, `{"e":{"0":1,"1970-01-01T00:00:00Z":2},"d":"x"}`, ``, `[1]`, `1 2`, `{"a":`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, s := range fuzzSchemas {
			schema := parsed(t, s)
			for _, r := range bothReaders(t, schema) {
				checkAppend(t, r, schema, data)
			}
		}
		sameStrictness(t, data)
	})
}

func checkAppend(t *testing.T, r *Reader, schema *column.Type, data []byte) {
	b := column.NewBatch(schema)
	for pass := range 2 { // the second time keys are guessed, and the result is the same
		b.Reset()
		failures, at := 0, 0
		r.Append(b, data, func(doc []byte, e *Error) {
			failures++
			next := bytes.Index(data[at:], doc)
			if next < 0 || e.Message == "" || !strings.HasPrefix(e.Code, "DataFormatConversion.") {
				t.Fatalf("%q failed with %+v", doc, e)
			}
			at += next + len(doc)
		})
		if b.Rows+failures == 0 {
			t.Fatal("the record left no trace")
		}
		if rows := dump(t, b); len(rows) != b.Rows {
			t.Fatalf("%d rows in pass %d", len(rows), pass)
		}
	}
	for _, v := range b.Columns {
		checkUTF8(t, v)
	}
}

func checkUTF8(t *testing.T, v *column.Vector) {
	for i := range v.Ends {
		if !utf8.Valid(v.Value(i)) {
			t.Fatalf("%q is not UTF-8", v.Value(i))
		}
	}
	for _, c := range v.Children {
		checkUTF8(t, c)
	}
}

// Timestamps that are read lie within their bounds, and the strict form agrees with Go.
func FuzzTimestamp(f *testing.F) {
	for _, s := range []string{"2018-02-07T18:32:08.123Z", "2018-2-7 8:2:8.1", "1518033528.123", "-1e3", "2018-13-45", "9999-99-99 99:99:99"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, sql := range []bool{false, true} {
			if at, ok := plainTimestamp([]byte(s), sql); ok && (at.nanos < 0 || at.nanos >= 1e9) {
				t.Fatalf("%+v", at)
			}
			dateText([]byte(s), sql)
		}
		if at, ok := epoch([]byte(s)); ok && (at.nanos < 0 || at.nanos >= 1e9) {
			t.Fatalf("%+v", at)
		}
		at, ok := strictTimestamp([]byte(s))
		bare := strings.TrimSuffix(s, "Z")
		want, err := time.Parse("2006-01-02T15:04:05Z", bare+"Z")
		// Go takes an hour of one digit, a comma for a point, and more than nine digits behind it.
		if ok != (err == nil && len(s) >= 19 && s[13] == ':' && strings.IndexByte(s, ',') < 0 && len(bare) <= 29) {
			t.Fatalf("%v, and %v to Go", ok, err)
		}
		if ok && (at.seconds != want.Unix() || int(at.nanos) != want.Nanosecond()) {
			t.Fatalf("%+v, and %v to Go", at, want)
		}
	})
}

// Patterns and texts of any kind do no harm, and what is read is a moment.
func FuzzJoda(f *testing.F) {
	for _, s := range [][2]string{
		{"yyyy-MM-dd'T'HH:mm:ss.SSSZ", "2018-02-07T18:32:08.123+0100"}, {"EEE, dd MMM yy hh:mm a z", "Wed, 07 Feb 18 06:32 PM PST"},
		{"xxxx-ww-e G C ZZZ", "2018-06-3 AD 20 Europe/Berlin"}, {"DDD k K ''Y", "366 24 11 '5"}, {"millis", "12"},
	} {
		f.Add(s[0], s[1])
	}
	z := zones{}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		j, err := compileJoda(pattern, 1996)
		if err != nil || j.millis {
			return
		}
		at, ok := j.parse(&z, []byte(text))
		if ok && (at.nanos < 0 || at.nanos >= 1e9 || at.seconds < firstSecond-2*secondsOfDay || at.seconds > lastSecond+2*secondsOfDay) {
			t.Fatalf("%+v", at)
		}
		if len(z) > maxZones {
			t.Fatalf("%d zones are remembered", len(z))
		}
	})
}

// Decimals agree with those of math/big, rounded half up.
func FuzzDecimal(f *testing.F) {
	f.Add("1.005", 2)
	f.Add("-99999999999999999999999999999999999999.5e-3", 3)
	f.Add("0.00000000000000000005e20", 0)
	f.Fuzz(func(t *testing.T, s string, scale int) {
		if scale < 0 || scale > 38 || len(s) > 100 {
			return
		}
		var n number
		if n.parse([]byte(s), false) != len(s) || n.exp > 200 || n.exp < -200 {
			return
		}
		exact, ok := new(big.Rat).SetString(s)
		if !ok {
			return
		}
		exact.Mul(exact, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)))
		want := roundHalfUp(exact)
		digits := len(want.Text(10))
		if want.Sign() < 0 {
			digits--
		}
		got, fits := n.decimal(38, scale)
		if fits != (digits <= 38) {
			t.Fatalf("%q at scale %d is %s; fits is %v", s, scale, want, fits)
		}
		if fits && scaled(got, 0) != want.Text(10) {
			t.Fatalf("%q at scale %d is %s, want %s", s, scale, scaled(got, 0), want)
		}
	})
}

func roundHalfUp(r *big.Rat) *big.Int {
	twice := new(big.Rat).Mul(new(big.Rat).Abs(r), big.NewRat(2, 1))
	twice.Add(twice, big.NewRat(1, 1))
	i := new(big.Int).Div(twice.Num(), new(big.Int).Mul(twice.Denom(), big.NewInt(2)))
	if r.Sign() < 0 {
		i.Neg(i)
	}
	return i
}

// Days agree with those of package time, whatever months and days roll over.
func TestMidnight(t *testing.T) {
	for year := 0; year <= 9999; year += 7 {
		for month := 0; month <= 99; month += 3 {
			for day := 0; day <= 99; day += 9 {
				want := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Unix()
				if got := midnight(year, month, day); got != want {
					t.Fatalf("%d-%d-%d is %d, want %d", year, month, day, got, want)
				}
			}
		}
	}
}
