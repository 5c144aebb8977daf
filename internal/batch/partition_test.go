package batch

import (
	"errors"
	"strings"
	"testing"
	"time"
)

const typed = "e/!{firehose:error-output-type}/"

// A partition is what a record's keys and arrival make of the prefix (spec sections 4.3, 7.4).
func TestPartitionsFollowKeysAndArrival(t *testing.T) {
	for _, c := range []struct {
		name, prefix, zone string
		want               string // \x00 is a random string
		err                error
	}{
		{"both sources", "c=!{partitionKeyFromQuery:c}/d=!{partitionKeyFromLambda:c}/", "", "c=q/d=l/", nil},
		{"time", "!{partitionKeyFromQuery:c}/!{timestamp:yyyy/MM/dd/HH}/", "Asia/Tokyo", "q/2018/08/27/19/", nil},
		{"no path is appended", "!{partitionKeyFromQuery:c}", "", "q", nil},
		{"raw", "!{partitionKeyFromQuery:slash}/", "", "a/b!{x:y}/", nil},
		{"random", "!{firehose:random-string}/!{partitionKeyFromQuery:c}/!{firehose:random-string}", "", "\x00/q/\x00", nil},
		{"no such key", "!{partitionKeyFromQuery:other}/", "", "", ErrNoKey},
		{"the other source's key", "!{partitionKeyFromLambda:slash}/", "", "", ErrNoKey},
		{"empty", "!{partitionKeyFromQuery:empty}/", "", "", ErrNoKey},
		{"control characters", "!{partitionKeyFromQuery:control}/", "", "", ErrControlKey},
		{"as long as may be", "!{partitionKeyFromQuery:long}", "", strings.Repeat("x", 512), nil},
		{"too long", "!{partitionKeyFromQuery:long}/", "", "", ErrLongPrefix},
		{"too long with a random string", "!{partitionKeyFromQuery:less}!{firehose:random-string}", "", "", ErrLongPrefix},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := compile(t, NamesConfig{Prefix: c.prefix, ErrorOutputPrefix: typed, TimeZone: c.zone, Dynamic: true})
			queried := map[string]string{
				"c": "q", "slash": "a/b!{x:y}", "empty": "", "control": "a\nb",
				"long": strings.Repeat("x", 512), "less": strings.Repeat("x", 502),
			}
			got, err := n.Partitioner().Append(nil, monday, queried, map[string]string{"c": "l"})
			if !errors.Is(err, c.err) || c.err == nil && string(got) != c.want {
				t.Fatalf("%q, %v; want %q, %v", got, err, c.want, c.err)
			}
		})
	}
}

// The objects of a partition lie under its prefix, each with random strings of its own.
func TestObjectsOfAPartition(t *testing.T) {
	n := compile(t, NamesConfig{Prefix: "!{partitionKeyFromQuery:c}/", ErrorOutputPrefix: typed, Dynamic: true, FileExtension: ".x"})
	if got, want := n.InPartition("a/\x00/", monday, someID), "/s-3-2018-08-27-10-30-00-"+someUUID+".x"; len(got) != len("a/")+randomChars+len(want) || !strings.HasPrefix(got, "a/") || !strings.HasSuffix(got, want) {
		t.Fatalf("got %q", got)
	}
	two := n.InPartition("\x00\x00", monday, someID)
	if two[:randomChars] == two[randomChars:2*randomChars] {
		t.Fatalf("the random strings of %q are the same", two)
	}
}

func TestKeysOfAPrefix(t *testing.T) {
	queried, function := Keys("!{partitionKeyFromQuery:b}/!{timestamp:yyyy}!{partitionKeyFromLambda:b}!{partitionKeyFromQuery:a}!{partitionKeyFromQuery:b}")
	if strings.Join(queried, " ") != "b a" || strings.Join(function, " ") != "b" {
		t.Fatalf("got %q and %q", queried, function)
	}
}

func BenchmarkPartition(b *testing.B) {
	n, err := CompileNames(NamesConfig{
		Stream: "s", Version: "1", Dynamic: true, ErrorOutputPrefix: typed,
		Prefix: "customer=!{partitionKeyFromQuery:c}/!{timestamp:yyyy/MM/dd/HH}/",
	})
	if err != nil {
		b.Fatal(err)
	}
	p, keys, at := n.Partitioner(), map[string]string{"c": "1234567890"}, time.Unix(1_800_000_000, 0)
	b.ReportAllocs()
	var buf []byte
	for b.Loop() {
		if buf, err = p.Append(buf[:0], at, keys, nil); err != nil {
			b.Fatal(err)
		}
	}
}
