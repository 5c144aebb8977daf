package orc

import (
	"encoding/binary"
	"math"

	"hydrant/internal/column"
)

// encoder writes the values of a node into its streams, PRESENT apart.
type encoder interface {
	// write adds the values from one to another.
	write(v *column.Vector, from, to int)
	// mark keeps the positions, as a row group starts here.
	mark()
	// endGroup is called behind each row group.
	endGroup()
	// finish ends the streams. Nothing is written after it until reset.
	finish()
	// streams are those of the stripe, sorted by kind.
	streams() []*stream
	// encoding is how the values were written, and how many entries their dictionary has.
	encoding() (encodingKind, int)
	// group is the positions where one of a number of row groups starts.
	group(g, groups int) []uint64
	// held is how many bytes are held.
	held() int64
	// reset forgets all values, for the next stripe.
	reset()
	// stats are those of the current row group, nil if the type has none of its own.
	stats() statistics
}

// encodingKind is how the values of a node are written in a stripe (section 2).
type encodingKind uint8

// The encodings: those of RLEv1 or without integers, and those of RLEv2.
const (
	direct       encodingKind = 0
	dictionaryV1 encodingKind = 1
	directV2     encodingKind = 2
	dictionaryV2 encodingKind = 3
)

// batchValues is how many values are converted at a time.
const batchValues = 512

// shared is what the nodes of a writer use one after the other.
type shared struct {
	codec   codec
	version Version
	ints    [batchValues]int64
	nanos   [batchValues]int64
	bytes   []byte
	text    texts
	full    bool // a dictionary is full, so the stripe has to end
}

// directInts is the encoding of values that are written as integers, not in a dictionary.
func (s *shared) directInts() encodingKind {
	if s.version == V0_11 {
		return direct
	}
	return directV2
}

// run is an encoder of a stream, or a stream that has none.
type run interface {
	flush()
	position(at []uint64) []uint64
}

// flush is there to make a run of a stream of bytes.
func (s *stream) flush() {}

// base is what encoders have in common.
type base struct {
	shared *shared
	out    []*stream
	runs   []run // in the order of their positions (section 8.2)
	marks  []uint64
	kind   encodingKind
	bloom  *bloom // nil if there is none
}

func (b *base) mark() {
	for _, r := range b.runs {
		b.marks = r.position(b.marks)
	}
}

func (b *base) finish() {
	for _, r := range b.runs {
		r.flush()
	}
	for _, s := range b.out {
		s.finish()
	}
}

func (b *base) endGroup()                     {}
func (b *base) streams() []*stream            { return b.out }
func (b *base) encoding() (encodingKind, int) { return b.kind, 0 }

func (b *base) group(g, groups int) []uint64 {
	width := len(b.marks) / groups
	return b.marks[g*width : (g+1)*width]
}

func (b *base) held() int64 {
	n := int64(8 * len(b.marks))
	for _, s := range b.out {
		n += s.held()
	}
	return n
}

func (b *base) reset() {
	b.marks = b.marks[:0]
	for _, s := range b.out {
		s.reset()
	}
}

// newEncoder returns the encoder of a type.
func newEncoder(t *column.Type, s *shared, o *Options, filter *bloom) encoder {
	b := base{shared: s, bloom: filter}
	data := newStream(kindData, &s.codec)
	b.out = []*stream{data}
	switch t.Kind {
	case column.Boolean:
		return newBoolEncoder(b, data)
	case column.TinyInt:
		return newTinyEncoder(b, data)
	case column.SmallInt, column.Int, column.BigInt, column.Date:
		return newIntEncoder(b, data, t.Kind == column.Date)
	case column.Float, column.Double:
		return newFloatEncoder(b, data, t.Kind == column.Float)
	case column.Decimal:
		return newDecimalEncoder(b, data, t.Scale)
	case column.Timestamp:
		return newTimeEncoder(b, data)
	case column.List, column.Map:
		return newListEncoder(b)
	case column.Struct:
		b.out = nil
		return &structEncoder{b}
	}
	return newTextEncoder(b, data, t, o)
}

