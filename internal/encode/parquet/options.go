package parquet

import (
	"errors"
	"fmt"

	"github.com/parquet-go/parquet-go/format"
)

// Compression is the codec of pages.
type Compression uint8

// The codecs. Gzip is at its default level, as with Hadoop.
const (
	Uncompressed Compression = iota
	Gzip
	Snappy
)

var codecs = [...]format.CompressionCodec{Uncompressed: format.Uncompressed, Gzip: format.Gzip, Snappy: format.Snappy}

// Version is the version of data pages.
type Version uint8

// The versions. In V2 the levels of a page are not compressed, and pages that would not
// become smaller are stored. In both of them values are PLAIN or RLE_DICTIONARY, which every
// reader knows; the delta encodings that parquet-mr takes for V2 are not.
const (
	V1 Version = iota
	V2
)

// What stands for an option that is 0.
const (
	DefaultRowGroupBytes = 256 << 20
	DefaultPageBytes     = 1 << 20
	DefaultCreatedBy     = "hydrant"
)

// Options are those of ParquetSerDe (spec section 6.4), and what bounds the writer.
type Options struct {
	// RowGroupBytes is the size of a block of the file system (BlockSizeBytes). A row group
	// ends when it holds about as many bytes; 0 is DefaultRowGroupBytes.
	RowGroupBytes int64
	// PageBytes is how many bytes a page has before compression, about; 0 is
	// DefaultPageBytes. Pages also end after 20,000 rows, as those of parquet-mr do.
	PageBytes   int
	Compression Compression
	// Dictionary makes leaves, other than booleans, start with a dictionary. A leaf gives its
	// own up if the first page shows that it saves nothing, and ends it when it grows large.
	Dictionary bool
	// MaxPaddingBytes is how many zeros may be written so that a row group starts at the
	// border of a block; if the rest of a block is longer, the next row group is made to fit
	// into it. 0 takes no account of blocks.
	MaxPaddingBytes int64
	Version         Version
	// MemoryBytes bounds what the writer may hold (see Writer.Buffered): the row group ends
	// when it is reached, and pages and dictionaries are made small enough for it to be used
	// well. 0 is no bound.
	MemoryBytes int64
	// CreatedBy names the program in the footer; "" is DefaultCreatedBy. Readers expect
	// "NAME version X (build Y)", and that the name is not parquet-mr.
	CreatedBy string
}

// ErrOptions is wrapped by NewWriter's refusals of options.
var ErrOptions = errors.New("parquet options are not valid")

// Bounds of what options may ask for. The format counts the bytes of a page in 31 bits.
const (
	maxPageBytes  = 512 << 20
	minPageBytes  = 4 << 10
	maxPageRows   = 20_000
	maxDictionary = 1 << 20
)

// complete checks options and sets those that are 0.
func (o *Options) complete() error {
	switch {
	case o.RowGroupBytes < 0, o.PageBytes < 0, o.MaxPaddingBytes < 0, o.MemoryBytes < 0:
		return fmt.Errorf("%w: a size is negative", ErrOptions)
	case o.Compression > Snappy:
		return fmt.Errorf("%w: compression %d is unknown", ErrOptions, o.Compression)
	case o.Version > V2:
		return fmt.Errorf("%w: version %d is unknown", ErrOptions, o.Version)
	}
	if o.RowGroupBytes == 0 {
		o.RowGroupBytes = DefaultRowGroupBytes
	}
	if o.PageBytes == 0 {
		o.PageBytes = DefaultPageBytes
	}
	if o.CreatedBy == "" {
		o.CreatedBy = DefaultCreatedBy
	}
	return nil
}

// limits are how large the parts of a leaf may become, in bytes.
type limits struct{ page, dictionary int }

// share divides a bound of memory: open pages and dictionaries of all leaves together may
// take about half of it, so that the other half fills with finished pages.
func (o *Options) share(leaves int) limits {
	l := limits{page: min(o.PageBytes, maxPageBytes), dictionary: min(o.PageBytes, maxDictionary)}
	if o.MemoryBytes > 0 {
		part := int(min(o.MemoryBytes/int64(4*leaves), maxPageBytes))
		l.page = min(l.page, max(part, minPageBytes))
		l.dictionary = min(l.dictionary, max(part, minPageBytes))
	}
	return l
}
