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
	format   Format
	encoding Encoding
}

// lingerInterval is the age at which a buffer of an interval of 0 is delivered: "as soon
// as possible" (spec section 3.3), yet not one object per record.
const lingerInterval = 500 * time.Millisecond

// newTarget says where an output goes: the backup to its own bucket, failure records to that
// of the data under the error prefix (spec firehose.md sections 3.5, 4.6).
func newTarget(d *stream.Definition, o record.Output, enc Encodings, gzipLevel int) (*target, error) {
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
		FileExtension:     text(s3.FileExtension),
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
	if t.format.Compression.Deflated() {
		t.format.Level = gzipLevel
	}
	t.encoding, err = enc.Encoding(t.format)
	return t, err
}

// Example is an object like one that the records of an output would be in, had the oldest
// arrived at the given time.
func (m *Manager) Example(d *stream.Definition, o record.Output, oldest time.Time) (record.Object, error) {
	t, err := newTarget(d, o, m.opt.Encodings, m.opt.GzipLevel)
	if err != nil {
		return record.Object{}, err
	}
	return t.object(newNonce(), 0, oldest), nil
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// object names the i-th object of a plan, whose oldest record arrived at the given time.
func (t *target) object(n nonce, i int, oldest time.Time) record.Object {
	key := ""
	if t.failures != "" {
		key = t.names.Failure(t.failures, oldest, n.object(i))
	} else {
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
