package orc

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hydrant/internal/column"
)

// mustType is a type that is known to be right.
func mustType(t testing.TB, s string) *column.Type {
	t.Helper()
	typ, err := column.ParseType(s)
	if err != nil {
		t.Fatal(err)
	}
	return typ
}

// The file of section 16, byte for byte.
const annotated = `
4f52430a06120408035000 0a150a050000000000120c080212060802100618085001
0a150a020000120f080322090a01611202626218085000 ffa0 460126 400240 420160 616262
0a060806100018080a060806100118170a060806100218170a060800100118020a060801100118030a060801100218030a060802100218030a06080310021803
12020800120208021204080310020a2b0a0608035000 58000a0e0802120608021006180850015805
0a11080322090a016112026262180850005809 08031095011a0a080310361 80e204e2803
220c080c1202010 21a01781a01732202080322020807 30033a060803500058003a0e0802120608021006180850015805
3a11080322090a016112026262180850005809 40904e48e8075802620968796472616e742d31
0867100022020 00c282d300682f403034f524313`

func TestTheAnnotatedFile(t *testing.T) {
	b := column.NewBatch(mustType(t, "struct<x:int,s:string>"))
	x, s := b.Columns[0], b.Columns[1]
	for i, text := range []string{"a", "bb", "a"} {
		b.Begin()
		if i == 1 {
			x.Null()
		} else {
			x.Int(int64(i + 1))
		}
		s.Text([]byte(text))
		b.End()
	}
	file := write(t, b.Schema, Options{DictionaryThreshold: 0.8, Software: "hydrant-1"}, b)
	want := strings.Join(strings.Fields(annotated), "")
	if got := hex.EncodeToString(file); got != want {
		t.Fatalf("got  %s\nwant %s", got, want)
	}
}

// write makes a file of the batches.
func write(t testing.TB, schema *column.Type, o Options, batches ...*column.Batch) []byte {
	t.Helper()
	var file bytes.Buffer
	w, err := NewWriter(&file, schema, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range batches {
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// The vectors of section 15.2.
func TestDecimalsAsVarints(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"0", "00"}, {"1", "02"}, {"-1", "01"}, {"12345", "f2 c0 01"}, {"-12345", "f1 c0 01"},
		{"100000000000000000000", "80 80 80 b1 ac 8b af c7 d7 15"},
		{"-100000000000000000000", "ff ff ff b0 ac 8b af c7 d7 15"},
		{strings.Repeat("9", 38), "fe ff ff ff ff 8f 91 8a 93 e8 a3 ec d0 96 d4 cc f6 ac 02"},
	} {
		v := int128(t, tt.text)
		if got := hex.EncodeToString(appendVarint128(nil, v)); got != unspaced(tt.want) {
			t.Errorf("%s: %s, want %s", tt.text, got, tt.want)
		}
		if got := string(appendDecimal(nil, v, 0)); got != tt.text {
			t.Errorf("%s became %s", tt.text, got)
		}
	}
}

func TestDecimalsAsText(t *testing.T) {
	for _, tt := range []struct {
		unscaled string
		scale    int
		want     string
	}{
		{"1250", 2, "12.5"}, {"0", 2, "0"}, {"5", 2, "0.05"}, {"-50", 2, "-0.5"}, {"100", 2, "1"}, {"-100", 0, "-100"},
		{"1", 38, "0." + strings.Repeat("0", 37) + "1"}, {"-" + strings.Repeat("9", 38), 38, "-0." + strings.Repeat("9", 38)},
	} {
		if got := string(appendDecimal(nil, int128(t, tt.unscaled), tt.scale)); got != tt.want {
			t.Errorf("%s at %d: %s, want %s", tt.unscaled, tt.scale, got, tt.want)
		}
	}
}

// The vectors of section 15.5.
func TestStringsWithAndWithoutDictionary(t *testing.T) {
	b := column.NewBatch(mustType(t, "struct<s:string>"))
	for _, state := range strings.Fields("Nevada California Nevada California Florida") {
		b.Begin()
		b.Columns[0].Text([]byte(state))
		b.End()
	}
	plain := dataStreams(t, write(t, b.Schema, Options{}, b))
	if got := string(plain[kindData]); got != "NevadaCaliforniaNevadaCaliforniaFlorida" {
		t.Errorf("the strings are %q", got)
	}
	if got, err := decodeInts2(plain[kindLength], false); err != nil || !cmp.Equal(got, []int64{6, 10, 6, 10, 7}) {
		t.Errorf("their lengths are %v, %v", got, err)
	}
	streams := dataStreams(t, write(t, b.Schema, Options{DictionaryThreshold: 0.8}, b))
	if got := string(streams[kindDictionaryData]); got != "CaliforniaFloridaNevada" {
		t.Errorf("the dictionary is %q", got)
	}
	for kind, want := range map[streamKind][]int64{kindLength: {10, 7, 6}, kindData: {2, 0, 2, 0, 1}} {
		got, err := decodeInts2(streams[kind], false)
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("stream %d is %v, %v; want %v", kind, got, err, want)
		}
	}
}

