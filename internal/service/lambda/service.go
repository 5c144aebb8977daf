package lambda

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"hydrant/internal/durable"
)

// Options are what a Service is opened with. What is not called optional is required.
type Options struct {
	Root      string // data directory; the functions are in Root/functions
	Partition string // of ARNs: aws
	Region    string
	Account   string // 12 digits
	Logger    *slog.Logger
	Now       func() time.Time

	// Logs stores lines of a function's log. It is called for one stream at a time, for
	// many streams at once, and may be slow. Optional: without it, logs are not kept.
	Logs func(ctx context.Context, group, stream string, lines []Line)
	// Hidden are files and folders beside Root that functions must not read. Optional.
	Hidden []string
	// Session gives the variables of a role's credentials, AWS_ACCESS_KEY_ID and so on, to
	// a new worker. Optional: without it, functions have no credentials.
	Session func(role string) (map[string]string, error)
	// Fetch opens a zip of code in the object store; the service closes it and reads no more
	// than a zip may have. Optional: without it, code has to be in the request.
	Fetch func(ctx context.Context, bucket, key, version string) (io.ReadCloser, error)
	// Presign signs a GET request of this API so that whoever has its URL can send it for a
	// while, and returns that URL. Optional: without it, nobody is told where code is.
	Presign func(r *http.Request, lasts time.Duration) (string, error)

	MaxWorkers int           // of a version; 0 stands for 5
	Idle       time.Duration // after which a worker that nobody calls is ended; 0 stands for 5 minutes
}

const (
	usualWorkers = 5
	usualIdle    = 5 * time.Minute

	// lastWords is how long storing the last lines may take when the service closes.
	lastWords = 5 * time.Second
)

// machine is what tests put in the place of clock, disk and cage.
type machine struct {
	disk durable.Disk
	// after calls f after d, unless stopped before.
	after    func(d time.Duration, f func()) (stop func() bool)
	readable []string // beside the system's paths
	slack    uint64   // of cage
}

// usualSlack is the address space with data that a process may have beside its memory.
const usualSlack = 4 << 30

func thisMachine() machine {
	return machine{
		after: func(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop },
		slack: usualSlack,
	}
}

// Service holds the functions and runs them. It is safe for many goroutines.
type Service struct {
	opt      Options
	machine  machine
	folder   *folder
	hidden   []string
	readable []string
	writable []string

	running sync.WaitGroup // calls, and logs that are being stored
	logging context.Context
	silence context.CancelFunc // ends logging

	change   sync.Mutex    // held from reading what is to be changed until mu shows the change
	fetching chan struct{} // capacity: zips of the object store that are in memory at once

	mu        sync.RWMutex
	functions map[string]*function
	closed    bool
}

// function is what a name stands for. It is replaced when something changes, and nothing in
// it that has been put is changed; only what is behind its last members lives on.
type function struct {
	stored
	versions []*version // published, by number

	pool   *pool // of $LATEST
	shelf  *shelf
	share  *share
	events *events
}

// Open reads the functions. No process is started before the first call; calls of a former
// life that nobody waits for begin a little later. Functions whose files are damaged are
// logged and left alone.
func Open(o Options) (*Service, error) { return open(o, thisMachine()) }

func open(o Options, m machine) (*Service, error) {
	if o.MaxWorkers == 0 {
		o.MaxWorkers = usualWorkers
	}
	if o.Idle == 0 {
		o.Idle = usualIdle
	}
	f, err := openFolder(o.Root, m.disk)
	if err != nil {
		return nil, err
	}
	s := &Service{opt: o, machine: m, folder: f, functions: make(map[string]*function), fetching: make(chan struct{}, maxFetching)}
	s.hidden = real(append([]string{o.Root}, o.Hidden...))
	s.readable, s.writable = append(readable(s.hidden), m.readable...), writable(s.hidden)
	s.logging, s.silence = context.WithCancel(context.Background())
	if n := endMarked(f.mark); n > 0 {
		o.Logger.Info("what functions had left running is ended", "processes", n)
	}
	names, err := f.names()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if err := s.load(name); err != nil {
			o.Logger.Error("function is unavailable until its file is restored", "function", name, "error", err)
		}
	}
	if landlock() == 0 {
		o.Logger.Warn("functions can read all files that this program can: the kernel has no Landlock")
	}
	return s, nil
}

