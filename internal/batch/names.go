package batch

import (
	"encoding/hex"
	"fmt"
	"time"

	"hydrant/internal/stream"
)

// NamesConfig is what the names of a stream version's objects are made from. Empty strings
// stand for members that were not given.
type NamesConfig struct {
	Stream            string
	Version           string
	Prefix            string
	ErrorOutputPrefix string
	Compression       stream.Compression
	FileExtension     string // replaces the compression's extension for data objects
	TimeZone          string // of prefixes and suffix; empty for UTC
	Dynamic           bool   // dynamic partitioning is enabled: Partitioner and InPartition make the names of data
}

// Names makes object keys (spec section 4.1). It may be used by many goroutines.
type Names struct {
	data, failed prefix
	zone         *time.Location
	timePath     bool   // the prefix has no expression, so that yyyy/MM/dd/HH/ follows
	typePath     bool   // without an error prefix: prefix, type, yyyy/MM/dd/HH/
	middle       string // stream-version-
	extension    string // of data objects
	failedExt    string
}

// CompileNames prepares the names. It accepts what CheckPrefixes accepts; errors are
// *PrefixError, but for an unknown compression.
func CompileNames(c NamesConfig) (*Names, error) {
	if err := CheckPrefixes(c.Prefix, c.ErrorOutputPrefix, c.TimeZone, c.Dynamic); err != nil {
		return nil, err
	}
	format, ok := FormatOf(c.Compression)
	if !ok {
		return nil, fmt.Errorf("names of stream %s: compression %q is unknown", c.Stream, c.Compression)
	}
	zone, err := loadZone(c.TimeZone)
	if err != nil {
		return nil, err
	}
	n := &Names{
		zone:      zone,
		typePath:  c.ErrorOutputPrefix == "",
		middle:    c.Stream + "-" + c.Version + "-",
		extension: format.Extension,
		failedExt: format.Extension,
	}
	if c.FileExtension != "" {
		n.extension = c.FileExtension
	}
	if n.data, err = parse(c.Prefix, dataMember, zone); err != nil {
		return nil, err
	}
	if n.failed, err = parse(c.ErrorOutputPrefix, errorMember, zone); err != nil {
		return nil, err
	}
	n.timePath = !n.data.expressions()
	return n, nil
}

// keyBytes is room for most keys.
const keyBytes = 256

// Data returns the key of a data object whose oldest record arrived at oldest. id makes it
// unique: the same arguments give the same key, and 16 random bytes one that nobody has.
func (n *Names) Data(oldest time.Time, id [16]byte) string {
	m := newMoment(oldest.In(n.zone))
	key := n.data.append(make([]byte, 0, keyBytes), m, "", id)
	if n.timePath {
		key = appendTimePath(key, m)
	}
	return string(append(n.appendSuffix(key, m, id), n.extension...))
}

// Failure returns the key of an object with failure records of the error output type
// (spec section 4.6), such as processing-failed.
func (n *Names) Failure(errorType string, oldest time.Time, id [16]byte) string {
	m := newMoment(oldest.In(n.zone))
	key := make([]byte, 0, keyBytes)
	if n.typePath {
		key = n.data.append(key, m, errorType, id)
		key = append(append(key, errorType...), '/')
		key = appendTimePath(key, m)
	} else {
		key = n.failed.append(key, m, errorType, id)
	}
	return string(append(n.appendSuffix(key, m, id), n.failedExt...))
}

// appendTimePath appends yyyy/MM/dd/HH/.
func appendTimePath(key []byte, m moment) []byte {
	key = append(appendNumber(key, m.year, 4), '/')
	key = append(appendNumber(key, int(m.month), 2), '/')
	key = append(appendNumber(key, m.day, 2), '/')
	return append(appendNumber(key, m.hour, 2), '/')
}

// appendSuffix appends stream-version-yyyy-MM-dd-HH-mm-ss-uuid.
func (n *Names) appendSuffix(key []byte, m moment, id [16]byte) []byte {
	key = append(key, n.middle...)
	key = append(appendNumber(key, m.year, 4), '-')
	for _, v := range [...]int{int(m.month), m.day, m.hour, m.minute, m.second} {
		key = append(appendNumber(key, v, 2), '-')
	}
	return appendUUID(key, id)
}

// appendUUID appends id as a random UUID (RFC 9562 version 4): six of its bits are fixed.
func appendUUID(key []byte, id [16]byte) []byte {
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	for i, end := range [...]int{4, 6, 8, 10, 16} {
		begin := [...]int{0, 4, 6, 8, 10}[i]
		if i > 0 {
			key = append(key, '-')
		}
		key = hex.AppendEncode(key, id[begin:end])
	}
	return key
}
