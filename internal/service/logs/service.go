package logs

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"

	"hydrant/internal/aws"
)

// Options are what a Service is opened with. All fields are required.
type Options struct {
	Root      string // data directory; the groups are in Root/logs
	Partition string // of ARNs: aws
	Region    string
	Account   string // 12 digits
	Logger    *slog.Logger
	Now       func() time.Time
}

// Service holds the groups. It is safe for many goroutines.
type Service struct {
	opt    Options
	folder string // Root/logs

	change sync.Mutex // held by who makes, changes or removes groups and streams, also over the disk

	mu      sync.RWMutex // over all below and in groups; never held over the disk
	groups  map[string]*group
	damaged map[string]bool // names of folders that cannot be read
}

// sweepEvery is how often events past their retention are looked for.
const sweepEvery = time.Hour

// Open reads what there is and cuts off what a crash left of unanswered puts. Groups and
// streams whose describing file is damaged are logged and left alone.
func Open(o Options) (*Service, error) {
	s := &Service{opt: o, groups: make(map[string]*group), damaged: make(map[string]bool)}
	if err := s.load(); err != nil {
		return nil, err
	}
	return s, nil
}

// JSON returns the API, to be mounted as logs.
func (s *Service) JSON() *aws.JSON {
	return aws.NewJSON("logs", "Logs_20140328", map[string]aws.Operation{
		"CreateLogGroup":                handle(s, s.createLogGroup),
		"CreateLogStream":               handle(s, s.createLogStream),
		"DeleteLogGroup":                handle(s, s.deleteLogGroup),
		"DeleteLogStream":               handle(s, s.deleteLogStream),
		"DeleteRetentionPolicy":         handle(s, s.deleteRetentionPolicy),
		"DescribeLogGroups":             handle(s, s.describeLogGroups),
		"DescribeLogStreams":            handle(s, s.describeLogStreams),
		"FilterLogEvents":               handle(s, s.filterLogEvents),
		"GetLogEvents":                  handle(s, s.getLogEvents),
		"ListTagsForResource":           handle(s, s.listTagsForResource),
		"ListTagsLogGroup":              handle(s, s.listTagsLogGroup),
		"PutLogEvents":                  handle(s, s.putLogEvents),
		"PutLogGroupDeletionProtection": handle(s, s.putLogGroupDeletionProtection),
		"PutRetentionPolicy":            handle(s, s.putRetentionPolicy),
		"TagLogGroup":                   handle(s, s.tagLogGroup),
		"TagResource":                   handle(s, s.tagResource),
		"TestMetricFilter":              handle(s, s.testMetricFilter),
		"UntagLogGroup":                 handle(s, s.untagLogGroup),
		"UntagResource":                 handle(s, s.untagResource),
	}, nil)
}

// Run drops events whose retention is over, at once and then every hour, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		s.sweep(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// sweep drops the segments of all groups that are past their retention.
func (s *Service) sweep(ctx context.Context) {
	for _, g := range s.allGroups() {
		before := s.horizon(g)
		if before == 0 {
			continue
		}
		for _, st := range s.allStreams(g) {
			if ctx.Err() != nil {
				return
			}
			freed, err := st.drop(before)
			if err != nil {
				s.opt.Logger.Error("events past their retention could not be dropped",
					"stream", st.Name, "error", err)
			}
			if freed > 0 {
				s.opt.Logger.Info("dropped events past their retention", "stream", st.Name, "bytes", freed)
			}
		}
	}
}

// Close writes what makes the next start fast. Nothing may be put afterwards.
func (s *Service) Close() error {
	var errs []error
	for _, g := range s.allGroups() {
		for _, st := range s.allStreams(g) {
			errs = append(errs, st.close())
		}
	}
	return errors.Join(errs...)
}

func (s *Service) allGroups() []*group {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]*group, 0, len(s.groups))
	for g := range maps.Values(s.groups) {
		all = append(all, g)
	}
	return all
}

func (s *Service) allStreams(g *group) []*stream {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]*stream, 0, len(g.streams))
	for st := range maps.Values(g.streams) {
		all = append(all, st)
	}
	return all
}

// find returns a group.
func (s *Service) find(name string) (*group, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if g := s.groups[name]; g != nil {
		return g, nil
	}
	return nil, ErrNoGroup
}

// findStream returns a stream and its group.
func (s *Service) findStream(group, name string) (*group, *stream, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	g := s.groups[group]
	if g == nil {
		return nil, nil, ErrNoGroup
	}
	if st := g.streams[name]; st != nil {
		return g, st, nil
	}
	return nil, nil, ErrNoStream
}

// horizon is the time before which the events of a group are past their retention; 0 if
// they are kept for ever.
func (s *Service) horizon(g *group) int64 {
	s.mu.RLock()
	days := g.about.Retention
	s.mu.RUnlock()
	if days == 0 {
		return 0
	}
	return s.now() - int64(days)*dayMillis
}

func (s *Service) now() int64 { return s.opt.Now().UnixMilli() }
