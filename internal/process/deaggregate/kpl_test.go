package deaggregate

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hydrant/internal/record"
)

// framed puts the magic before a message and the MD5 behind it.
func framed(message string) string {
	sum := md5.Sum([]byte(message))
	return magic + message + string(sum[:])
}

// number and text are fields of a message.
func number(field, v uint64) string {
	return string(binary.AppendUvarint(binary.AppendUvarint(nil, field<<3|wireVarint), v))
}

func text(field uint64, v string) string {
	return string(binary.AppendUvarint(binary.AppendUvarint(nil, field<<3|wireBytes), uint64(len(v)))) + v
}

// aggregated is the message of the records as the library writes it: tables first.
func aggregated(records []UserRecord) string {
	var tables, members strings.Builder
	keys, hashKeys := map[string]uint64{}, map[string]uint64{}
	index := func(seen map[string]uint64, field uint64, key string) uint64 {
		if _, ok := seen[key]; !ok {
			seen[key] = uint64(len(seen))
			tables.WriteString(text(field, key))
		}
		return seen[key]
	}
	for _, r := range records {
		m := number(1, index(keys, 1, r.PartitionKey))
		if r.ExplicitHashKey != "" {
			m += number(2, index(hashKeys, 2, r.ExplicitHashKey))
		}
		members.WriteString(text(3, m+text(3, string(r.Data))))
	}
	return tables.String() + members.String()
}

func TestAnAggregateIsTakenApart(t *testing.T) {
	want := []UserRecord{
		{"k1", "", []byte("one")},
		{"k2", "170141183460469231731687303715884105728", []byte("")},
		{"k1", "1", []byte("three")},
	}
	plain := aggregated(want)
	tests := map[string]string{
		"as the library writes it": plain,
		"tables behind the records": text(3, number(1, 0)+text(3, "one")) +
			text(3, number(1, 1)+number(2, 1)+text(3, "")) + text(3, text(3, "three")+number(2, 0)+number(1, 0)) +
			text(1, "k1") + text(1, "k2") + text(2, "1") + text(2, want[1].ExplicitHashKey),
		"with fields that we do not know":    text(9, "x") + number(10, 1<<63) + plain + "\x61" + "12345678" + "\x65" + "1234",
		"with a known field of another type": number(3, 7) + plain,
	}
	for name, message := range tests {
		t.Run(name, func(t *testing.T) {
			got, ok := UserRecords([]byte(framed(message)))
			if diff := cmp.Diff(want, got); !ok || diff != "" {
				t.Fatal(ok, diff)
			}
		})
	}
	t.Run("with tags, and a field twice, of which the last counts", func(t *testing.T) {
		got, ok := UserRecords([]byte(framed(text(1, "k") + text(3, number(1, 9)+number(1, 0)+text(3, "a")+text(3, "b")+text(4, text(1, "tag")+text(2, "value"))))))
		if diff := cmp.Diff([]UserRecord{{"k", "", []byte("b")}}, got); !ok || diff != "" {
			t.Fatal(ok, diff)
		}
	})
}

func TestWhatIsNoAggregateGoesOnAsItIs(t *testing.T) {
	key, one := text(1, "k"), text(3, number(1, 0)+text(3, "one"))
	good := framed(key + one)
	if _, ok := UserRecords([]byte(good)); !ok {
		t.Fatal("the good one is refused")
	}
	tests := map[string]string{
		"nothing":                        "",
		"text":                           "hello",
		"only the magic":                 magic,
		"no message":                     framed(""),
		"another magic":                  "\xf3\x89\x9a\xc3" + good[4:],
		"another MD5":                    good[:len(good)-1] + "x",
		"cut off":                        good[:len(good)-1],
		"no records":                     framed(key),
		"no such key":                    framed(one),
		"no such hash key":               framed(key + text(3, number(1, 0)+number(2, 0)+text(3, "one"))),
		"a record without a key":         framed(key + text(3, text(3, "one"))),
		"a record without data":          framed(key + text(3, number(1, 0))),
		"a record of another type":       framed(key + one + text(3, "\x0b")),
		"a length beyond the end":        framed(key + one + "\x1a\x05abcd"),
		"a huge length":                  framed(key + one + "\x1a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
		"a length that ends early":       framed(key + one + "\x1a\x80"),
		"a varint that is too long":      framed(key + one + "\x50" + strings.Repeat("\x80", 10) + "\x01"),
		"a varint that ends early":       framed(key + one + "\x50"),
		"eight bytes that are seven":     framed(key + one + "\x61" + "1234567"),
		"a group":                        framed(key + one + "\x5b\x5c"),
		"field number zero":              framed(key + one + "\x00\x00"),
		"a field number that is too big": framed(key + one + string(binary.AppendUvarint(nil, 1<<32)) + "\x00"),
	}
	for name, data := range tests {
		t.Run(name, func(t *testing.T) {
			if got, ok := KPL(item(data)); ok || got != nil {
				t.Fatalf("%+v", got)
			}
		})
	}
}

func TestRecordsOfAnAggregateAreTheirOwnSource(t *testing.T) {
	aggregate := item(framed(aggregated([]UserRecord{{"k", "", []byte("one")}, {"k", "", []byte("two")}})))
	one, two := aggregate, aggregate
	one.ID, one.Source, one.Data = "id.000", []byte("one"), []byte("one")
	two.ID, two.Source, two.Data = "id.001", []byte("two"), []byte("two")
	got, ok := KPL(aggregate)
	if diff := cmp.Diff([]record.Item{one, two}, got); !ok || diff != "" {
		t.Fatal(ok, diff)
	}
	aggregate.Dropped = true
	if _, ok := KPL(aggregate); ok {
		t.Fatal("an item that is gone was taken apart")
	}
}

// What is no message is refused without a fault; what is one comes back from its records.
func FuzzKPL(f *testing.F) {
	for _, s := range []string{"", aggregated([]UserRecord{{"k", "", []byte("one")}, {"l", "7", nil}}), text(1, "k") + text(3, "\x0b")} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		UserRecords(message)
		got, ok := UserRecords([]byte(framed(string(message))))
		if !ok {
			return
		}
		size := 0
		for _, r := range got {
			size += len(r.Data)
		}
		if size > len(message) {
			t.Fatalf("%d bytes out of %d", size, len(message))
		}
		again, ok := UserRecords([]byte(framed(aggregated(got))))
		if !ok || len(again) != len(got) {
			t.Fatalf("%d records, and then %d", len(got), len(again))
		}
		for i := range got {
			if got[i].PartitionKey != again[i].PartitionKey || got[i].ExplicitHashKey != again[i].ExplicitHashKey || !bytes.Equal(got[i].Data, again[i].Data) {
				t.Fatalf("%+v, and then %+v", got[i], again[i])
			}
		}
	})
}

func BenchmarkKPL(b *testing.B) {
	records := make([]UserRecord, 300)
	for i := range records {
		records[i] = UserRecord{string(rune('a' + i%26)), "", bytes.Repeat([]byte("hydrant "), 20)}
	}
	data := framed(aggregated(records))
	aggregate := item(data)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if got, ok := KPL(aggregate); !ok || len(got) != len(records) {
			b.Fatal(ok)
		}
	}
}
