package simulation

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/gzip"

	"hydrant/internal/dest/s3/s3fake"
)

// plainBody decompresses an object by what its key and its first bytes say.
func plainBody(o s3fake.Object) ([]byte, error) {
	switch {
	case strings.HasSuffix(o.Key, ".gz"):
		return gunzip(o.Body)
	case strings.HasSuffix(o.Key, ".zip"):
		return unzip(o.Body)
	case strings.HasSuffix(o.Key, ".snappy"):
		return unsnap(o.Body)
	}
	return o.Body, nil
}

// gunzip reads one gzip member and nothing behind it.
func gunzip(b []byte) ([]byte, error) {
	in := bytes.NewReader(b)
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, fmt.Errorf("gzip header: %w", err)
	}
	z.Multistream(false)
	body, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("gzip after %d bytes: %w", len(body), err)
	}
	if in.Len() > 0 {
		return nil, fmt.Errorf("%d bytes behind the gzip member", in.Len())
	}
	return body, nil
}

// unzip reads an archive of one file.
func unzip(b []byte) ([]byte, error) {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, err
	}
	if len(z.File) != 1 {
		return nil, fmt.Errorf("%d files in the archive", len(z.File))
	}
	f, err := z.File[0].Open()
	if err != nil {
		return nil, err
	}
	return io.ReadAll(f)
}

// unsnap reads either form of Snappy objects.
func unsnap(b []byte) (body []byte, err error) {
	lengths := 2 // before each block of Hadoop's form
	if rest, java := bytes.CutPrefix(b, []byte("\x82SNAPPY\x00")); java {
		b, lengths = rest[8:], 1
	}
	for len(b) > 0 {
		head := 4 * lengths
		if len(b) < head {
			return nil, errors.New("snappy: a length is cut off")
		}
		n := int(binary.BigEndian.Uint32(b[head-4:]))
		if n > len(b)-head {
			return nil, errors.New("snappy: a block is cut off")
		}
		block, err := snappy.Decode(nil, b[head:head+n])
		if err != nil {
			return nil, err
		}
		if lengths == 2 && int(binary.BigEndian.Uint32(b)) != len(block) {
			return nil, errors.New("snappy: a block has another length than is said")
		}
		body, b = append(body, block...), b[head+n:]
	}
	return body, nil
}
