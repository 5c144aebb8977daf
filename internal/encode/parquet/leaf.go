package parquet

import (
	"math/bits"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"hydrant/internal/column"
)

// leaf is a column of the file: what is fixed, the open page, and the column chunk so far.
type leaf struct {
	options        *Options
	limits         limits
	kind           column.Kind
	physical       format.Type
	width          int // of a PLAIN value in bytes, 0 if it differs
	maxDef, maxRep uint8
	path           []string

	// The open page.
	rep, def hybrid
	values   []byte   // PLAIN
	bits     int      // how many booleans are in values
	indexes  []uint32 // into the dictionary; values is empty then
	raw      int      // how many bytes the values behind indexes take
	slots    int
	present  int // slots with a value
	rows     int

	chunk
}

// chunk is a column chunk that grows.
type chunk struct {
	bounds     bounds
	dictionary *dictionary // nil without one; also if it was given up
	coded      bool        // values go into the dictionary
	pages      [][]byte    // headers and all
	bytes      int64       // in pages
	rawBytes   int64       // in pages before compression
	total      int64       // slots in pages
	nulls      int64       // in pages
	codedPages int32
	plainPages int32
	spare      *dictionary // memory for the next one
}

// begin starts a column chunk, with an empty page.
func (l *leaf) begin() {
	if d := l.dictionary; d != nil {
		l.spare = d
	}
	clear(l.pages)
	l.chunk = chunk{bounds: l.bounds, pages: l.pages[:0], spare: l.spare}
	l.bounds.reset()
	if l.options.Dictionary && l.kind != column.Boolean {
		if l.spare == nil {
			l.spare = &dictionary{width: l.width}
		}
		l.spare.reset()
		l.dictionary, l.coded = l.spare, true
	}
	l.clearPage()
}

func (l *leaf) clearPage() {
	l.rep.reset(uint(bits.Len8(l.maxRep)))
	l.def.reset(uint(bits.Len8(l.maxDef)))
	l.values, l.indexes = l.values[:0], l.indexes[:0]
	l.bits, l.raw, l.slots, l.present, l.rows = 0, 0, 0, 0, 0
}

// append adds slots, with the values from..to-1 of v for those at the highest level.
func (l *leaf) append(v *column.Vector, rep, def []uint8, from, to int) {
	l.rep.levels(rep)
	l.def.levels(def)
	l.slots += len(def)
	l.present += to - from
	l.plain(v, from, to)
	if l.coded {
		l.code()
	}
}

// code replaces the values by indexes.
func (l *leaf) code() {
	d := l.dictionary
	known := d.count
	l.raw += len(l.values)
	l.indexes = d.indexes(l.indexes, l.values)
	l.values = l.values[:0]
	if d.width == 0 {
		for i := known; i < d.count; i++ {
			text := d.value(uint32(i))
			l.bounds.text(text, 4, uint32(len(text)))
		}
	}
}

// open is how many bytes the open page holds.
func (l *leaf) open() int {
	return l.rep.size() + l.def.size() + len(l.values) + 4*len(l.indexes)
}

// headerBytes is about how many bytes the header of a page has.
const headerBytes = 40

// held is how many bytes are held of the column chunk.
func (l *leaf) held() int64 {
	n := int64(l.open()+headerBytes) + l.bytes + int64(len(l.bounds.minText)+len(l.bounds.maxText))
	if l.dictionary != nil {
		n += int64(l.dictionary.size())
	}
	return n
}

// advance counts rows whose slots were appended, and ends the page if it is full.
func (l *leaf) advance(rows int, p *press) error {
	l.rows += rows
	full := l.coded && len(l.dictionary.body) >= l.limits.dictionary
	if full || l.rows >= maxPageRows || l.open() >= l.limits.page {
		if err := l.endPage(p); err != nil {
			return err
		}
	}
	if full {
		l.coded = false
	}
	return nil
}

// endPage adds the open page to the chunk.
func (l *leaf) endPage(p *press) error {
	if l.rows == 0 {
		return nil
	}
	if l.coded && l.codedPages == 0 && !l.pays() {
		l.values = l.dictionary.expand(l.values, l.indexes)
		l.indexes = l.indexes[:0]
		l.dictionary, l.coded = nil, false
	}
	encoding := format.Plain
	if l.coded {
		encoding = format.RLEDictionary
		l.codedPages++
	} else {
		l.plainPages++
	}
	var err error
	if l.options.Version == V2 {
		err = l.pageV2(p, encoding)
	} else {
		err = l.pageV1(p, encoding)
	}
	l.total += int64(l.slots)
	l.nulls += int64(l.slots - l.present)
	l.clearPage()
	return err
}

// pays reports whether the dictionary and the indexes are shorter than the values.
func (l *leaf) pays() bool {
	d := l.dictionary
	return len(d.body)+len(l.indexes)*int(d.bits())/8 < l.raw
}

// encoded appends the values of the page.
func (l *leaf) encoded(to []byte, p *press) []byte {
	if !l.coded {
		return append(to, l.values...)
	}
	width := l.dictionary.bits()
	p.indexes.reset(width)
	p.indexes.indexes(l.indexes)
	return append(append(to, byte(width)), p.indexes.finish()...)
}

// pageV1 makes a page whose levels, each behind its length, are compressed with the values.
func (l *leaf) pageV1(p *press, encoding format.Encoding) error {
	raw := p.raw[:0]
	if l.maxRep > 0 {
		raw = framed(raw, l.rep.finish())
	}
	if l.maxDef > 0 {
		raw = framed(raw, l.def.finish())
	}
	p.raw = l.encoded(raw, p)
	out, err := p.compress(p.raw)
	if err != nil {
		return err
	}
	h := format.PageHeader{
		Type: format.DataPage, UncompressedPageSize: int32(len(p.raw)), CompressedPageSize: int32(len(out)),
		DataPageHeader: thrift.New(format.DataPageHeader{
			NumValues: int32(l.slots), Encoding: encoding, DefinitionLevelEncoding: format.RLE, RepetitionLevelEncoding: format.RLE,
			Statistics: format.Statistics{NullCount: int64(l.slots - l.present)},
		}),
	}
	return l.add(p, &h, nil, out)
}

// framed appends levels behind their length.
func framed(to, levels []byte) []byte {
	n := len(levels)
	to = append(to, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
	return append(to, levels...)
}

// pageV2 makes a page whose levels stand before the compressed values.
func (l *leaf) pageV2(p *press, encoding format.Encoding) error {
	rep := l.rep.finish()
	def := l.def.finish()
	p.raw = l.encoded(append(append(p.raw[:0], rep...), def...), p)
	levels, values := p.raw[:len(rep)+len(def)], p.raw[len(rep)+len(def):]
	out, err := p.compress(values)
	if err != nil {
		return err
	}
	compressed := p.codec != Uncompressed && len(out) < len(values)
	if !compressed {
		out = values
	}
	h := format.PageHeader{
		Type: format.DataPageV2, UncompressedPageSize: int32(len(p.raw)), CompressedPageSize: int32(len(levels) + len(out)),
		DataPageHeaderV2: thrift.New(format.DataPageHeaderV2{
			NumValues: int32(l.slots), NumNulls: int32(l.slots - l.present), NumRows: int32(l.rows), Encoding: encoding,
			DefinitionLevelsByteLength: int32(len(def)), RepetitionLevelsByteLength: int32(len(rep)),
			IsCompressed: thrift.New(compressed),
			Statistics:   format.Statistics{NullCount: int64(l.slots - l.present)},
		}),
	}
	return l.add(p, &h, levels, out)
}
