package demo

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
)

// Limits of the Firehose API, bytes before base64 (spec firehose.md section 11).
const (
	maxRecord       = 1_024_000
	maxBatchRecords = 500
	maxBatchBytes   = 4 << 20
)

// source gives records one after the other.
type source interface {
	// next returns a record that is valid until the next call, or io.EOF.
	next() ([]byte, error)
	// size tells how much is to come: records, or bytes where only they are known, or
	// neither (0, 0).
	size() (records, bytes int64)
	io.Closer
}

// openSource opens what Options ask for.
func openSource(o Options) (source, error) {
	switch o.Input {
	case "":
		return newShop(o.Records, o.Now), nil
	case "-":
		return newLines(io.NopCloser(o.Stdin), "standard input"), nil
	}
	f, err := os.Open(o.Input)
	if err != nil {
		return nil, fmt.Errorf("open the records: %w; nothing was put", err)
	}
	l, err := openLines(f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return l, nil
}

// ErrLineTooLong says that a line of the input is larger than a record may be.
var ErrLineTooLong = errors.New("the largest record is 1,000 KiB")

// lines is a source of newline-delimited records. Each keeps its newline, so that the
// objects hold the very lines; the last one may lack it.
type lines struct {
	io.Closer
	in     *bufio.Reader
	name   string // for messages
	total  int64  // bytes; 0: not known
	number int64  // of the line read last, from 1
	buf    []byte
}

func newLines(r io.ReadCloser, name string) *lines {
	return &lines{Closer: r, in: bufio.NewReaderSize(r, 256<<10), name: name}
}

// openLines makes a source of an open file. A regular file is looked through first, so that
// one with a line that cannot be put is refused as a whole.
func openLines(f *os.File) (*lines, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("open the records: %w; nothing was put", err)
	}
	if info.IsDir() {
		return nil, fmt.Errorf("open the records: %s is a directory; name a file of newline-delimited records. Nothing was put", f.Name())
	}
	l := newLines(f, f.Name())
	if !info.Mode().IsRegular() {
		return l, nil
	}
	for err == nil {
		_, err = l.next()
	}
	if !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w; nothing was put", err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read %s again: %w; nothing was put", f.Name(), err)
	}
	l = newLines(f, f.Name())
	l.total = info.Size()
	return l, nil
}

func (l *lines) size() (records, bytes int64) { return 0, l.total }

func (l *lines) next() ([]byte, error) {
	l.number++
	l.buf = l.buf[:0]
	for {
		b, err := l.in.ReadSlice('\n')
		if len(l.buf)+len(b) > maxRecord {
			return nil, fmt.Errorf("line %d of %s has more than %d bytes: %w", l.number, l.name, maxRecord, ErrLineTooLong)
		}
		l.buf = append(l.buf, b...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err == nil, errors.Is(err, io.EOF) && len(l.buf) > 0:
			return l.buf, nil
		case errors.Is(err, io.EOF):
			return nil, io.EOF
		}
		return nil, fmt.Errorf("read line %d of %s: %w", l.number, l.name, err)
	}
}
