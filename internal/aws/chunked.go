package aws

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strings"
)

// A body of content-encoding aws-chunked (spec neighbours.md 10.6) is
//
//	<hex size>[;chunk-signature=<64 hex>]\r\n<data>\r\n     any number of times
//	0[;chunk-signature=<64 hex>]\r\n
//	[<name>:<value>\r\n]*[x-amz-trailer-signature:<64 hex>\r\n]
//	\r\n
//
// In a signed body the signature of each chunk is over its data and the signature before
// it, the first one being that of the headers.

const (
	maxChunkLine    = 4 << 10 // of one chunk or trailer line, its line end included
	maxTrailerLines = 16
)

// Errors of a chunked body, inside the *Error that Read returns.
var (
	errFraming   = errors.New("chunk framing is malformed")
	errShort     = errors.New("body ended before its declared length")
	errLong      = errors.New("body goes on after its declared length")
	errTrailer   = errors.New("trailer is malformed or not the announced one")
	errChecksum  = errors.New("checksum does not match")
	errChunkSign = fmt.Errorf("chunk: %w", errSignature)
)

// seed is what the signatures of chunks start from.
type seed struct {
	key       *signingKey
	signature string // of the headers
	date      string // YYYYMMDDThhmmssZ
	scope     string
}

// chunkReader gives out the data of a chunked body. The last byte, and then io.EOF, come
// only after the signatures, the length and the trailing checksum were found right; until
// then what was read must not be acted on. After an error all further reads fail with it.
type chunkReader struct {
	src     *bufio.Reader
	close   func() error
	seed    *seed       // nil: chunks are not signed
	left    int64       // bytes of data still to come in all
	chunk   int64       // bytes still to come in this chunk
	open    bool        // a chunk is begun
	sum     hash.Hash   // SHA-256 of this chunk; nil when not signed
	sign    string      // signature that this chunk claims
	name    string      // of the announced trailer, lower case; empty for none
	check   hash.Hash   // checksum over all data; nil for none
	trailer http.Header // filled in at the end
	err     error
}

// newChunkReader reads length bytes of data from body. trailer, if not empty, is the name
// of the checksum header that follows the data; it is put into trailers once it is right.
func newChunkReader(body io.ReadCloser, length int64, s *seed, trailer string, trailers http.Header) (*chunkReader, error) {
	c := &chunkReader{
		src: bufio.NewReaderSize(body, maxChunkLine), close: body.Close,
		seed: s, left: length, name: strings.ToLower(trailer), trailer: trailers,
	}
	if s != nil {
		c.sum = sha256.New()
	}
	if c.name != "" {
		algorithm, ok := strings.CutPrefix(c.name, "x-amz-checksum-")
		if c.check = NewChecksum(algorithm); !ok || c.check == nil {
			return nil, fmt.Errorf("%w: %q is no known checksum", errTrailer, trailer)
		}
	}
	if length == 0 {
		// A handler may never read a body without data.
		if c.err = c.finish(); !errors.Is(c.err, io.EOF) {
			return nil, c.err
		}
	}
	return c, nil
}

// Read gives out data.
func (c *chunkReader) Read(p []byte) (int, error) {
	if c.err != nil || len(p) == 0 {
		return 0, c.err
	}
	n, err := c.read(p)
	if err == nil && c.left == 0 {
		err = c.finish()
		if errors.Is(err, io.EOF) {
			c.err = io.EOF
			return n, nil
		}
	}
	if err != nil {
		c.err = err
		return 0, err // what was read is worth nothing
	}
	return n, nil
}

// read gives out data of the chunk at hand, or of the next one.
func (c *chunkReader) read(p []byte) (int, error) {
	if c.chunk == 0 {
		if err := c.next(); err != nil {
			return 0, err
		}
		if c.chunk == 0 {
			return 0, errShort // the last chunk, and data is missing
		}
	}
	n, err := c.src.Read(p[:min(int64(len(p)), c.chunk)])
	c.chunk -= int64(n)
	c.left -= int64(n)
	if c.sum != nil {
		c.sum.Write(p[:n])
	}
	if c.check != nil {
		c.check.Write(p[:n])
	}
	if n > 0 {
		return n, nil
	}
	return 0, noEOF(err)
}

// next ends the chunk at hand, if any, and reads the head of the following one.
func (c *chunkReader) next() error {
	if err := c.endChunk(); err != nil {
		return err
	}
	line, err := c.line()
	if err != nil {
		return err
	}
	digits, extension, extended := bytes.Cut(line, []byte{';'})
	size, ok := parseHex(digits)
	if !ok {
		return fmt.Errorf("%w: size %.20q", errFraming, digits)
	}
	if size > c.left {
		return errLong
	}
	signature, named := bytes.CutPrefix(extension, []byte("chunk-signature="))
	if c.seed != nil && !named || extended && !named {
		return fmt.Errorf("%w: chunk extension", errFraming)
	}
	c.chunk, c.sign, c.open = size, string(signature), true
	return nil
}

