package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"hydrant/e2e/load/sigv4"
)

// requestTimeout is longer than any answer should take, and ends the wait for a server
// that hangs.
const requestTimeout = 2 * time.Minute

// A connection speaks HTTP/1.1 with one request at a time. It is far cheaper than
// net/http's client: no goroutines, no headers in maps, the body in one system call.
type connection struct {
	host  string
	conn  net.Conn
	in    *bufio.Reader
	out   []byte       // scratch for the head of a request
	reply bytes.Buffer // scratch for the body of an answer
}

type request struct {
	target, date  string
	authorization []byte
	head, tail    []byte // the body in two halves
}

// An answer's body is valid until the next request.
type answer struct {
	status int
	body   []byte
}

// open connects unless it is connected.
func (c *connection) open() error {
	if c.conn != nil {
		return nil
	}
	conn, err := net.DialTimeout("tcp", c.host, 5*time.Second)
	if err != nil {
		return fmt.Errorf("connecting to %s: %w", c.host, err)
	}
	c.conn, c.in = conn, bufio.NewReaderSize(conn, 32<<10)
	return nil
}

// close ends the connection, if there is one. What is still under way in it is of no
// interest, and so is an error.
func (c *connection) close() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}

// post sends a request and reads the answer.
func (c *connection) post(r request) (answer, error) {
	if err := c.conn.SetDeadline(time.Now().Add(requestTimeout)); err != nil {
		return answer{}, fmt.Errorf("setting the deadline: %w", err)
	}
	b := append(c.out[:0], "POST / HTTP/1.1\r\nHost: "...)
	b = append(append(b, c.host...), "\r\nContent-Type: "+sigv4.ContentType+"\r\nX-Amz-Target: "...)
	b = append(append(b, r.target...), "\r\nX-Amz-Date: "...)
	b = append(append(b, r.date...), "\r\nAuthorization: "...)
	b = append(append(b, r.authorization...), "\r\nContent-Length: "...)
	b = append(strconv.AppendInt(b, int64(len(r.head)+len(r.tail)), 10), "\r\n\r\n"...)
	c.out = b
	parts := net.Buffers{b, r.head, r.tail}
	if _, err := parts.WriteTo(c.conn); err != nil {
		return answer{}, fmt.Errorf("sending a request: %w", err)
	}
	return c.receive()
}

func (c *connection) receive() (answer, error) {
	response, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return answer{}, fmt.Errorf("reading an answer: %w", err)
	}
	c.reply.Reset()
	if _, err := io.Copy(&c.reply, response.Body); err != nil {
		return answer{}, fmt.Errorf("reading an answer: %w", err)
	}
	if response.Close {
		c.close()
	}
	return answer{response.StatusCode, c.reply.Bytes()}, nil
}
