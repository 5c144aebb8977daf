package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

const (
	// logBytes is the stretch of disk that the log is written to again and again. It is
	// filled once before the start, so that no write of the run makes the file grow.
	logBytes = 256 << 20
	// maxGroup is how many requests one write may take: two buffers each, and the system
	// takes 1,024 at once.
	maxGroup = 500
)

var errClosed = errors.New("ServiceUnavailableException")

// A groupLog makes the arenas of all requests that wait durable with one write and one
// sync, and passes them on in that order. The position belongs to run.
type groupLog struct {
	file    *os.File
	waiting chan *waiter
	next    chan<- *arena
	fail    func(error)
	ended   chan struct{}

	at    int64
	entry uint64

	// Counted by run, read by whoever tells the costs.
	syncs, requests, bytes atomic.Int64
}

type waiter struct {
	arena *arena
	head  [16]byte
	entry uint64
	err   error
	done  chan struct{}
}

func openLog(path string, next chan<- *arena, fail func(error)) (*groupLog, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the log: %w", err)
	}
	block := make([]byte, 1<<20)
	for range logBytes / len(block) {
		if _, err := f.Write(block); err != nil {
			return nil, fmt.Errorf("filling the log: %w", err)
		}
	}
	if err := f.Sync(); err != nil {
		return nil, fmt.Errorf("filling the log: %w", err)
	}
	return &groupLog{file: f, waiting: make(chan *waiter, maxGroup), next: next, fail: fail, ended: make(chan struct{})}, nil
}

// append returns when the arena is on disk, with the sequence it got there. The arena is
// the log's from then on.
func (l *groupLog) append(ctx context.Context, a *arena) (uint64, error) {
	w := &waiter{arena: a, done: make(chan struct{})}
	select {
	case l.waiting <- w:
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-l.ended:
		return 0, errClosed
	}
	select {
	case <-w.done:
		return w.entry, w.err
	case <-l.ended:
		return 0, errClosed
	}
}

// run writes groups until close, or until a write fails.
func (l *groupLog) run() {
	defer close(l.ended)
	defer close(l.next)
	var group []*waiter
	for first := range l.waiting {
		group = append(group[:0], first)
		for more := true; more && len(group) < maxGroup; {
			select {
			case w, ok := <-l.waiting:
				if more = ok; ok {
					group = append(group, w)
				}
			default:
				more = false
			}
		}
		if err := l.write(group); err != nil {
			l.fail(err)
			return
		}
		for _, w := range group {
			close(w.done)
			l.next <- w.arena
		}
	}
}

// write makes a group durable.
func (l *groupLog) write(group []*waiter) error {
	buffers := make([][]byte, 0, 2*len(group))
	var size int64
	for _, w := range group {
		l.entry++
		w.entry = l.entry
		binary.BigEndian.PutUint64(w.head[:], w.entry)
		binary.BigEndian.PutUint32(w.head[8:], uint32(len(w.arena.data)))
		buffers = append(buffers, w.head[:], w.arena.data)
		size += int64(len(w.head) + len(w.arena.data))
		l.bytes.Add(int64(len(w.arena.data)))
	}
	if l.at+size > logBytes {
		l.at = 0
	}
	n, err := unix.Pwritev(int(l.file.Fd()), buffers, l.at)
	if err == nil && int64(n) != size {
		err = errors.New("cut short")
	}
	if err == nil {
		err = unix.Fdatasync(int(l.file.Fd()))
	}
	if err != nil {
		return fmt.Errorf("writing the log: %w", err)
	}
	l.at += size
	l.syncs.Add(1)
	l.requests.Add(int64(len(group)))
	return nil
}

// close ends run after what waits. Nobody may append any more.
func (l *groupLog) close() {
	close(l.waiting)
	<-l.ended
	// The log is read by nobody: how its file closes makes no difference.
	_ = l.file.Close()
}
