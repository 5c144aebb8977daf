package orc

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"

	"hydrant/internal/column"
)

// maker makes rows. Each vector has its habits, so that runs, dictionaries and bounds of all
// sorts come up.
type maker struct {
	rnd    *rand.Rand
	habits map[*column.Vector]*habit
	modern bool // timestamps are such that 64 bits of nanoseconds hold them
}

// habit is how the values of a vector are.
type habit struct {
	nulls  int // of ten
	sort   int
	next   int64
	choice []string
}

func newMaker(seed uint64) *maker {
	return &maker{rnd: rand.New(rand.NewPCG(seed, 1)), habits: map[*column.Vector]*habit{}}
}

// batch makes rows.
func (m *maker) batch(schema *column.Type, rows int) *column.Batch {
	b := column.NewBatch(schema)
	m.fill(b, rows)
	return b
}

// fill adds rows to a batch.
func (m *maker) fill(b *column.Batch, rows int) {
	for range rows {
		b.Begin()
		for _, v := range b.Columns {
			m.add(v, false)
		}
		b.End()
	}
}

// habit is that of a vector.
func (m *maker) habit(v *column.Vector) *habit {
	h := m.habits[v]
	if h == nil {
		h = &habit{nulls: []int{0, 0, 3, 9, 10}[m.rnd.IntN(5)], sort: m.rnd.IntN(7)}
		for range 1 + m.rnd.IntN(5) {
			h.choice = append(h.choice, m.text(12))
		}
		m.habits[v] = h
	}
	return h
}

// add adds an entry to a vector. Keys are not null.
func (m *maker) add(v *column.Vector, key bool) {
	h := m.habit(v)
	if !key && m.rnd.IntN(10) < h.nulls {
		v.Null()
		return
	}
	switch v.Type.Kind {
	case column.List, column.Map:
		n := m.rnd.IntN(4)
		v.Many(n)
		for range n {
			for i, child := range v.Children {
				m.add(child, v.Type.Kind == column.Map && i == 0)
			}
		}
	case column.Struct:
		v.Struct()
		for _, child := range v.Children {
			m.add(child, false)
		}
	case column.String, column.Varchar, column.Char, column.Binary:
		v.Text([]byte(m.string(h)))
	case column.Float:
		v.Float(float64(float32(m.float(h))))
	case column.Double:
		v.Float(m.float(h))
	case column.Decimal:
		v.Decimal(m.decimal(v.Type, h))
	case column.Timestamp:
		m.time(v, h)
	default:
		v.Int(m.int(h, bitsOf[v.Type.Kind]))
	}
}

// bitsOf is how many bits the integers of a kind have, without their sign.
var bitsOf = map[column.Kind]int{column.Boolean: 1, column.TinyInt: 7, column.SmallInt: 15, column.Int: 31, column.BigInt: 63, column.Date: 21}

// int makes an integer of at most the bits: constants, steps, rises, runs, small ones with
// outliers, anything, and extremes.
func (m *maker) int(h *habit, bits int) (v int64) {
	switch h.sort {
	case 0:
		v = h.next
	case 1:
		h.next += 3
		v = h.next
	case 2:
		h.next += m.rnd.Int64N(9)
		v = h.next
	case 3:
		if m.rnd.IntN(6) == 0 {
			h.next = m.rnd.Int64N(300) - 100
		}
		v = h.next
	case 4:
		if v = m.rnd.Int64N(100) + 1000; m.rnd.IntN(40) == 0 {
			v = m.rnd.Int64() >> m.rnd.IntN(40)
		}
	case 5:
		v = int64(m.rnd.Uint64()) >> m.rnd.IntN(64)
	default:
		v = []int64{math.MinInt64, math.MaxInt64, 0, -1}[m.rnd.IntN(4)]
	}
	if bits == 1 {
		return v & 1
	}
	return v << (63 - bits) >> (63 - bits)
}

func (m *maker) float(h *habit) float64 {
	switch h.sort {
	case 0:
		return 1.5
	case 1:
		return math.Copysign(0, float64(m.rnd.IntN(2))-1)
	case 2:
		return []float64{math.NaN(), 1, math.Inf(1), math.Float64frombits(0xfff8000000000001)}[m.rnd.IntN(4)]
	}
	return m.rnd.NormFloat64() * 1000
}

func (m *maker) decimal(t *column.Type, h *habit) column.Int128 {
	most := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(t.Precision)), nil)
	v := new(big.Int).Lsh(new(big.Int).SetUint64(m.rnd.Uint64()), 64)
	v.Add(v, new(big.Int).SetUint64(m.rnd.Uint64()))
	if h.sort < 4 {
		v.SetInt64(m.rnd.Int64N(100_000))
	}
	v.Rem(v, most)
	if m.rnd.IntN(2) == 0 {
		v.Neg(v)
	}
	return fromBig(v)
}