// endChunk checks what follows a chunk's data, and its signature.
func (c *chunkReader) endChunk() error {
	if !c.open {
		return nil
	}
	c.open = false
	if err := c.blank(); err != nil {
		return err
	}
	return c.checkChunk()
}

// checkChunk compares the chunk's signature with the one that its data makes.
func (c *chunkReader) checkChunk() error {
	if c.seed == nil {
		return nil
	}
	var sum [sha256.Size]byte
	text := c.stringToSign(algorithm+"-PAYLOAD", emptyHash, c.sum.Sum(sum[:0]))
	c.sum.Reset()
	return c.accept(text, c.sign)
}

// stringToSign builds what the signature of a chunk (with the hash of its empty headers) or
// of the trailer is over.
func (c *chunkReader) stringToSign(kind, headers string, sum []byte) []byte {
	parts := []string{kind, c.seed.date, c.seed.scope, c.seed.signature}
	if headers != "" {
		parts = append(parts, headers)
	}
	return hex.AppendEncode([]byte(strings.Join(parts, "\n")+"\n"), sum)
}

// accept checks a signature and makes it the one that the next follows from.
func (c *chunkReader) accept(text []byte, claimed string) error {
	want := c.seed.key.sign(text)
	if subtle.ConstantTimeCompare(want[:], []byte(claimed)) != 1 {
		return errChunkSign
	}
	c.seed.signature = claimed
	return nil
}

// finish reads all that follows the last byte of data. It returns io.EOF when everything is
// right.
func (c *chunkReader) finish() error {
	if err := c.next(); err != nil {
		return err
	}
	if c.chunk != 0 {
		return errLong
	}
	c.open = false
	if err := c.checkChunk(); err != nil {
		return err
	}
	if err := c.readTrailer(); err != nil {
		return err
	}
	if _, err := c.src.ReadByte(); err == nil {
		return errLong
	} else if !errors.Is(err, io.EOF) {
		return err
	}
	return io.EOF
}

// readTrailer reads the lines up to the blank one and checks the announced checksum.
func (c *chunkReader) readTrailer() error {
	if c.name == "" {
		return c.blank()
	}
	var value, signature string
	sum := sha256.New()
	for range maxTrailerLines {
		line, err := c.line()
		if err != nil {
			return err
		}
		// Some clients write a blank line between the trailer and its signature.
		if len(line) == 0 && (c.seed == nil || signature != "") {
			return c.checkTrailer(value, signature, sum)
		}
		if len(line) == 0 {
			continue
		}
		name, v, _ := bytes.Cut(line, []byte{':'})
		v = bytes.TrimSpace(v)
		switch strings.ToLower(string(name)) {
		case c.name:
			value = string(v)
			fmt.Fprintf(sum, "%s:%s\n", c.name, v)
		case "x-amz-trailer-signature":
			signature = string(v)
		default:
			return fmt.Errorf("%w: %.80q", errTrailer, name)
		}
	}
	return fmt.Errorf("%w: too many lines", errTrailer)
}

// checkTrailer checks signature and checksum.
func (c *chunkReader) checkTrailer(value, signature string, sum hash.Hash) error {
	if c.seed != nil {
		if err := c.accept(c.stringToSign(algorithm+"-TRAILER", "", sum.Sum(nil)), signature); err != nil {
			return err
		}
	}
	got, err := base64.StdEncoding.DecodeString(value)
	if err != nil || len(got) != c.check.Size() {
		return fmt.Errorf("%w: value %.80q", errTrailer, value)
	}
	if !bytes.Equal(got, c.check.Sum(nil)) {
		return fmt.Errorf("%s: %w", c.name, errChecksum)
	}
	c.trailer.Set(c.name, value)
	return nil
}

// line reads one line, without its end.
func (c *chunkReader) line() ([]byte, error) {
	line, err := c.src.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return nil, fmt.Errorf("%w: line of more than %d bytes", errFraming, maxChunkLine)
	}
	if err != nil {
		return nil, noEOF(err)
	}
	return bytes.TrimSuffix(line[:len(line)-1], []byte{'\r'}), nil
}

// blank reads a line that must be empty.
func (c *chunkReader) blank() error {
	line, err := c.line()
	if err == nil && len(line) > 0 {
		return fmt.Errorf("%w: no line end after the data", errFraming)
	}
	return err
}

// Close closes the body.
func (c *chunkReader) Close() error { return c.close() }

// noEOF makes an end that comes too early an error.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return errShort
	}
	return err
}

// parseHex reads a size of 1 to 15 hexadecimal digits.
func parseHex(s []byte) (int64, bool) {
	var v int64
	if len(s) == 0 || len(s) > 15 {
		return 0, false
	}
	for _, c := range s {
		d := unhex(c)
		if d > 15 {
			return 0, false
		}
		v = v<<4 | int64(d)
	}
	return v, true
}
