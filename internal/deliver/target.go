package deliver

import (
	"strconv"
	"time"

	"hydrant/internal/batch"
	"hydrant/internal/record"
	"hydrant/internal/stream"
)

// Encodings finds the encoding of a format. The same format gives the same bytes, in every
// version of Hydrant that may have to finish a manifest of an older one.
type Encodings interface {
	Encoding(f Format) (Encoding, error)
}

// target is how one version of a stream delivers one of its outputs.
type target struct {
	def      *stream.Definition
	version  int
	paused   bool // makes no new plans
	staged   bool // the records are processed first
	bucket   string
	key      string // ARN of the KMS key of objects; empty for none
	names    *batch.Names
	failures string // error output type of the records; empty for data and backup
	limits   batch.Limits
	quota    int // of open partitions; 0: any number
	converts bool
	format   Format
	encoding Encoding
}

// lingerInterval is the age at which a buffer of an interval of 0 is delivered: "as soon
// as possible" (spec section 3.3), yet not one object per record.
const lingerInterval = 500 * time.Millisecond

// target says where an output goes: the backup to its own bucket, failure records to that
// of the data under the error prefix (spec firehose.md sections 3.5, 4.6).
func (opt *Options) target(d *stream.Definition, o record.Output) (*target, error) {
	s3 := d.S3
	if o == record.Backup {
		s3 = d.S3.S3Backup
	}
	names, err := batch.CompileNames(batch.NamesConfig{
		Stream:            d.Name,
		Version:           strconv.Itoa(d.Version),
		Prefix:            text(s3.Prefix),
		ErrorOutputPrefix: text(s3.ErrorOutputPrefix),
		TimeZone:          text(s3.CustomTimeZone),
		Compression:       s3.CompressionFormat,
		FileExtension:     extension(s3, o),
		Dynamic:           s3.Partitions(),
	})
	if err != nil {
		return nil, err
	}
	t := &target{
		def:     d,
		version: d.Version,
		paused:  d.Paused,
		staged:  o == record.Data && processes(d),
		bucket:  s3.Bucket(),
		key:     s3.ObjectKey(),
		names:   names,
		limits:  batch.Limits{Bytes: s3.BufferBytes(), Age: max(s3.BufferInterval(), lingerInterval)},
		format:  Format{Compression: s3.CompressionFormat, Delimited: o == record.Data && s3.Find(stream.DelimiterProcessor) != nil},
	}
	t.failures = errorTypes[o]
	t.converts = o == record.Data && d.S3.Converts()
	t.format.Delimited = t.format.Delimited && !t.converts // JSON documents need nothing between them
	if opt.Partitions != nil {
		t.quota = opt.Partitions(d.Name)
	}
	if t.format.Compression.Deflated() {
		t.format.Level = opt.GzipLevel
	}
	t.encoding, err = opt.Encodings.Encoding(t.format)
	return t, err
}

// Partitioner returns what evaluates the prefixes of a stream's partitions.
func (m *Manager) Partitioner(d *stream.Definition) (*batch.Partitioner, error) {
	t, err := m.opt.target(d, record.Data)
	if err != nil {
		return nil, err
	}
	return t.names.Partitioner(), nil
}

// Example is an object like one that the records of an output would be in, had the oldest
// arrived at the given time. prefix is that of their partition; nil: there is none.
func (m *Manager) Example(d *stream.Definition, o record.Output, oldest time.Time, prefix *string) (record.Object, error) {
	t, err := m.opt.target(d, o)
	if err != nil {
		return record.Object{}, err
	}
	return t.object(newNonce(), 0, oldest, prefix), nil
}

// extension is the one of data objects that takes the place of the compression's; empty: none
// does.
func extension(s3 *stream.S3Destination, o record.Output) string {
	switch own := text(s3.FileExtension); {
	case own != "" || o != record.Data || !s3.Converts():
		return own
	case s3.Conversion.OutputFormat.Serializer.ORC != nil:
		return ".orc"
	}
	return ".parquet"
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// object names the i-th object of a plan, whose oldest record arrived at the given time, in
// the partition of a prefix; nil: in none.
func (t *target) object(n nonce, i int, oldest time.Time, prefix *string) record.Object {
	key := ""
	switch {
	case t.failures != "":
		key = t.names.Failure(t.failures, oldest, n.object(i))
	case prefix != nil:
		key = t.names.InPartition(*prefix, oldest, n.object(i))
	default:
		key = t.names.Data(oldest, n.object(i))
	}
	return record.Object{
		Bucket:          t.bucket,
		Key:             key,
		ContentType:     batch.ContentType,
		ContentEncoding: t.encoding.ContentEncoding(),
		KMSKey:          t.key,
	}
}
