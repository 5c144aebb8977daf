package orc

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/s2"
)

// orcFile is a file that was opened.
type orcFile struct {
	data        []byte
	compression Compression
	block       int
	footer      parsed
	types       []parsed
	stripes     []parsed
	stripeStats [][]parsed // of each stripe and column
	fileStats   []parsed
	stride      int
	rows        int
}

// openFile reads the tail and checks the sums of it.
func openFile(data []byte) (*orcFile, error) {
	if len(data) < 8 || string(data[:3]) != magic {
		return nil, errors.New("no magic")
	}
	end := len(data) - 1 - int(data[len(data)-1])
	script, err := parse(data[end : len(data)-1])
	if err != nil {
		return nil, err
	}
	if string(data[len(data)-4:len(data)-1]) != magic {
		return nil, errors.New("no magic at the end")
	}
	lengths, err := script.uints(1, 2, 5, 6)
	if err != nil {
		return nil, err
	}
	f := &orcFile{data: data, compression: Compression(lengths[1])}
	if f.compression != None {
		if f.block, err = script.uint(3); err != nil {
			return nil, err
		}
	}
	footerAt := end - lengths[0]
	return f, f.readTail(data[footerAt-lengths[2]:footerAt], data[footerAt:end], footerAt-lengths[2])
}

func (f *orcFile) readTail(metadata, footer []byte, content int) error {
	plain, err := f.plain(footer)
	if err != nil {
		return err
	}
	if f.footer, err = parse(plain.bytes); err != nil {
		return err
	}
	head, err := f.footer.uints(1, 2, 6, 8, 9, 11)
	if err != nil {
		return err
	}
	if head[0] != 3 || head[1] != content || head[4] != 1000 || head[5] != 2 {
		return fmt.Errorf("footer has %v, and the metadata starts at %d", head, content)
	}
	f.rows, f.stride = head[2], head[3]
	if f.types, err = parseAll(f.footer[4]); err != nil {
		return err
	}
	if f.stripes, err = parseAll(f.footer[3]); err != nil {
		return err
	}
	if f.fileStats, err = parseAll(f.footer[7]); err != nil {
		return err
	}
	return f.readMetadata(metadata, content)
}

func parseAll(all []field) (messages []parsed, err error) {
	for _, f := range all {
		m, err := parse(f.bytes)
		if err != nil {
			return nil, err
		}
		messages = append(messages, m)
	}
	return messages, nil
}

// readMetadata reads the statistics of stripes, and checks what is told of all stripes.
func (f *orcFile) readMetadata(metadata []byte, content int) error {
	plain, err := f.plain(metadata)
	if err != nil {
		return err
	}
	m, err := parse(plain.bytes)
	if err != nil {
		return err
	}
	stripes, err := parseAll(m[1])
	if err != nil {
		return err
	}
	for _, st := range stripes {
		columns, err := parseAll(st[1])
		if err != nil || len(columns) != len(f.types) {
			return fmt.Errorf("statistics of %d columns for %d types: %w", len(columns), len(f.types), err)
		}
		f.stripeStats = append(f.stripeStats, columns)
	}
	rows, end := 0, 3
	for _, st := range f.stripes {
		v, err := st.uints(1, 2, 3, 4, 5)
		if err != nil {
			return err
		}
		if v[0] < end || v[4] == 0 {
			return fmt.Errorf("a stripe of %d rows at %d, while the last ends at %d", v[4], v[0], end)
		}
		rows += v[4]
		end = v[0] + v[1] + v[2] + v[3]
	}
	if rows != f.rows || end != content || len(f.stripeStats) != len(f.stripes) || len(f.fileStats) != len(f.types) {
		return fmt.Errorf("%d rows of %d, end %d of %d, statistics of %d stripes of %d", rows, f.rows, end, content, len(f.stripeStats), len(f.stripes))
	}
	return nil
}

// content is a stream or message without compression, and where its chunks start in both.
type content struct {
	bytes  []byte
	chunks map[int]int // by their place in the file: the place in bytes
	sizes  map[int]int // and how much of them
}

// plain takes the compression off.
func (f *orcFile) plain(b []byte) (*content, error) {
	c := &content{chunks: map[int]int{}, sizes: map[int]int{}}
	if f.compression == None {
		c.bytes = b
		return c, nil
	}
	for at := 0; at < len(b); {
		if len(b)-at < headerBytes {
			return nil, errShort
		}
		header := int(b[at]) | int(b[at+1])<<8 | int(b[at+2])<<16
		body := b[at+headerBytes:]
		if len(body) < header>>1 {
			return nil, errShort
		}
		body = body[:header>>1]
		chunk, err := f.chunk(body, header&1 == 1)
		if err != nil {
			return nil, err
		}
		c.chunks[at], c.sizes[at] = len(c.bytes), len(chunk)
		c.bytes = append(c.bytes, chunk...)
		at += headerBytes + len(body)
	}
	return c, nil
}

func (f *orcFile) chunk(body []byte, original bool) (chunk []byte, err error) {
	switch {
	case original:
		chunk = body
	case f.compression == Snappy:
		chunk, err = s2.Decode(nil, body)
	default:
		chunk, err = io.ReadAll(flate.NewReader(bytes.NewReader(body)))
	}
	if err == nil && (len(chunk) > f.block || len(chunk) == 0 || !original && len(body) >= len(chunk)) {
		err = fmt.Errorf("a chunk of %d bytes of %d", len(body), len(chunk))
	}
	return chunk, err
}

