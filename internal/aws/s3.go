package aws

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// S3 mounts a service that speaks S3's REST/XML.
//
// The handler gets requests whose headers are verified. The body is the object's own bytes,
// with ContentLength to match: aws-chunked framing is taken off, also from the
// Content-Encoding header. A length that is not known is -1. The body's last byte and io.EOF come only once the body has proved to
// be what was signed; until then nothing read may become visible. A failed Read returns an
// error that wraps an *Error, ready to be answered. A checksum that came behind the body is
// in Request.Trailer after io.EOF, as X-Amz-Checksum-*. CallerFrom tells who asks.
type S3 struct {
	Handler http.Handler
	// Refuse answers a request that the handler does not get to see. HEAD requests are
	// among them, and requests that name neither a service nor an X-Amz-Target. CallerFrom
	// tells the request's id, and who asks if that was found out.
	Refuse func(w http.ResponseWriter, r *http.Request, e *Error)
}

func (s *S3) protocol() protocol { return s3Rest }

func (s *S3) owns(string) bool { return false }

func (s *S3) refuse(x *exchange, e *Error) { s.Refuse(x.w, s.known(x), e) }

// known returns the request with its caller in the context.
func (s *S3) known(x *exchange) *http.Request {
	caller := x.caller(s3Rest)
	return x.r.WithContext(context.WithValue(x.r.Context(), callerKey{}, &caller))
}

// serve verifies the headers, puts the verifying reader in the body's place, and hands on.
func (s *S3) serve(x *exchange) error {
	if x.problem != nil {
		return s3Rest.error(x.problem)
	}
	if r := x.server.verifier.inspect(x.r, &x.claim, s3Rest, x.claim.service); r != nil {
		return s3Rest.error(r)
	}
	payload, e := payloadOf(x.r, x.claim.presigned)
	if e != nil {
		return e
	}
	key, err := x.server.verifier.compare(x.r, &x.claim, s3Rest, payload)
	if err != nil {
		return s3Rest.error(refuse(mismatch, "", Field{"AWSAccessKeyId", x.claim.id}))
	}
	r := s.known(x)
	if err := wrapBody(r, payload, &x.claim, key); err != nil {
		return err
	}
	defer x.abort()
	s.Handler.ServeHTTP(x.w, r)
	return nil
}

// The payload modes of S3 whose body is in chunks.
const (
	streamSigned        = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	streamSignedTrailer = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	streamTrailer       = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
)

// payloadOf returns the payload's hash or mode, in the words that were signed.
func payloadOf(r *http.Request, presigned bool) (string, *Error) {
	payload := r.Header.Get("X-Amz-Content-Sha256")
	if payload == "" && presigned {
		if payload = r.URL.Query().Get("X-Amz-Content-Sha256"); payload == "" {
			return unsignedPayload, nil
		}
	}
	switch payload {
	case "":
		return "", s3Rest.error(refuse(payloadMissing, ""))
	case unsignedPayload, streamSigned, streamSignedTrailer, streamTrailer:
		return payload, nil
	}
	if raw, err := hex.DecodeString(payload); err != nil || len(raw) != sha256.Size {
		return "", s3Rest.error(refuse(payloadUnknown, "", Field{"ArgumentName", "x-amz-content-sha256"},
			Field{"ArgumentValue", payload}))
	}
	return payload, nil
}

// wrapBody makes r's body the one that S3 promises to its handler.
func wrapBody(r *http.Request, payload string, c *claim, key *signingKey) error {
	switch payload {
	case unsignedPayload:
		return nil
	case streamSigned, streamSignedTrailer:
		return unchunk(r, &seed{key, c.signature, c.isoDate, c.scope()}, payload == streamSignedTrailer)
	case streamTrailer:
		return unchunk(r, nil, true)
	}
	body := &hashedBody{src: r.Body, left: r.ContentLength, sum: sha256.New(), want: strings.ToLower(payload)}
	if r.ContentLength == 0 {
		// A handler may never read a body without data.
		if body.err = body.finish(); body.err != io.EOF {
			return body.err
		}
	}
	r.Body = body
	return nil
}

