// Package batch knows how records gather into objects: what an object is called and when
// it is full or old enough (spec firehose.md sections 3 and 4). Everything here is a pure
// function of its arguments, so that a plan's names can be derived again after a crash.
//
//   - Prefix: the configured text in front of an object's name, with expressions.
//   - Expression: !{namespace:value} within a prefix.
//   - Pattern: the value of !{timestamp:…}, a pattern of Java's DateTimeFormatter.
//   - Suffix: what Firehose itself puts behind the prefix:
//     stream-version-yyyy-MM-dd-HH-mm-ss-uuid, then the extension.
//   - Names: both prefixes of a stream version, compiled.
//   - Oldest: the arrival time of the oldest record in an object, the one instant that all
//     times of its key show.
//   - Hint: a size and an age at which a buffer is due, whichever comes first.
package batch

import "hydrant/internal/stream"

// Format is how a compression shows outside of an object's bytes.
type Format struct {
	Extension       string // of the key, unless FileExtension replaces it
	ContentEncoding string // of the object; empty for no header
}

// ContentType is the Content-Type of every object (spec section 4.7).
const ContentType = "application/octet-stream"

// formats is the table of spec section 4.7.
var formats = map[stream.Compression]Format{
	stream.Uncompressed: {"", ""},
	stream.Gzip:         {".gz", "gzip"},
	"ZIP":               {".zip", "zip"},
	"Snappy":            {".snappy", "snappy-java"},
	"HADOOP_SNAPPY":     {".snappy", "hadoop-snappy"},
}

// FormatOf returns how objects of a compression are labelled; an empty one is
// UNCOMPRESSED. It returns false for a compression that Firehose does not have.
func FormatOf(c stream.Compression) (Format, bool) {
	if c == "" {
		c = stream.Uncompressed
	}
	f, ok := formats[c]
	return f, ok
}