// dataStreams are the streams of column 1 in the first stripe.
func dataStreams(t *testing.T, file []byte) map[streamKind][]byte {
	t.Helper()
	f, err := openFile(file)
	if err != nil {
		t.Fatal(err)
	}
	st, err := f.stripe(0)
	if err != nil {
		t.Fatal(err)
	}
	streams := map[streamKind][]byte{}
	for kind, s := range st.columns[1].streams {
		streams[kind] = s.bytes
	}
	return streams
}

// The vectors of section 15.6.
func TestTimestamps(t *testing.T) {
	for _, tt := range []struct {
		s     int64
		n     int32
		data  int64
		nanos int64
	}{
		{1420070400, 0, 0, 0}, {1420070401, 1000, 1, 10}, {1420070401, 100000, 1, 12}, {1768471200, 123000000, 348400800, 989},
		{0, 123456789, -1420070400, 987654312}, {-1, 0, -1420070401, 0}, {-1, 500000000, -1420070400, 47},
		{-2, 500000000, -1420070401, 47}, {-2, 1000000, -1420070401, 13},
		{-2, 999999, -1420070402, 0}, // no whole millisecond: cut, by the rule of section 6
	} {
		v := &column.Vector{Type: mustType(t, "timestamp")}
		v.Time(tt.s, tt.n)
		s := &shared{}
		e := newTimeEncoder(base{shared: s, out: []*stream{newStream(kindData, &s.codec)}}, newStream(kindData, &s.codec))
		e.batch(v.Ints, v.Nanos)
		if s.ints[0] != tt.data || s.nanos[0] != tt.nanos {
			t.Errorf("%d s, %d ns: %d, %d; want %d, %d", tt.s, tt.n, s.ints[0], s.nanos[0], tt.data, tt.nanos)
		}
	}
	for n, want := range map[int32]int64{0: 0, 1: 8, 10: 80, 100: 9, 120: 960, 1200: 97, 999999: 7999992,
		100000000: 15, 900000000: 79, 999999999: 7999999992, 120000000: 12<<3 | 6, 1000000: 13, 500000: 5<<3 | 4} {
		if got := scaledNanos(n); got != want {
			t.Errorf("%d ns: %d, want %d", n, got, want)
		}
	}
}

// The vectors of section 15.7.
func TestFraming(t *testing.T) {
	c := &codec{kind: ZLIB, limit: maxChunk}
	if got := hex.EncodeToString(c.chunk([]byte("abcde"), large)); got != "0b00006162636465" {
		t.Errorf("five bytes: %s", got)
	}
	if got := c.chunk(bytes.Repeat([]byte("a"), 100), large); got[0]&1 != 0 || int(got[0]>>1) != len(got)-headerBytes || got[1] != 0 {
		t.Errorf("a hundred times the same: %x", got)
	}
}

// The vectors of section 15.8.
func TestHashes(t *testing.T) {
	for text, want := range map[string]uint64{
		"": 0x74a18dc8f20adb48, "a": 0xddd9b0af19f61187, "abc": 0xc76f181be3eea0ce, "hello": 0x3928100018224141,
		"abcdefgh": 0x0a2025e4fc40126d, "abcdefghi": 0x2b0bc4f4e20036a9, "The quick brown fox": 0x8f53c75b92148fa8, "12.5": 0x95a1b1e076e6b505,
	} {
		if got := murmur([]byte(text)); got != want {
			t.Errorf("%q: %x, want %x", text, got, want)
		}
	}
	for k, want := range map[int64]uint64{
		0: 0, 1: 0x5bca7c69b794f8ce, -1: 0x5bca868437950d03, 42: 0x0f3db82f1e7b6f7a, 1234567890123: 0x2331ba7f2269f7c6,
		math.MinInt64: 0x3be7d0f7780de548, math.MaxInt64: 0x81ad52718398e837, floatKey(1.5): 0x3dddff49a005b9c8,
	} {
		if got := wang(k); got != want {
			t.Errorf("%d: %x, want %x", k, got, want)
		}
	}
}

