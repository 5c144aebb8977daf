package orc

import (
	"errors"
	"fmt"
	"math"
	"math/bits"

	"hydrant/internal/column"
)

// Compression is how the chunks of a file are compressed.
type Compression uint8

// The compressions, with the numbers they have in a postscript.
const (
	None   Compression = 0
	ZLIB   Compression = 1
	Snappy Compression = 2
)

// Version is the version of the file format.
type Version uint8

// The versions. V0_11 has the first generation of run lengths, dictionaries for all strings and
// no bloom filters (section 11).
const (
	V0_12 Version = iota
	V0_11
)

// Options are the choices of OrcSerDe (section 12) and some for tests. The zero value of each
// takes what stands in parentheses.
type Options struct {
	StripeBytes         int64       // size at which a stripe is ended (64 MiB; at most 1 GiB is used)
	BlockBytes          int64       // size of the blocks that padding keeps stripes in (256 MiB)
	RowIndexStride      int         // rows in a row group (10,000)
	Padding             bool        // pad stripes that would cross a block border
	PaddingTolerance    float64     // share of StripeBytes that may be padding
	Compression         Compression // of all but the postscript
	BloomColumns        []string    // columns with bloom filters; see KnownBloomColumns
	BloomFPP            float64     // share of false positives of bloom filters (0.05)
	DictionaryThreshold float64     // distinct share of strings up to which a dictionary is used; 0 never, 1 always
	Version             Version     // of the format
	MemoryBytes         int64       // a stripe is ended early when the writer holds this much (no bound)
	CompressionBlock    int         // largest chunk, before compression (256 KiB; less for small stripes)
	Software            string      // Footer.software_version ("hydrant")

	dictionaryBytes int // distinct strings of a dictionary (16 MiB); less in tests
}

// Errors of NewWriter and Write, wrapped with what is wrong.
var (
	// ErrOptions: an option is out of its range, or names a column that is not there.
	ErrOptions = errors.New("orc: bad option")
	// ErrSchema: the schema cannot be written, or a batch has another one.
	ErrSchema = errors.New("orc: bad schema")
	// ErrClosed: the writer was closed.
	ErrClosed = errors.New("orc: writer is closed")
)

// Defaults and bounds.
const (
	defaultStripe = 64 << 20
	maxStripe     = 1 << 30 // stream lengths and positions have to fit int32 (section 8.3)
	defaultBlock  = 256 << 20
	defaultStride = 10_000
	maxStride     = 1 << 30
	maxChunk      = 256 << 10
	minChunk      = 4 << 10
	maxNodes      = 1 << 14
)

// check completes the options and finds what is out of range.
func (o *Options) check() error {
	if o.Compression > Snappy || o.Version > V0_11 {
		return fmt.Errorf("%w: compression %d, version %d", ErrOptions, o.Compression, o.Version)
	}
	for _, n := range []int64{o.StripeBytes, o.BlockBytes, int64(o.RowIndexStride), o.MemoryBytes, int64(o.CompressionBlock)} {
		if n < 0 {
			return fmt.Errorf("%w: %d is negative", ErrOptions, n)
		}
	}
	for _, share := range []float64{o.PaddingTolerance, o.BloomFPP, o.DictionaryThreshold} {
		if !(share >= 0 && share <= 1) {
			return fmt.Errorf("%w: %v is not from 0 to 1", ErrOptions, share)
		}
	}
	if o.RowIndexStride > maxStride {
		return fmt.Errorf("%w: a row group of %d rows", ErrOptions, o.RowIndexStride)
	}
	o.complete()
	return nil
}

// complete sets what was left zero.
func (o *Options) complete() {
	o.StripeBytes = min(either(o.StripeBytes, defaultStripe), maxStripe)
	o.BlockBytes = either(o.BlockBytes, defaultBlock)
	o.RowIndexStride = either(o.RowIndexStride, defaultStride)
	o.CompressionBlock = min(either(o.CompressionBlock, maxChunk), maxChunk)
	o.MemoryBytes = either(o.MemoryBytes, math.MaxInt64)
	o.BloomFPP = either(o.BloomFPP, 0.05)
	o.dictionaryBytes = either(o.dictionaryBytes, maxDictionary)
	o.Software = either(o.Software, "hydrant")
}

// either is v, or other if v is zero.
func either[T comparable](v, other T) T {
	var zero T
	if v == zero {
		return other
	}
	return v
}

// chunkBytes is how large chunks are: less than configured if stripes are small and columns
// many, so that open chunks do not outgrow a stripe (section 3).
func (o *Options) chunkBytes(nodes int) int {
	share := max(o.StripeBytes/int64(20*nodes), 1)
	power := int64(1) << bits.Len64(uint64(share-1))
	return min(int(min(max(power, minChunk), maxChunk)), o.CompressionBlock)
}

// checkSchema finds what makes the schema unfit for a file, and counts its nodes.
func checkSchema(t *column.Type, depth int) (nodes int, err error) {
	if t == nil || depth > column.MaxDepth+1 {
		return 0, fmt.Errorf("%w: a type is missing, or too deep", ErrSchema)
	}
	nodes = 1
	for _, child := range childTypes(t) {
		n, err := checkSchema(child, depth+1)
		if err != nil {
			return 0, err
		}
		if nodes += n; nodes > maxNodes {
			return 0, fmt.Errorf("%w: more than %d columns, nested ones included", ErrSchema, maxNodes)
		}
	}
	if t.Kind == column.Decimal && (t.Precision < 1 || t.Precision > 38 || t.Scale < 0 || t.Scale > t.Precision) {
		return 0, fmt.Errorf("%w: %s", ErrSchema, t)
	}
	return nodes, nil
}

// childTypes are the types of the nodes below one of type t.
func childTypes(t *column.Type) []*column.Type {
	switch t.Kind {
	case column.List:
		return []*column.Type{t.Elem}
	case column.Map:
		return []*column.Type{t.Key, t.Elem}
	case column.Struct:
		types := make([]*column.Type, len(t.Fields))
		for i := range t.Fields {
			types[i] = t.Fields[i].Type
		}
		return types
	}
	return nil
}
