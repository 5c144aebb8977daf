package orc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"hydrant/internal/column"
)

// values are those of a column, as things that can be compared:
//
//	booleans, integers, dates   int64
//	floats, doubles             their bits as a double, uint64
//	decimals                    their text
//	strings, binaries           string
//	timestamps                  moment
//	lists, maps                 the number of elements, int64
//	structs                     nothing, struct{}
type values []any

// typeKinds are the kinds by their numbers in a footer.
var typeKinds = func() map[int]column.Kind {
	kinds := map[int]column.Kind{}
	for kind, number := range typeNumbers {
		kinds[int(number)] = column.Kind(kind)
	}
	return kinds
}()

// kind is that of a column.
func (f *orcFile) kind(id int) column.Kind { return typeKinds[int(f.types[id][1][0].value)] }

// scale is that of a column of decimals.
func (f *orcFile) scale(id int) int { return int(f.types[id][6][0].value) }

// readPresent decodes n entries from the positions on, of which it takes its own.
func (f *orcFile) readPresent(c *orcColumn, positions *[]uint64, n int, whole bool) ([]bool, error) {
	flags := make([]bool, n)
	stream := c.streams[kindPresent]
	if stream == nil {
		for i := range flags {
			flags[i] = true
		}
		return flags, nil
	}
	vals, err := f.readBits(stream, positions, n, whole)
	for i, v := range vals {
		flags[i] = v == 1
	}
	return flags, err
}

// take takes a number of positions.
func take(positions *[]uint64) (int, error) {
	if len(*positions) == 0 {
		return 0, errors.New("positions are missing")
	}
	v := (*positions)[0]
	*positions = (*positions)[1:]
	return int(v), nil
}

// some are n of the values that were decoded, behind those to pass over. Of a whole stream
// nothing may be left.
func some[T any](vals []T, skip, n int, whole bool) ([]T, error) {
	if len(vals) < skip+n || whole && len(vals) != n {
		return nil, fmt.Errorf("%d values, of which %d are to be passed over, in place of %d", len(vals), skip, n)
	}
	return vals[skip : skip+n], nil
}

func (f *orcFile) readByteRuns(s *content, positions *[]uint64, n int, whole bool) ([]byte, error) {
	b, err := s.from(f.compression != None, positions)
	if err != nil {
		return nil, err
	}
	skip, err := take(positions)
	if err != nil {
		return nil, err
	}
	vals, err := decodeBytes(b, skip+n)
	if err != nil {
		return nil, err
	}
	return some(vals, skip, n, whole)
}

// readBits decodes n bits of boolean RLE.
func (f *orcFile) readBits(s *content, positions *[]uint64, n int, whole bool) ([]int64, error) {
	p := *positions
	at := 2
	if f.compression != None {
		at = 3
	}
	if len(p) < at+1 {
		return nil, errors.New("positions are missing")
	}
	used := int(p[at])
	packed, err := f.readByteRuns(s, positions, (used+n+7)/8, whole)
	if err != nil {
		return nil, err
	}
	*positions = (*positions)[1:]
	bits := make([]int64, n)
	for i := range bits {
		at := used + i
		bits[i] = int64(packed[at/8] >> (7 - at%8) & 1)
	}
	return bits, nil
}

// readInts decodes n integers of the column's encoding.
func (f *orcFile) readInts(c *orcColumn, kind streamKind, signed bool, positions *[]uint64, n int, whole bool) ([]int64, error) {
	b, err := c.streams[kind].from(f.compression != None, positions)
	if err != nil {
		return nil, err
	}
	skip, err := take(positions)
	if err != nil {
		return nil, err
	}
	var vals []int64
	if c.encoding == directV2 || c.encoding == dictionaryV2 {
		vals, err = decodeSome2(b, signed, skip+n)
	} else {
		vals, err = decodeInts1(b, signed, skip+n)
	}
	if err != nil {
		return nil, err
	}
	return some(vals, skip, n, whole)
}

// start are the positions of the first value of a column's streams.
var start = make([]uint64, 32)

// readValues decodes n values of a column from the positions on, which it takes. With whole
// the streams have to end behind them.
func (f *orcFile) readValues(c *orcColumn, p *[]uint64, n int, whole bool) (vals values, err error) {
	switch kind := f.kind(c.id); kind {
	case column.Struct:
		return slices.Repeat(values{struct{}{}}, n), nil
	case column.Boolean:
		return anys(f.readBits(c.streams[kindData], p, n, whole))
	case column.TinyInt:
		b, err := f.readByteRuns(c.streams[kindData], p, n, whole)
		for _, v := range b {
			vals = append(vals, int64(int8(v)))
		}
		return vals, err
	case column.Float, column.Double:
		return f.readFloats(c, p, n, whole)
	case column.Decimal:
		return f.readDecimals(c, p, n, whole)
	case column.Timestamp:
		return f.readTimes(c, p, n, whole)
	case column.List, column.Map:
		return anys(f.readInts(c, kindLength, false, p, n, whole))
	case column.String, column.Varchar, column.Char, column.Binary:
		if c.encoding == dictionaryV1 || c.encoding == dictionaryV2 {
			return f.readWords(c, p, n, whole)
		}
		return f.readTexts(c, p, n, whole)
	}
	return anys(f.readInts(c, kindData, true, p, n, whole))
}

