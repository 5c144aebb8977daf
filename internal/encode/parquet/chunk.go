package parquet

import (
	"fmt"
	"hash/crc32"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// page puts a page together: its header, with the CRC-32 of what follows, levels and body.
func (p *press) page(h *format.PageHeader, levels, body []byte) ([]byte, error) {
	h.CRC = int32(crc32.Update(crc32.ChecksumIEEE(levels), crc32.IEEETable, body))
	p.header.Reset()
	var protocol thrift.CompactProtocol
	if err := thrift.NewEncoder(protocol.NewWriter(&p.header)).Encode(h); err != nil {
		return nil, fmt.Errorf("encode the header of a page: %w", err)
	}
	page := make([]byte, 0, p.header.Len()+len(levels)+len(body))
	return append(append(append(page, p.header.Bytes()...), levels...), body...), nil
}

// add adds a page to the chunk.
func (l *leaf) add(p *press, h *format.PageHeader, levels, body []byte) error {
	page, err := p.page(h, levels, body)
	if err != nil {
		return err
	}
	l.pages = append(l.pages, page)
	l.bytes += int64(len(page))
	l.rawBytes += int64(len(page)) - int64(h.CompressedPageSize) + int64(h.UncompressedPageSize)
	return nil
}

// dictionaryPage makes the page of the dictionary; nil if no page needs one.
func (l *leaf) dictionaryPage(p *press) ([]byte, error) {
	if l.codedPages == 0 {
		return nil, nil
	}
	d := l.dictionary
	out, err := p.compress(d.body)
	if err != nil {
		return nil, err
	}
	h := format.PageHeader{
		Type: format.DictionaryPage, UncompressedPageSize: int32(len(d.body)), CompressedPageSize: int32(len(out)),
		DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{NumValues: int32(d.count), Encoding: format.Plain}),
	}
	page, err := p.page(&h, nil, out)
	l.rawBytes += int64(len(page)) - int64(len(out)) + int64(len(d.body))
	return page, err
}

// end writes the chunk, whose pages have all ended, and says what the footer has to.
func (l *leaf) end(w *Writer) (format.ColumnChunk, error) {
	start := w.offset
	first, err := l.dictionaryPage(&w.press)
	if err != nil {
		return format.ColumnChunk{}, err
	}
	if err := w.put(first); err != nil {
		return format.ColumnChunk{}, err
	}
	c := format.ColumnChunk{FileOffset: start, MetaData: l.metadata()}
	c.MetaData.DataPageOffset = w.offset
	if first != nil {
		c.MetaData.DictionaryPageOffset = start
	}
	for i, page := range l.pages {
		if err := w.put(page); err != nil {
			return c, err
		}
		l.pages[i] = nil
	}
	c.MetaData.TotalCompressedSize = w.offset - start
	return c, nil
}

// metadata is what the footer says of the chunk, but for where it is.
func (l *leaf) metadata() format.ColumnMetaData {
	m := format.ColumnMetaData{
		Type: l.physical, PathInSchema: l.path, Codec: codecs[l.options.Compression],
		NumValues: l.total, TotalUncompressedSize: l.rawBytes,
		Statistics: l.bounds.statistics(l.physical, l.width, l.nulls),
		Encoding:   []format.Encoding{format.RLE},
	}
	data := format.DataPage
	if l.options.Version == V2 {
		data = format.DataPageV2
	}
	stats := func(t format.PageType, e format.Encoding, n int32) {
		if n > 0 {
			m.EncodingStats = append(m.EncodingStats, format.PageEncodingStats{PageType: t, Encoding: e, Count: n})
		}
	}
	stats(format.DictionaryPage, format.Plain, min(l.codedPages, 1))
	stats(data, format.RLEDictionary, l.codedPages)
	stats(data, format.Plain, l.plainPages)
	m.Encoding = append(m.Encoding, format.Plain) // also that of the dictionary
	if l.codedPages > 0 {
		m.Encoding = append(m.Encoding, format.RLEDictionary)
	}
	return m
}
