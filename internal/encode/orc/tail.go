package orc

import (
	"strings"

	"hydrant/internal/column"
)

// magic stands at the start of a file and in front of its last byte.
const magic = "ORC"

// Who wrote the file, and by which calendar (section 11).
const (
	writerVersion = 6
	writerNumber  = 1000
	proleptic     = 2
)

// writeTail writes metadata, footer and postscript (section 1).
func (f *Writer) writeTail() error {
	content := f.out.n
	metadata := f.shared.codec.append(nil, f.metadata, small)
	footer := f.shared.codec.append(nil, f.footer(content), small)
	tail := append(metadata, footer...)
	script := f.postscript(len(footer), len(metadata))
	tail = append(append(tail, script...), byte(len(script)))
	_, err := f.out.Write(tail)
	return err
}

// footer is the Footer of a file whose stripes end at content.
func (f *Writer) footer(content int64) message {
	m := message(nil).uint(1, uint64(len(magic))).uint(2, uint64(content))
	m = append(m, f.stripes...)
	for _, n := range f.all {
		m = m.bytes(4, typeMessage(n))
	}
	m = m.uint(6, uint64(f.rows))
	for _, n := range f.all {
		m = m.bytes(7, n.file.message(nil).uint(11, n.fileBytes))
	}
	return m.uint(8, uint64(f.opt.RowIndexStride)).uint(9, writerNumber).uint(11, proleptic).
		string(12, strings.ToValidUTF8(f.opt.Software, "\uFFFD"))
}

// typeNumbers are the types' numbers in a footer (section 2).
var typeNumbers = [...]uint64{
	column.Boolean: 0, column.TinyInt: 1, column.SmallInt: 2, column.Int: 3, column.BigInt: 4, column.Float: 5,
	column.Double: 6, column.String: 7, column.Binary: 8, column.Timestamp: 9, column.List: 10, column.Map: 11,
	column.Struct: 12, column.Decimal: 14, column.Date: 15, column.Varchar: 16, column.Char: 17,
}

// typeMessage is a Type.
func typeMessage(n *node) message {
	m := message(nil).uint(1, typeNumbers[n.typ.Kind])
	if n.typ.Kind >= column.List {
		var ids []uint64
		for _, child := range n.children {
			ids = append(ids, uint64(child.id))
		}
		m = m.packed(2, ids, nil)
	}
	for _, field := range n.typ.Fields {
		m = m.string(3, field.Name)
	}
	switch n.typ.Kind {
	case column.Varchar, column.Char:
		m = m.uint(4, uint64(n.typ.Length))
	case column.Decimal:
		m = m.uint(5, uint64(n.typ.Precision)).uint(6, uint64(n.typ.Scale))
	}
	return m
}

// postscript is the PostScript, which is never compressed and ends with the magic.
func (f *Writer) postscript(footer, metadata int) message {
	m := message(nil).uint(1, uint64(footer)).uint(2, uint64(f.opt.Compression))
	if f.opt.Compression != None {
		m = m.uint(3, uint64(f.shared.codec.limit))
	}
	minor := uint64(12)
	if f.opt.Version == V0_11 {
		minor = 11
	}
	return m.packed(4, []uint64{0, minor}, nil).uint(5, uint64(metadata)).uint(6, writerVersion).string(8000, magic)
}