// from is the content from a position on, which takes the first numbers of positions.
func (c *content) from(compressed bool, positions *[]uint64) ([]byte, error) {
	p := *positions
	if c == nil {
		c = &content{}
	}
	at := 0
	if compressed {
		if len(p) < 2 {
			return nil, errors.New("positions are missing")
		}
		start, ok := c.chunks[int(p[0])]
		if !ok && (p[0] != 0 || p[1] != 0 || len(c.bytes) > 0) {
			return nil, fmt.Errorf("no chunk starts at %d", p[0])
		}
		if int(p[1]) > c.sizes[int(p[0])] {
			return nil, fmt.Errorf("position %d in a chunk of %d bytes", p[1], c.sizes[int(p[0])])
		}
		at, *positions = start+int(p[1]), p[2:]
	} else {
		if len(p) < 1 || int(p[0]) > len(c.bytes) {
			return nil, fmt.Errorf("position %v in %d bytes", p, len(c.bytes))
		}
		at, *positions = int(p[0]), p[1:]
	}
	return c.bytes[at:], nil
}

// orcStripe is a stripe that was read.
type orcStripe struct {
	rows    int
	columns []*orcColumn
	zone    string
}

// orcColumn is a column of a stripe.
type orcColumn struct {
	id       int
	encoding encodingKind
	words    int
	bloomed  bool
	streams  map[streamKind]*content
	onDisk   int
	groups   []orcGroup
	blooms   []parsed
}

// orcGroup is an entry of a row index.
type orcGroup struct {
	positions []uint64
	stats     parsed
}

// stripe reads the footer of a stripe, its streams, and its index.
func (f *orcFile) stripe(i int) (*orcStripe, error) {
	v, err := f.stripes[i].uints(1, 2, 3, 4, 5)
	if err != nil {
		return nil, err
	}
	body := f.data[v[0] : v[0]+v[1]+v[2]]
	plain, err := f.plain(f.data[v[0]+v[1]+v[2] : v[0]+v[1]+v[2]+v[3]])
	if err != nil {
		return nil, err
	}
	footer, err := parse(plain.bytes)
	if err != nil {
		return nil, err
	}
	st := &orcStripe{rows: v[4]}
	if footer.has(3) {
		st.zone = string(footer[3][0].bytes)
	}
	if err := st.readEncodings(footer, len(f.types)); err != nil {
		return nil, err
	}
	if err := f.readStreams(st, footer, body, v[1]); err != nil {
		return nil, err
	}
	for _, c := range st.columns {
		if err := c.readIndex((st.rows + f.stride - 1) / f.stride); err != nil {
			return nil, fmt.Errorf("column %d: %w", c.id, err)
		}
	}
	return st, nil
}

func (st *orcStripe) readEncodings(footer parsed, columns int) error {
	encodings, err := parseAll(footer[2])
	if err != nil || len(encodings) != columns {
		return fmt.Errorf("%d encodings for %d columns: %w", len(encodings), columns, err)
	}
	for id, e := range encodings {
		kind, err := e.uint(1)
		if err != nil {
			return err
		}
		c := &orcColumn{id: id, encoding: encodingKind(kind), bloomed: e.has(3), streams: map[streamKind]*content{}}
		if c.encoding == dictionaryV1 || c.encoding == dictionaryV2 {
			if c.words, err = e.uint(2); err != nil {
				return err
			}
		}
		st.columns = append(st.columns, c)
	}
	return nil
}

// readStreams takes the streams one behind the other, and checks their order and sums.
func (f *orcFile) readStreams(st *orcStripe, footer parsed, body []byte, indexBytes int) error {
	streams, err := parseAll(footer[1])
	if err != nil {
		return err
	}
	at, lastOrder := 0, -1
	for _, s := range streams {
		v, err := s.uints(1, 2, 3)
		if err != nil {
			return err
		}
		kind, c := streamKind(v[0]), st.columns[v[1]]
		isIndex := kind >= kindRowIndex
		order := v[1]*16 + v[0]
		if !isIndex {
			order += 1 << 30
			c.onDisk += v[2]
		}
		if order <= lastOrder || isIndex != (at < indexBytes) && v[2] > 0 {
			return fmt.Errorf("stream %v at %d of an index of %d bytes", v, at, indexBytes)
		}
		lastOrder = order
		if c.streams[kind], err = f.plain(body[at : at+v[2]]); err != nil {
			return fmt.Errorf("stream %v: %w", v, err)
		}
		at += v[2]
	}
	if at != len(body) {
		return fmt.Errorf("streams of %d bytes in %d", at, len(body))
	}
	return nil
}

func (c *orcColumn) readIndex(groups int) error {
	index := c.streams[kindRowIndex]
	if index == nil {
		return errors.New("no row index")
	}
	m, err := parse(index.bytes)
	if err != nil {
		return err
	}
	entries, err := parseAll(m[1])
	if err != nil || len(entries) != groups {
		return fmt.Errorf("%d entries for %d groups: %w", len(entries), groups, err)
	}
	for _, e := range entries {
		if len(e[2]) != 1 {
			return errors.New("no statistics")
		}
		stats, err := parse(e[2][0].bytes)
		if err != nil {
			return err
		}
		c.groups = append(c.groups, orcGroup{e.unpack(1), stats})
	}
	if c.bloomed != (c.streams[kindBloomFilter] != nil) {
		return errors.New("a bloom filter without its encoding, or the other way round")
	}
	if !c.bloomed {
		return nil
	}
	if m, err = parse(c.streams[kindBloomFilter].bytes); err != nil {
		return err
	}
	if c.blooms, err = parseAll(m[1]); err == nil && len(c.blooms) != groups {
		err = fmt.Errorf("%d bloom filters for %d groups", len(c.blooms), groups)
	}
	return err
}
