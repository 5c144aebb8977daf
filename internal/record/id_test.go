package record

import (
	"bytes"
	"errors"
	"testing"
	"time"
)

func TestStreamIDsSortByTimeAndReadBack(t *testing.T) {
	early, err := NewStreamID(time.UnixMilli(1768471200123), bytes.NewReader(bytes.Repeat([]byte{0xff}, 10)))
	if err != nil {
		t.Fatal(err)
	}
	late, err := NewStreamID(time.UnixMilli(1768471200124), bytes.NewReader(make([]byte, 10)))
	if err != nil {
		t.Fatal(err)
	}
	if early.String() >= late.String() {
		t.Fatalf("%s is not before %s", early, late)
	}
	got, err := ParseStreamID(early.String())
	if err != nil || got != early {
		t.Fatalf("read back as %v, %v", got, err)
	}
	for _, bad := range []string{"", "8ZZZZZZZZZZZZZZZZZZZZZZZZZ", "01ARZ3NDEKTSV4RRFFQ69G5FAU", "01arz3ndektsv4rrffq69g5fav"} {
		if _, err := ParseStreamID(bad); err == nil {
			t.Errorf("%q was taken for a stream id", bad)
		}
	}
}

// A RecordId leads back to the record, and a changed one to nothing.
func TestRecordIDsLeadBack(t *testing.T) {
	q := Queue{Stream: StreamID{9, 8, 7}, Output: Data, Shard: 3}
	p := Position{Entry: 1 << 40, Index: 65535}
	id := AppendID(nil, q, p)
	if len(id) != IDLength {
		t.Fatalf("id of %d characters", len(id))
	}
	gotQ, gotP, err := ParseID(string(id))
	if err != nil || gotQ != q || gotP != p {
		t.Fatalf("got %v %v %v", gotQ, gotP, err)
	}
	for i := range id {
		bad := bytes.Clone(id)
		bad[i] ^= 1
		if _, _, err := ParseID(string(bad)); !errors.Is(err, ErrBadID) {
			t.Fatalf("character %d changed: %v", i, err)
		}
	}
}

// The RecordIds of an entry's records are those that AppendID gives one by one.
func TestNeighboursHaveTheirOwnIDs(t *testing.T) {
	q := Queue{Stream: StreamID{1, 2, 3}, Output: Backup, Shard: 1 << 31}
	ids := NewIDs(q, 42)
	for _, index := range []uint32{0, 1, 255, 256, 65535} {
		id := ids.Append([]byte("x"), index)
		if want := AppendID([]byte("x"), q, Position{42, index}); !bytes.Equal(id, want) {
			t.Fatalf("index %d: %s, want %s", index, id, want)
		}
		if gotQ, p, err := ParseID(string(id[1:])); err != nil || gotQ != q || p != (Position{42, index}) {
			t.Fatalf("index %d leads to %v %v, %v", index, gotQ, p, err)
		}
	}
}