func anys[T any](some []T, err error) (vals values, _ error) {
	for _, v := range some {
		vals = append(vals, v)
	}
	return vals, err
}

func (f *orcFile) readFloats(c *orcColumn, p *[]uint64, n int, whole bool) (vals values, err error) {
	size := 8
	if f.kind(c.id) == column.Float {
		size = 4
	}
	b, err := c.streams[kindData].from(f.compression != None, p)
	if err != nil || len(b) < n*size || whole && len(b) != n*size {
		return nil, fmt.Errorf("%d bytes for %d values: %w", len(b), n, err)
	}
	for ; len(vals) < n; b = b[size:] {
		v := math.Float64frombits(binary.LittleEndian.Uint64(append(slices.Clone(b[:size]), 0, 0, 0, 0)))
		if size == 4 {
			v = float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
		}
		vals = append(vals, math.Float64bits(v))
	}
	return vals, nil
}

func (f *orcFile) readDecimals(c *orcColumn, p *[]uint64, n int, whole bool) (vals values, err error) {
	b, err := c.streams[kindData].from(f.compression != None, p)
	if err != nil {
		return nil, err
	}
	numbers, used, err := decodeDecimals(b, n)
	if err != nil || whole && used != len(b) {
		return nil, fmt.Errorf("%d bytes of %d: %w", used, len(b), err)
	}
	scales, err := f.readInts(c, kindSecondary, true, p, n, whole)
	if err != nil {
		return nil, err
	}
	for i, v := range numbers {
		if int(scales[i]) != f.scale(c.id) {
			return nil, fmt.Errorf("scale %d of decimals of scale %d", scales[i], f.scale(c.id))
		}
		vals = append(vals, decimalText(v, int(scales[i])))
	}
	return vals, nil
}

// readTimes decodes timestamps as Java and C++ do.
func (f *orcFile) readTimes(c *orcColumn, p *[]uint64, n int, whole bool) (vals values, err error) {
	seconds, err := f.readInts(c, kindData, true, p, n, whole)
	if err != nil {
		return nil, err
	}
	nanos, err := f.readInts(c, kindSecondary, false, p, n, whole)
	if err != nil {
		return nil, err
	}
	for i, v := range nanos {
		z := v & 7
		if v >>= 3; z != 0 {
			for range z + 1 {
				v *= 10
			}
		}
		s := seconds[i] + 1_420_070_400
		if s < 0 && v > 999_999 {
			s--
		}
		vals = append(vals, moment{s, int32(v)})
	}
	return vals, nil
}

func (f *orcFile) readTexts(c *orcColumn, p *[]uint64, n int, whole bool) (vals values, err error) {
	b, err := c.streams[kindData].from(f.compression != None, p)
	if err != nil {
		return nil, err
	}
	lengths, err := f.readInts(c, kindLength, false, p, n, whole)
	if err != nil {
		return nil, err
	}
	for _, length := range lengths {
		if int(length) > len(b) {
			return nil, errShort
		}
		vals, b = append(vals, string(b[:length])), b[length:]
	}
	if whole && len(b) > 0 {
		return nil, fmt.Errorf("%d bytes are left", len(b))
	}
	return vals, nil
}

// readWords decodes strings with a dictionary, which has to be sorted.
func (f *orcFile) readWords(c *orcColumn, p *[]uint64, n int, whole bool) (vals values, err error) {
	ids, err := f.readInts(c, kindData, false, p, n, whole)
	if err != nil {
		return nil, err
	}
	zeros := start
	lengths, err := f.readInts(c, kindLength, false, &zeros, c.words, true)
	if err != nil {
		return nil, err
	}
	var words []string
	b := c.streams[kindDictionaryData].bytes
	for i, length := range lengths {
		words, b = append(words, string(b[:length])), b[length:]
		if i > 0 && words[i] <= words[i-1] {
			return nil, fmt.Errorf("%q stands in a dictionary behind %q", words[i], words[i-1])
		}
	}
	if len(b) > 0 {
		return nil, fmt.Errorf("a dictionary has %d bytes more", len(b))
	}
	for _, id := range ids {
		vals = append(vals, words[id])
	}
	return vals, nil
}
