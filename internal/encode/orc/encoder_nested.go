package orc

import "hydrant/internal/column"

// structEncoder writes nothing: a struct is its fields.
type structEncoder struct{ base }

func (e *structEncoder) stats() statistics              { return nil }
func (e *structEncoder) write(*column.Vector, int, int) {}

// listEncoder writes how many elements lists and maps have.
type listEncoder struct {
	base
	lengths integers
	lists   listStats
}

func newListEncoder(b base) *listEncoder {
	length := newStream(kindLength, &b.shared.codec)
	e := &listEncoder{base: b, lengths: newIntegers(length, false, b.shared.version)}
	e.out, e.runs, e.kind = []*stream{length}, []run{e.lengths}, b.shared.directInts()
	return e
}

func (e *listEncoder) stats() statistics { return &e.lists }

func (e *listEncoder) write(v *column.Vector, from, to int) {
	vals := v.Lengths[from:to]
	e.lists.add(vals)
	for len(vals) > 0 {
		n := min(len(vals), batchValues)
		for i, length := range vals[:n] {
			e.shared.ints[i] = int64(length)
		}
		e.lengths.write(e.shared.ints[:n])
		vals = vals[n:]
	}
}
