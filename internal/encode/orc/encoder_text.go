package orc

import (
	"slices"

	"hydrant/internal/column"
)

// maxDictionary is how many bytes of distinct strings a dictionary may hold (section 7.3).
const maxDictionary = 16 << 20

// textEncoder writes strings and binaries, as they are or by a dictionary of the stripe. As long
// as the dictionary is in use only the numbers of the values are kept.
type textEncoder struct {
	base
	typ       *column.Type
	data      *stream
	lengths   integers
	threshold float64     // distinct share up to which a dictionary is used
	most      int         // bytes a dictionary may have
	words     *dictionary // nil if strings are always written as they are
	numbers   integers    // of the dictionary's words, into data
	letters   *stream     // the dictionary's words
	pending   bool        // the dictionary is in use
	firsts    []int       // values in front of each row group, while it is
	strings   textStats
	sizes     sizeStats // in place of strings, for binaries
}

func newTextEncoder(b base, data *stream, t *column.Type, o *Options) *textEncoder {
	length := newStream(kindLength, &b.shared.codec)
	e := &textEncoder{base: b, typ: t, data: data, threshold: o.DictionaryThreshold, most: o.dictionaryBytes}
	e.lengths = newIntegers(length, false, o.Version)
	e.out, e.runs = append(e.out, length), []run{data, e.lengths}
	e.kind = b.shared.directInts()
	if o.Version == V0_11 {
		e.threshold = 1
	}
	if t.Kind != column.Binary && e.threshold > 0 {
		e.words = newDictionary()
		e.numbers = newIntegers(data, false, o.Version)
		e.letters = newStream(kindDictionaryData, &b.shared.codec)
		e.pending = true
	}
	return e
}

func (e *textEncoder) stats() statistics {
	if e.typ.Kind == column.Binary {
		return &e.sizes
	}
	return &e.strings
}

func (e *textEncoder) write(v *column.Vector, from, to int) {
	if from == to {
		return
	}
	t, from, to := e.shared.proper(v, from, to)
	if e.typ.Kind == column.Binary {
		e.sizes.bytes += int64(t.ends[to-1] - t.start(from))
	} else {
		e.strings.add(t, from, to)
	}
	e.filter(t, from, to)
	if !e.pending {
		e.direct(t, from, to)
		return
	}
	e.words.add(t, from, to)
	if len(e.words.texts.bytes) > e.most {
		e.outgrown()
	}
}

// filter adds values to the bloom filter, if there is one.
func (e *textEncoder) filter(t texts, from, to int) {
	if e.bloom == nil {
		return
	}
	for i := from; i < to; i++ {
		e.bloom.add(murmur(t.at(i)))
	}
}

// direct writes values as they are.
func (e *textEncoder) direct(t texts, from, to int) {
	last := t.start(from)
	e.data.write(t.bytes[last:t.ends[to-1]])
	for from < to {
		n := min(to-from, batchValues)
		for i, end := range t.ends[from : from+n] {
			e.shared.ints[i] = int64(end - last)
			last = end
		}
		e.lengths.write(e.shared.ints[:n])
		from += n
	}
}

// outgrown gives up the dictionary, or the stripe where strings need one.
func (e *textEncoder) outgrown() {
	if e.shared.version == V0_11 {
		e.shared.full = true
		return
	}
	e.undo()
}

// mark keeps the position; with a dictionary it is known only when the stripe ends.
func (e *textEncoder) mark() {
	if e.pending {
		e.firsts = append(e.firsts, len(e.words.ids))
		return
	}
	e.base.mark()
}

// endGroup decides behind the first row group whether the dictionary is worth it.
func (e *textEncoder) endGroup() {
	if !e.pending || len(e.firsts) != 1 || len(e.words.ids) == 0 {
		return
	}
	distinct := float32(len(e.words.texts.ends)) / float32(len(e.words.ids))
	if float64(distinct) > e.threshold {
		e.undo()
	}
}

// undo writes the values so far as they are, and the following ones too.
func (e *textEncoder) undo() {
	e.pending = false
	e.replay(e.base.mark, func(ids []uint32) {
		for _, id := range ids {
			word := e.words.texts.at(int(id))
			e.data.write(word)
			e.shared.ints[0] = int64(len(word))
			e.lengths.write(e.shared.ints[:1])
		}
	})
	e.words.reset()
	e.firsts = e.firsts[:0]
}

// replay goes through the numbers of the values, and stops at each start of a row group.
func (e *textEncoder) replay(mark func(), write func(ids []uint32)) {
	at := 0
	for _, first := range e.firsts {
		write(e.words.ids[at:first])
		at = first
		mark()
	}
	write(e.words.ids[at:])
}

func (e *textEncoder) finish() {
	if e.pending {
		e.writeDictionary()
	}
	e.base.finish()
}

// writeDictionary writes the dictionary, sorted, and the numbers of the values in it.
func (e *textEncoder) writeDictionary() {
	order, ranks := e.words.sorted()
	mark := func() { e.marks = e.numbers.position(e.marks) }
	e.replay(mark, func(ids []uint32) {
		for len(ids) > 0 {
			n := min(len(ids), batchValues)
			for i, id := range ids[:n] {
				e.shared.ints[i] = int64(ranks[id])
			}
			e.numbers.write(e.shared.ints[:n])
			ids = ids[n:]
		}
	})
	e.numbers.flush()
	for _, id := range order {
		word := e.words.texts.at(int(id))
		e.letters.write(word)
		e.shared.ints[0] = int64(len(word))
		e.lengths.write(e.shared.ints[:1])
	}
	e.letters.finish()
}

func (e *textEncoder) streams() []*stream {
	if e.pending {
		return append(slices.Clone(e.out), e.letters)
	}
	return e.out
}

func (e *textEncoder) encoding() (encodingKind, int) {
	switch {
	case !e.pending:
		return e.kind, 0
	case e.shared.version == V0_11:
		return dictionaryV1, len(e.words.texts.ends)
	}
	return dictionaryV2, len(e.words.texts.ends)
}

func (e *textEncoder) held() int64 {
	n := e.base.held()
	if e.words != nil {
		n += e.words.held() + e.letters.held() + int64(8*len(e.firsts))
	}
	return n
}

func (e *textEncoder) reset() {
	e.base.reset()
	if e.words != nil {
		e.words.reset()
		e.letters.reset()
		e.firsts, e.pending = e.firsts[:0], true
	}
}
