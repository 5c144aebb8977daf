package lambda

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
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
	// Fetch returns a zip of code from the object store. Optional: without it, code has to
	// be in the request.
	Fetch func(ctx context.Context, bucket, key, version string) ([]byte, error)

	MaxWorkers int           // of a function; 0 stands for 5
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

	change sync.Mutex // held from reading what is to be changed until mu shows the change

	mu        sync.RWMutex
	functions map[string]*function
	closed    bool
}

// function is what a name stands for. It is replaced when something changes; the pool stays.
type function struct {
	stored
	pool *pool
}

// Open reads the functions. No process is started before the first call. Functions whose
// files are damaged are logged and left alone.
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
	s := &Service{opt: o, machine: m, folder: f, functions: make(map[string]*function)}
	s.hidden = real(append([]string{o.Root}, o.Hidden...))
	s.readable, s.writable = append(readable(s.hidden), m.readable...), writable(s.hidden)
	s.logging, s.silence = context.WithCancel(context.Background())
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
	s.functions[name] = &function{*st, newPool(s, name, s.revision(st), st.Reserved)}
	if err := s.folder.sweep(name, st.Code); err != nil {
		s.opt.Logger.Warn("folder of a function not tidied", "function", name, "error", err)
	}
	return nil
}

// revision is what workers of a function run now.
func (s *Service) revision(st *stored) *revision {
	return &revision{config: st.Configuration, code: s.folder.code(st.Configuration.FunctionName, st.Code), codeName: st.Code}
}

// find returns the function that a target stands for.
func (s *Service) find(t target) (*function, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, ErrClosed
	}
	f, ok := s.functions[t.name]
	if !ok || t.qualifier != "" && t.qualifier != latest {
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
// Calls under way are told ErrClosed.
func (s *Service) Close() error {
	s.mu.Lock()
	s.closed = true
	functions := slices.Collect(maps.Values(s.functions))
	s.mu.Unlock()
	for _, f := range functions {
		f.pool.close(ErrClosed)
	}
	stop := s.machine.after(lastWords, s.silence)
	s.running.Wait()
	stop()
	s.silence()
	return nil
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
