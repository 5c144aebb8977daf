package lambda

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// Line is one line of a function's log.
type Line struct {
	Time time.Time
	Text string
}

const (
	maxLine    = 256 << 10 // bytes; longer lines are cut
	maxTail    = 4 << 10   // bytes that X-Amz-Log-Result tells (spec neighbours.md 2.1)
	maxPending = 4 << 20   // bytes of lines that wait to be stored; what does not fit is lost
)

// output is the log of one worker: what its process writes to stdout and stderr, by line,
// between the lines of the platform.
type output struct {
	now  func() time.Time
	keep func([]Line) // stores lines; nil: nobody does

	read, write *os.File
	// mark is a line that only we can write. Once the reader meets it, it has seen all that
	// the process wrote before.
	mark   []byte
	marked chan struct{}

	mu      sync.Mutex
	pending []Line
	size    int           // bytes of pending
	lost    int           // lines that did not fit
	tail    []byte        // of the log of a call; nil between calls
	more    chan struct{} // says that there is something pending, or that the log is closed
	closed  bool
}

// newOutput makes a log. The process is to be given write. start runs what stores lines.
func newOutput(now func() time.Time, keep func([]Line), start func(func())) (*output, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe for a function's output: %w", err)
	}
	o := &output{
		now: now, keep: keep, read: r, write: w, mark: []byte("\x00" + nonce() + nonce() + "\n"),
		marked: make(chan struct{}, 1), more: make(chan struct{}, 1), tail: []byte{},
	}
	go o.follow()
	start(o.store)
	return o, nil
}

// follow reads what the process writes until the pipe is closed.
func (o *output) follow() {
	defer close(o.marked)
	r := bufio.NewReaderSize(o.read, 32<<10)
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			o.line(line)
			line = line[:0]
		case !errors.Is(err, bufio.ErrBufferFull):
			return
		case len(line) >= maxLine:
			// The end may be part of the mark.
			cut := len(line) - len(o.mark)
			o.add(string(line[:cut]))
			line = line[:copy(line, line[cut:])]
		}
	}
}

// line takes a line of the process, or the mark, which may follow half a line.
func (o *output) line(line []byte) {
	text, marked := bytes.CutSuffix(line, o.mark)
	text = bytes.TrimSuffix(text, []byte("\n"))
	if !marked || len(text) > 0 {
		o.add(string(text))
	}
	if !marked {
		return
	}
	select {
	case o.marked <- struct{}{}:
	default: // a process that imitates the mark only deceives itself
	}
}

// catchUp returns when all that the process has written is in the log.
func (o *output) catchUp() {
	if _, err := o.write.Write(o.mark); err != nil {
		return // it is closed
	}
	<-o.marked
}

// add appends a line.
func (o *output) add(text string) {
	text = strings.ToValidUTF8(text, "\uFFFD")
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.tail != nil {
		o.tail = append(append(o.tail, text...), '\n')
		if over := len(o.tail) - 2*maxTail; over > 0 {
			o.tail = append(o.tail[:0], o.tail[len(o.tail)-maxTail:]...)
		}
	}
	if o.keep == nil {
		return
	}
	if o.size+len(text) > maxPending {
		o.lost++
		return
	}
	o.pending = append(o.pending, Line{o.now(), text})
	o.size += len(text)
	o.wake()
}

// wake tells store that there is something to do. mu is held.
func (o *output) wake() {
	select {
	case o.more <- struct{}{}:
	default:
	}
}

// store hands lines on, so that who keeps them may be slow without the function being so.
func (o *output) store() {
	for range o.more {
		o.mu.Lock()
		lines, closed := o.pending, o.closed
		if o.lost > 0 {
			lines = append(lines, Line{o.now(), fmt.Sprintf("%d lines were lost: the function writes faster than its log is stored", o.lost)})
		}
		o.pending, o.size, o.lost = nil, 0, 0
		o.mu.Unlock()
		if len(lines) > 0 {
			o.keep(lines)
		}
		if closed {
			return
		}
	}
}

// begin starts to keep the tail for a call. That of the first call begins with the process.
func (o *output) begin() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.tail == nil {
		o.tail = make([]byte, 0, 512)
	}
}

// end returns the last of what was written since begin.
func (o *output) end() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	tail := o.tail
	o.tail = nil
	return tail[max(0, len(tail)-maxTail):]
}

// close ends the log when the process has ended. Lines that wait are stored still.
func (o *output) close() error {
	err := errors.Join(o.write.Close(), o.read.Close())
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.wake()
	return err
}