func TestShapesOfBloomFilters(t *testing.T) {
	for _, tt := range []struct {
		rows int
		fpp  float64
		m, k int
	}{
		{10000, 0.05, 62400, 4}, {10000, 0.01, 95872, 7}, {1000, 0.05, 6272, 4}, {1000, 0.01, 9600, 7}, {1000, 0.001, 14400, 10},
		{5000, 0.05, 31232, 4}, {100000, 0.05, 623552, 4}, {10000, 0.5, 14464, 1}, {10000, 0.9, 2240, 1},
	} {
		if m, k := bloomShape(tt.rows, tt.fpp); m != tt.m || k != tt.k {
			t.Errorf("%d rows, %v: %d bits, %d hashes; want %d, %d", tt.rows, tt.fpp, m, k, tt.m, tt.k)
		}
	}
}

func TestBitsOfBloomFilters(t *testing.T) {
	for _, tt := range []struct {
		hash uint64
		m    int
		want []int
	}{
		{murmur([]byte("abc")), 62400, []int{9174, 49476, 8031, 28986}}, {murmur([]byte("abc")), 6272, []int{3094, 900, 2847, 4794}},
		{murmur([]byte("hello")), 62400, []int{10561, 1086, 37438, 11390}}, {wang(42), 62400, []int{25833, 13720, 1607, 51894}},
		{wang(-1), 6272, []int{4088, 244, 3599, 876}}, {wang(floatKey(1.5)), 62400, []int{8110, 51674, 49059, 53651}},
	} {
		got, want := newBloom(tt.m, 4), make([]byte, tt.m/8)
		got.add(tt.hash)
		for _, bit := range tt.want {
			want[bit/8] |= 1 << (bit % 8)
		}
		if !bytes.Equal(got.bits, want) {
			t.Errorf("%x of %d bits is not %v", tt.hash, tt.m, tt.want)
		}
	}
}

// positionBatch is the rows of section 15.9.
func positionBatch(t *testing.T) *column.Batch {
	b := column.NewBatch(mustType(t, "struct<a:bigint,b:boolean,s:string,u:string>"))
	for i := range 2500 {
		b.Begin()
		if i%10 == 9 {
			b.Columns[0].Null()
		} else {
			b.Columns[0].Int(int64(3 * i))
		}
		b.Columns[1].Int(int64(bit(i%3 == 0)))
		b.Columns[2].Text(fmt.Appendf(nil, "k%d", i%4))
		b.Columns[3].Text(fmt.Appendf(nil, "u%d", i))
		b.End()
	}
	return b
}

// The vectors of section 15.9, without compression and with one that leaves every chunk as
// it is.
func TestPositionsOfRowGroups(t *testing.T) {
	checkPositions(t, Options{}, map[int][3][]uint64{
		1: {{0, 0, 0, 0, 0}, {0, 125, 0, 259, 388}, {129, 122, 0, 779, 264}},
		2: {{0, 0, 0}, {0, 125, 0}, {129, 122, 0}},
		3: {{0, 0}, {130, 488}, {390, 464}},
		4: {{0, 0, 0}, {3890, 10, 388}, {8890, 18, 488}},
	})
	old := deflaters
	defer func() { deflaters = old }()
	deflaters = map[effort]*sync.Pool{small: newDeflaters(0), large: newDeflaters(0)}
	checkPositions(t, Options{Compression: ZLIB, CompressionBlock: 256}, map[int][3][]uint64{
		1: {{0, 0, 0, 0, 0, 0, 0}, {0, 0, 125, 0, 259, 3, 388}, {0, 129, 122, 0, 777, 11, 264}},
		2: {{0, 0, 0, 0}, {0, 0, 125, 0}, {0, 129, 122, 0}},
		3: {{0, 0, 0}, {0, 130, 488}, {259, 134, 464}},
		4: {{0, 0, 0, 0, 0}, {3885, 50, 0, 10, 388}, {8806, 186, 0, 18, 488}},
	})
}

// checkPositions checks those of columns. Of the two columns of strings the threshold gives
// one a dictionary: four words among a thousand are few, and a thousand are many.
func checkPositions(t *testing.T, o Options, want map[int][3][]uint64) {
	t.Helper()
	o.RowIndexStride, o.DictionaryThreshold = 1000, 0.8
	b := positionBatch(t)
	f, err := openFile(write(t, b.Schema, o, b))
	if err != nil {
		t.Fatal(err)
	}
	st, err := f.stripe(0)
	if err != nil {
		t.Fatal(err)
	}
	for id, groups := range want {
		for g, want := range groups {
			if got := st.columns[id].groups[g].positions; !cmp.Equal(got, want) {
				t.Errorf("compression %d, column %d, group %d: %v, want %v", o.Compression, id, g, got, want)
			}
		}
	}
}