// unchunk takes the aws-chunked framing off.
func unchunk(r *http.Request, s *seed, withTrailer bool) error {
	length, err := strconv.ParseInt(r.Header.Get("X-Amz-Decoded-Content-Length"), 10, 64)
	if err != nil || length < 0 {
		return &Error{Code: "MissingContentLength", Status: http.StatusLengthRequired,
			Message: "You must provide the x-amz-decoded-content-length HTTP header."}
	}
	trailer := ""
	if withTrailer {
		trailer = r.Header.Get("X-Amz-Trailer")
		if trailer == "" {
			return bodyError(fmt.Errorf("%w: x-amz-trailer is missing", errTrailer))
		}
	}
	trailers := make(http.Header)
	chunks, err := newChunkReader(r.Body, length, s, trailer, trailers)
	if err != nil {
		return bodyError(err)
	}
	r.Header = r.Header.Clone()
	withoutChunked(r.Header)
	r.Body, r.ContentLength, r.Trailer, r.TransferEncoding = &s3Body{chunks}, length, trailers, nil
	return nil
}

// withoutChunked removes aws-chunked from Content-Encoding: it is how the body travelled,
// not what the object is.
func withoutChunked(h http.Header) {
	var kept []string
	for _, line := range h["Content-Encoding"] {
		for coding := range strings.SplitSeq(line, ",") {
			if coding = strings.TrimSpace(coding); coding != "" && !strings.EqualFold(coding, "aws-chunked") {
				kept = append(kept, coding)
			}
		}
	}
	if kept == nil {
		h.Del("Content-Encoding")
		return
	}
	h.Set("Content-Encoding", strings.Join(kept, ","))
}

// s3Body words the errors of a chunkReader for S3.
type s3Body struct{ *chunkReader }

// Read gives out data.
func (b *s3Body) Read(p []byte) (int, error) {
	n, err := b.chunkReader.Read(p)
	return n, bodyError(err)
}

// hashedBody checks that a body has the hash that was signed.
type hashedBody struct {
	src  io.ReadCloser
	left int64 // bytes to come; negative when the length is not known
	sum  hash.Hash
	want string
	err  error
}

// Read gives out data, the last of it only if the hash is right.
func (b *hashedBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, bodyError(b.err)
	}
	n, err := b.src.Read(p)
	b.sum.Write(p[:n])
	b.left -= int64(n)
	if err == io.EOF && b.left > 0 {
		err = errShort
	}
	if err == io.EOF || err == nil && b.left == 0 {
		err = b.finish()
	}
	b.err = err
	if err != nil && err != io.EOF {
		return 0, bodyError(err)
	}
	if n > 0 {
		return n, nil
	}
	return 0, err
}

// finish returns io.EOF if the hash is right.
func (b *hashedBody) finish() error {
	sum := hex.EncodeToString(b.sum.Sum(nil))
	if subtle.ConstantTimeCompare([]byte(sum), []byte(b.want)) != 1 {
		return s3Rest.error(refuse(bodyMismatch, "", Field{"ClientComputedContentSHA256", b.want},
			Field{"S3ComputedContentSHA256", sum}))
	}
	return io.EOF
}

// Close closes the body.
func (b *hashedBody) Close() error { return b.src.Close() }

// bodyError words what is wrong with a body for S3. Errors of the connection stay as they are.
func bodyError(err error) error {
	for _, known := range [...]struct {
		is      error
		code    string
		status  int
		message string
	}{
		{errSignature, "SignatureDoesNotMatch", http.StatusForbidden, dialects[mismatch].s3Text},
		{errChecksum, "BadDigest", http.StatusBadRequest, "The checksum you specified did not match the calculated checksum."},
		{errTrailer, "MalformedTrailerError", http.StatusBadRequest, "The request contained trailing data that was not well-formed or did not conform to our published schema."},
		{errShort, "IncompleteBody", http.StatusBadRequest, "You did not provide the number of bytes specified by the Content-Length HTTP header"},
		{errLong, "IncompleteBody", http.StatusBadRequest, "The request body has more bytes than its headers declare"},
		{errFraming, "IncompleteBody", http.StatusBadRequest, "The request body is not well-formed aws-chunked"},
	} {
		if errors.Is(err, known.is) {
			return fmt.Errorf("%w (%w)", &Error{Code: known.code, Message: known.message, Status: known.status}, err)
		}
	}
	return err
}
