package aws

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

const (
	// MaxBody is the largest body of a JSON request, bytes (spec firehose.md 1.6 rule 4).
	MaxBody = 10 << 20
	// Headroom is how many bytes of a Call's Buffer lie before the body, so that decoders
	// can write their output to the front while they read on.
	Headroom = 128

	// A body has to be there after bodyTime plus its length at bodyRate, so that a client
	// that trickles does not hold memory for ever.
	bodyTime = 30 * time.Second
	bodyRate = 64 << 10 // bytes per second
)

// readBody takes memory for the body and reads it, returning what of the buffer it is.
// Errors are *Error, ErrNoMemory, or of a connection that is no more.
func (x *exchange) readBody() ([]byte, error) {
	length := x.r.ContentLength
	if length > MaxBody {
		return nil, tooLarge()
	}
	room := int(length)
	if length < 0 {
		room = MaxBody + 1 // one more tells that the body is too large
	}
	buffer, err := x.server.opt.Buffers.Get(x.r.Context(), Headroom+room)
	if err != nil {
		return nil, err
	}
	x.buffer = buffer
	if length == 0 {
		return buffer.Bytes[Headroom:Headroom], nil
	}
	if err := x.setReadDeadline(time.Now().Add(bodyDeadline(room))); err != nil {
		return nil, err
	}
	n, err := io.ReadFull(x.r.Body, buffer.Bytes[Headroom:Headroom+room])
	if length < 0 && (err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF)) {
		err = nil
	}
	if err != nil {
		return nil, shortBody(err, n, length)
	}
	if n > MaxBody {
		return nil, tooLarge()
	}
	if err := x.setReadDeadline(time.Time{}); err != nil {
		return nil, err
	}
	return buffer.Bytes[Headroom : Headroom+n], nil
}

// bodyDeadline is how long a body of n bytes may take. Deadlines of connections are by the
// runtime's clock, so time.Now is right for them and Options.Now is not.
func bodyDeadline(n int) time.Duration {
	return bodyTime + time.Duration(n)*time.Second/bodyRate
}

// setReadDeadline bounds reads of the body where the connection can do that; a request
// without a socket cannot, and needs no bound.
func (x *exchange) setReadDeadline(t time.Time) error {
	err := http.NewResponseController(x.w).SetReadDeadline(t)
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("read deadline of the body: %w", err)
	}
	return nil
}

// maxDrain is the largest refused body, bytes, that is read to its end.
const maxDrain = 2 * MaxBody

// drain reads a refused body to its end, holding no memory: a client that is still sending
// would otherwise find its connection closed instead of the answer. One that waits to be
// told to continue has sent nothing and is not asked to.
func (x *exchange) drain() {
	length := x.r.ContentLength
	if length == 0 || length > maxDrain || x.r.Header["Expect"] != nil {
		return
	}
	if length < 0 {
		length = maxDrain
	}
	if err := x.setReadDeadline(time.Now().Add(bodyDeadline(int(length)))); err != nil {
		return
	}
	if n, err := io.CopyN(io.Discard, x.r.Body, length); err != nil && err != io.EOF {
		x.server.opt.Logger.Debug("refused body not read", "request", x.id, "bytes", n, "error", err)
	}
}

func tooLarge() *Error {
	return Errorf("RequestEntityTooLargeException", "The request body is larger than %d bytes.", MaxBody)
}

// shortBody words for the client, if it is still there, that its body did not arrive.
func shortBody(err error, got int, want int64) error {
	e := Errorf("SerializationException", "The body ended after %d of %d bytes.", got, want)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		e = Errorf("RequestTimeoutException", "The request body did not arrive in time.")
	}
	return fmt.Errorf("%w (%w)", e, err)
}