// boolEncoder writes booleans.
type boolEncoder struct {
	base
	bits  bitRuns
	trues boolStats
}

func newBoolEncoder(b base, data *stream) *boolEncoder {
	e := &boolEncoder{base: b, bits: bitRuns{bytes: byteRuns{out: data}}}
	e.runs = []run{&e.bits}
	return e
}

func (e *boolEncoder) stats() statistics { return &e.trues }

func (e *boolEncoder) write(v *column.Vector, from, to int) {
	vals := v.Ints[from:to]
	e.bits.values(vals)
	for _, v := range vals {
		e.trues.trues += uint64(v)
	}
}

// tinyEncoder writes integers of a byte.
type tinyEncoder struct {
	base
	bytes byteRuns
	ints  intStats
}

func newTinyEncoder(b base, data *stream) *tinyEncoder {
	e := &tinyEncoder{base: b, bytes: byteRuns{out: data}}
	e.runs = []run{&e.bytes}
	return e
}

func (e *tinyEncoder) stats() statistics { return &e.ints }

func (e *tinyEncoder) write(v *column.Vector, from, to int) {
	vals := v.Ints[from:to]
	e.ints.add(vals)
	e.bloom.ints(vals)
	for _, v := range vals {
		e.bytes.put(byte(v))
	}
}

// ints adds numbers to a filter, if there is one.
func (b *bloom) ints(vals []int64) {
	if b == nil {
		return
	}
	for _, v := range vals {
		b.add(wang(v))
	}
}

// intEncoder writes larger integers, and days.
type intEncoder struct {
	base
	data integers
	ints intStats
	days *dateStats // nil if the values are no days
}

func newIntEncoder(b base, data *stream, days bool) *intEncoder {
	e := &intEncoder{base: b, data: newIntegers(data, true, b.shared.version)}
	e.runs, e.kind = []run{e.data}, b.shared.directInts()
	if days {
		e.days = &dateStats{}
	}
	return e
}

func (e *intEncoder) stats() statistics {
	if e.days != nil {
		return e.days
	}
	return &e.ints
}

func (e *intEncoder) write(v *column.Vector, from, to int) {
	vals := v.Ints[from:to]
	if e.days != nil {
		e.days.days.add(vals)
	} else {
		e.ints.add(vals)
	}
	e.bloom.ints(vals)
	e.data.write(vals)
}

// floatEncoder writes numbers with a point, of 4 or 8 bytes.
type floatEncoder struct {
	base
	data   *stream
	single bool
	floats floatStats
}

func newFloatEncoder(b base, data *stream, single bool) *floatEncoder {
	e := &floatEncoder{base: b, data: data, single: single}
	e.runs = []run{data}
	return e
}

func (e *floatEncoder) stats() statistics { return &e.floats }

func (e *floatEncoder) write(v *column.Vector, from, to int) {
	vals := v.Floats[from:to]
	e.floats.add(vals)
	e.bloom.floats(vals)
	for len(vals) > 0 {
		n := min(len(vals), batchValues)
		buf := e.shared.bytes[:0]
		if e.single {
			buf = appendSingles(buf, vals[:n])
		} else {
			buf = appendDoubles(buf, vals[:n])
		}
		e.data.write(buf)
		e.shared.bytes, vals = buf, vals[n:]
	}
}

// appendDoubles appends the values with the lowest byte first.
func appendDoubles(dst []byte, vals []float64) []byte {
	for _, v := range vals {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(canonical(v)))
	}
	return dst
}

func appendSingles(dst []byte, vals []float64) []byte {
	for _, v := range vals {
		bits := math.Float32bits(float32(v))
		if v != v {
			bits = 0x7fc00000
		}
		dst = binary.LittleEndian.AppendUint32(dst, bits)
	}
	return dst
}

// floats adds numbers to a filter, if there is one: for a zero both zeros.
func (b *bloom) floats(vals []float64) {
	if b == nil {
		return
	}
	for _, v := range vals {
		b.add(wang(floatKey(v)))
		if v == 0 {
			b.add(wang(floatKey(-v)))
		}
	}
}