// load reads one function while the service opens. A folder without a function is what a
// crash has left of making or removing it.
func (s *Service) load(name string) error {
	st, err := s.folder.read(name)
	if errors.Is(err, fs.ErrNotExist) {
		return s.folder.remove(name)
	}
	if err != nil {
		return err
	}
	versions, err := s.folder.readVersions(name, st.Published)
	if err != nil {
		return err
	}
	f := s.newFunction(st)
	for _, v := range versions {
		f.versions = append(f.versions, s.newVersion(f, v))
	}
	if err := s.folder.sweep(name, f.named()); err != nil {
		s.opt.Logger.Warn("folder of a function not tidied", "function", name, "error", err)
	}
	f.events.load()
	s.functions[name] = f
	return nil
}

// newFunction makes a function that has no version yet.
func (s *Service) newFunction(st *stored) *function {
	name := st.Configuration.FunctionName
	f := &function{stored: *st, share: &share{most: st.Reserved}, events: newEvents(s, name)}
	f.shelf = newShelf(func(code string) {
		if err := s.folder.removeCode(name, code); err != nil {
			s.opt.Logger.Warn("old code of a function stays", "function", name, "path", s.folder.code(name, code), "error", err)
		}
	})
	f.pool = newPool(s, s.revision(&st.Configuration, st.Code), f.shelf, f.share)
	return f
}

// named are the folders of code that a function needs.
func (f *function) named() map[string]bool {
	named := map[string]bool{f.Code: true}
	for _, v := range f.versions {
		named[v.Code] = true
	}
	return named
}

// revision is what workers run of a configuration and code.
func (s *Service) revision(c *Configuration, code string) *revision {
	return &revision{config: *c, code: s.folder.code(c.FunctionName, code), codeName: code}
}

// find returns the function that a target names, whatever its qualifier.
func (s *Service) find(t target) (*function, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, ErrClosed
	}
	f, ok := s.functions[t.name]
	if !ok {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, s.arnOf(t))
	}
	return f, nil
}

// list returns all functions by name.
func (s *Service) list() []*function {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.SortedFunc(maps.Values(s.functions), func(a, b *function) int {
		return strings.Compare(a.Configuration.FunctionName, b.Configuration.FunctionName)
	})
}

// put makes a function, or a change of it, visible.
func (s *Service) put(f *function) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.functions[f.Configuration.FunctionName] = f
}

// Close ends all processes and returns when their last lines are stored, or were given up.
// Calls under way are told ErrClosed. Those that nobody waits for are done after the next
// Open; how many there are is logged.
func (s *Service) Close() error {
	s.mu.Lock()
	s.closed = true
	functions := slices.Collect(maps.Values(s.functions))
	s.mu.Unlock()
	for _, f := range functions {
		f.close(ErrClosed)
	}
	stop := s.machine.after(lastWords, s.silence)
	s.running.Wait()
	stop()
	s.silence()
	for _, f := range functions {
		if n := f.events.left(); n > 0 {
			s.opt.Logger.Info("asynchronous calls wait for the next start", "function", f.Configuration.FunctionName, "calls", n)
		}
	}
	return nil
}

// close ends all that runs of a function. Whoever calls it is told why.
func (f *function) close(why error) {
	f.events.close()
	f.pool.close(why)
	for _, v := range f.versions {
		v.pool.close(why)
	}
}

// after is time.AfterFunc on the machine's clock.
func (s *Service) after(d time.Duration, f func()) (stop func() bool) { return s.machine.after(d, f) }

// expire returns a channel that is closed after d.
func (s *Service) expire(d time.Duration) (expired <-chan struct{}, stop func() bool) {
	c := make(chan struct{})
	return c, s.after(d, func() { close(c) })
}

// keeper returns what stores the lines of a stream; nil if nobody does.
func (s *Service) keeper(group, stream string) func([]Line) {
	if s.opt.Logs == nil {
		return nil
	}
	return func(lines []Line) { s.opt.Logs(s.logging, group, stream, lines) }
}

// session returns the credentials of a function.
func (s *Service) session(c *Configuration) map[string]string {
	if s.opt.Session == nil {
		return nil
	}
	vars, err := s.opt.Session(c.Role)
	if err != nil {
		s.opt.Logger.Warn("function runs without credentials", "function", c.FunctionName, "role", c.Role, "error", err)
	}
	return vars
}

// cage is what a worker of a function is held in.
func (s *Service) cage(c *Configuration, code, scratch string) cage {
	return cage{
		readable: append(slices.Clip(s.readable), code),
		writable: append(slices.Clip(s.writable), scratch),
		memory:   uint64(c.MemorySize) << 20,
		slack:    s.machine.slack,
		file:     uint64(c.EphemeralStorage.Size) << 20,
	}
}