// string makes a text: one of few, a numbered one, a long one, or anything, and sometimes
// bytes that are no text.
func (m *maker) string(h *habit) string {
	switch h.sort {
	case 0, 1, 2:
		return h.choice[m.rnd.IntN(len(h.choice))]
	case 3:
		h.next++
		return fmt.Sprintf("key-%d", h.next)
	case 4:
		if m.rnd.IntN(30) == 0 {
			return strings.Repeat(m.text(3), 700)
		}
		return m.text(5)
	case 5:
		return m.text(20) + string([]byte{0xff, 'x', 0xe2, 0x82}[:m.rnd.IntN(5)])
	}
	return m.text(30)
}

// text makes up to most characters.
func (m *maker) text(most int) string {
	var runes []rune
	for range m.rnd.IntN(most + 1) {
		runes = append(runes, []rune("abcdefghijk xyz0123456789äöü€𝄞\U0010ffff\ud7ff")[m.rnd.IntN(32)])
	}
	return string(runes)
}

func (m *maker) time(v *column.Vector, h *habit) {
	seconds, nanos := m.rnd.Int64N(4e9)-1e9, m.rnd.Int32N(1e9)
	switch {
	case h.sort == 0:
		nanos = 0
	case h.sort == 1:
		nanos -= nanos % 1e6
	case h.sort == 2:
		seconds = m.rnd.Int64N(5) - 3
	case h.sort == 3 && !m.modern:
		seconds = m.rnd.Int64N(1e12) - 5e11
	case h.sort == 4:
		h.next++
		seconds = 1_700_000_000 + h.next
	}
	v.Time(seconds, nanos)
}

// entriesOf are what a file has to have of vectors, by number.
func entriesOf(v *column.Vector, all []whole) []whole {
	w := whole{present: slices.Clone(v.Present)}
	n := countTrue(v.Present)
	for i := range n {
		w.values = append(w.values, valueOf(v, i))
	}
	all = append(all, w)
	for _, child := range v.Children {
		all = entriesOf(child, all)
	}
	return all
}

// valueOf is the i-th value of a vector as it is to be read.
func valueOf(v *column.Vector, i int) any {
	switch v.Type.Kind {
	case column.Struct:
		return struct{}{}
	case column.List, column.Map:
		return int64(v.Lengths[i])
	case column.Float, column.Double:
		if v.Floats[i] != v.Floats[i] {
			return uint64(0x7ff8000000000000)
		}
		return math.Float64bits(v.Floats[i])
	case column.Decimal:
		return decimalText(toBig(v.Decimals[i]), v.Type.Scale)
	case column.Timestamp:
		return readTime(v.Ints[i], v.Nanos[i])
	case column.Binary:
		return string(v.Value(i))
	case column.String, column.Varchar, column.Char:
		return readText(v.Type, v.Value(i))
	}
	return v.Ints[i]
}

// readTime is a timestamp as it is to be read: before 1970 there are only milliseconds, and
// the last second before it is lost.
func readTime(s int64, n int32) moment {
	if s < 0 {
		n -= n % 1e6
		if s == -1 && n > 0 {
			s = 0
		}
	}
	return moment{s, n}
}

// readText is a text as it is to be read.
func readText(t *column.Type, b []byte) string {
	runes := []rune(string(b))
	if t.Kind != column.String && len(runes) > t.Length {
		runes = runes[:t.Length]
	}
	if t.Kind == column.Char {
		return string(runes) + strings.Repeat(" ", t.Length-len(runes))
	}
	return string(runes)
}

// rowsOf are what a file of batches has to have. Column 0 is the rows themselves.
func rowsOf(batches ...*column.Batch) []whole {
	var all []whole
	for _, b := range batches {
		more := []whole{{values: slices.Repeat(values{struct{}{}}, b.Rows)}}
		for range b.Rows {
			more[0].present = append(more[0].present, true)
		}
		for _, v := range b.Columns {
			more = entriesOf(v, more)
		}
		if all == nil {
			all = make([]whole, len(more))
		}
		for i := range more {
			all[i].present = append(all[i].present, more[i].present...)
			all[i].values = append(all[i].values, more[i].values...)
		}
	}
	return all
}

// compare tells where columns differ.
func compare(got, want []whole) error {
	for id := range want {
		if !slices.Equal(got[id].present, want[id].present) {
			return fmt.Errorf("column %d: other entries are null", id)
		}
		for i, v := range want[id].values {
			if i >= len(got[id].values) || got[id].values[i] != v {
				return fmt.Errorf("column %d, value %d: not %v", id, i, v)
			}
		}
	}
	return nil
}
