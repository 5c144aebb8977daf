package lambda

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"hydrant/internal/durable"
)

// An event is a file of its own in functions/NAME/events: a line of JSON, which is the event
// but for its payload, and the payload. It is written before the caller is told that the
// call was taken, and removed when that was done or given up.
const (
	eventEnding = ".event"
	maxHead     = 32 << 10 // bytes of the line; a call's headers are smaller
)

// event is a call that nobody waits for.
type event struct {
	ID            string // of the call
	Qualifier     string `json:",omitempty"` // that it came with
	Accepted      time.Time
	Failures      int    `json:",omitzero"` // how often the function has failed on it
	Trace         string `json:",omitempty"`
	ClientContext string `json:",omitempty"`
	Tenant        string `json:",omitempty"`

	file      string // its name
	size      int64  // bytes of the file
	throttles int    // how often in a row it could not be begun
}

var errEvent = errors.New("event is damaged")

// eventFiles are the events of one function on disk.
type eventFiles struct {
	disk durable.Disk
	path string
}

// write makes an event durable, or what has changed of it.
func (f eventFiles) write(e *event, payload []byte) error {
	head, err := json.Marshal(e, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("encode event %s: %w", e.ID, err)
	}
	if err := f.disk.MkdirAll(f.path, 0o700); err != nil {
		return err
	}
	text := slices.Concat(head, []byte("\n"), payload)
	if err := f.disk.WriteFile(filepath.Join(f.path, e.file), text, 0o600); err != nil {
		return fmt.Errorf("write event %s: %w", e.ID, err)
	}
	e.size = int64(len(text))
	return nil
}

// remove forgets an event. After a power cut it may be back, and is done once more.
func (f eventFiles) remove(e *event) error {
	err := f.disk.RemoveLazily(filepath.Join(f.path, e.file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// payload reads the payload of an event.
func (f eventFiles) payload(e *event) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(f.path, e.file))
	if err != nil {
		return nil, err
	}
	_, payload, ok := bytes.Cut(text, []byte("\n"))
	if !ok {
		return nil, fmt.Errorf("%w: %s", errEvent, e.file)
	}
	return payload, nil
}

// read returns the events by the time that they were accepted. Those that are damaged stay
// where they are, and are told of.
func (f eventFiles) read(damaged func(path string, err error)) ([]*event, error) {
	entries, err := os.ReadDir(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if _, err := f.disk.Sweep(f.path); err != nil {
		return nil, err
	}
	var events []*event
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), eventEnding) {
			continue
		}
		e, err := f.open(entry.Name())
		if err != nil {
			damaged(filepath.Join(f.path, entry.Name()), err)
			continue
		}
		events = append(events, e)
	}
	slices.SortStableFunc(events, func(a, b *event) int { return a.Accepted.Compare(b.Accepted) })
	return events, nil
}

// open reads what a file says of its event.
func (f eventFiles) open(name string) (_ *event, err error) {
	file, err := os.Open(filepath.Join(f.path, name))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	e, err := decodeEvent(file)
	if err != nil {
		return nil, err
	}
	e.file, e.size = name, info.Size()
	return e, nil
}

// decodeEvent reads an event but for its payload.
func decodeEvent(r io.Reader) (*event, error) {
	head, err := bufio.NewReaderSize(r, maxHead).ReadSlice('\n')
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errEvent, err)
	}
	var e event
	if err := json.Unmarshal(head, &e); err != nil {
		return nil, fmt.Errorf("%w: %w", errEvent, err)
	}
	if e.ID == "" || e.Failures < 0 || e.Qualifier != "" && !qualifierForm.MatchString(e.Qualifier) {
		return nil, errEvent
	}
	return &e, nil
}
