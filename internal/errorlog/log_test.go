package errorlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hydrant/internal/record"
	"hydrant/internal/stream"
)

// memSink keeps events in memory. Its fault is what a Put answers instead.
type memSink struct {
	mu     sync.Mutex
	events map[place][]Event
	puts   int
	sizes  []int // of the puts, as the service counts
	sorted bool  // within every put
	fault  func(n int) error
}

func (s *memSink) Put(_ context.Context, group, name string, events []Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.puts++
	if s.fault != nil {
		if err := s.fault(s.puts); err != nil {
			return err
		}
	}
	size := 0
	for i, e := range events {
		size += len(e.Message) + 26
		s.sorted = s.sorted && (i == 0 || !e.Time.Before(events[i-1].Time))
	}
	s.sizes = append(s.sizes, size)
	p := place{group, name}
	s.events[p] = append(s.events[p], events...)
	return nil
}

// clicks is a stream that logs its errors, those of its backup elsewhere.
func clicks() *stream.Definition {
	logs := func(name string) stream.CloudWatchLoggingOptions {
		return stream.CloudWatchLoggingOptions{Enabled: true, LogGroupName: new("/firehose/clicks"), LogStreamName: &name}
	}
	return &stream.Definition{
		Name: "clicks", ARN: "arn:aws:firehose:us-east-1:123456789012:deliverystream/clicks", Version: 3,
		S3: &stream.S3Destination{
			BucketARN: "arn:aws:s3:::lake", CloudWatchLogging: logs("DestinationDelivery"),
			S3Backup: &stream.S3Destination{BucketARN: "arn:aws:s3:::safe", CloudWatchLogging: logs("BackupDelivery")},
		},
	}
}

var (
	main   = place{"/firehose/clicks", "DestinationDelivery"}
	backup = place{"/firehose/clicks", "BackupDelivery"}
)

// running starts a Log in the bubble of t; Stop ends it.
func running(t *testing.T, s *memSink) *Log {
	s.events, s.sorted = map[place][]Event{}, true
	l := New(Options{Sink: s, Logger: slog.New(slog.DiscardHandler), Now: time.Now})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l
}

func TestAFailureIsLoggedInFirehosesWords(t *testing.T) {
	noBucket := &record.Complaint{Code: "S3.NoSuchBucket", Message: "The specified bucket does not exist.", Err: record.ErrNoBucket}
	for name, c := range map[string]struct {
		failure Failure
		at      place
		want    string
	}{
		"of a kind that Firehose knows": {
			Failure{Err: fmt.Errorf("put x: %w", noBucket)}, main,
			`{"deliveryStreamARN":"arn:aws:firehose:us-east-1:123456789012:deliverystream/clicks","destination":"arn:aws:s3:::lake","deliveryStreamVersionId":3,` +
				`"message":"The specified bucket does not exist.","errorCode":"S3.NoSuchBucket"}`,
		},
		"of the backup": {
			Failure{Err: noBucket, Output: record.Backup}, backup,
			`{"deliveryStreamARN":"arn:aws:firehose:us-east-1:123456789012:deliverystream/clicks","destination":"arn:aws:s3:::safe","deliveryStreamVersionId":3,` +
				`"message":"The specified bucket does not exist.","errorCode":"S3.NoSuchBucket"}`,
		},
		"of a function": {
			Failure{Err: noBucket, Processor: "arn:aws:lambda:us-east-1:123456789012:function:f"}, main,
			`{"deliveryStreamARN":"arn:aws:firehose:us-east-1:123456789012:deliverystream/clicks","destination":"arn:aws:s3:::lake","deliveryStreamVersionId":3,` +
				`"message":"The specified bucket does not exist.","errorCode":"S3.NoSuchBucket","processor":"arn:aws:lambda:us-east-1:123456789012:function:f"}`,
		},
		"of any other kind": {
			Failure{Err: errors.New("connection refused \xff")}, main,
			`{"deliveryStreamARN":"arn:aws:firehose:us-east-1:123456789012:deliverystream/clicks","destination":"arn:aws:s3:::lake","deliveryStreamVersionId":3,` +
				`"message":"` + internalMessage + ` connection refused ` + "\uFFFD" + `","errorCode":"InternalError"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var s memSink
				l := running(t, &s)
				c.failure.Stream, c.failure.At = clicks(), time.Now()
				l.Report(c.failure)
				synctest.Wait()
				if got := s.events[c.at]; len(got) != 1 || got[0].Message != c.want || !got[0].Time.Equal(c.failure.At) {
					t.Fatalf("got  %+v\nwant %s", got, c.want)
				}
				if n := l.Counts(); n != (Counts{Written: 1}) {
					t.Fatalf("counts %+v", n)
				}
			})
		})
	}
}

func TestAStreamWithoutLoggingLogsNothing(t *testing.T) {
	for name, options := range map[string]stream.CloudWatchLoggingOptions{
		"disabled":  {LogGroupName: new("g"), LogStreamName: new("s")},
		"no group":  {Enabled: true, LogStreamName: new("s")},
		"no stream": {Enabled: true, LogGroupName: new("g")},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var s memSink
				l := running(t, &s)
				d := clicks()
				d.S3.CloudWatchLogging = options
				l.Report(Failure{Stream: d, Err: record.ErrDenied, At: time.Now()})
				synctest.Wait()
				if s.puts != 0 || l.Counts() != (Counts{}) {
					t.Fatalf("%d puts, counts %+v", s.puts, l.Counts())
				}
			})
		})
	}
}

// A stream that fails all the time gets a burst of entries and then some of them; others
// do not suffer from it.
func TestEntriesOfAStreamThatFailsAllTheTimeAreSampled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s memSink
		l := running(t, &s)
		for range 10 * burst {
			l.Report(Failure{Stream: clicks(), Err: record.ErrDenied, At: time.Now()})
		}
		l.Report(Failure{Stream: clicks(), Err: record.ErrDenied, Output: record.Backup, At: time.Now()})
		synctest.Wait()
		if len(s.events[main]) != burst || len(s.events[backup]) != 1 || l.Counts().Sampled != 9*burst {
			t.Fatalf("%d and %d events, counts %+v", len(s.events[main]), len(s.events[backup]), l.Counts())
		}
		time.Sleep(10 * every)
		for range burst {
			l.Report(Failure{Stream: clicks(), Err: record.ErrDenied, At: time.Now()})
		}
		synctest.Wait()
		if len(s.events[main]) != burst+10 {
			t.Fatalf("%d events", len(s.events[main]))
		}
	})
}

func TestALogServiceThatFailsIsTriedAgain(t *testing.T) {
	out := errors.New("out of service")
	for name, c := range map[string]struct {
		fault func(n int) error
		want  Counts
		puts  int
	}{
		"for a moment":        {func(n int) error { return map[bool]error{n < puts: out}[true] }, Counts{Written: 1}, puts},
		"for long":            {func(int) error { return out }, Counts{Lost: 1}, puts},
		"without a group":     {func(int) error { return ErrGone }, Counts{Lost: 1}, 1},
		"with a wrapped gone": {func(int) error { return fmt.Errorf("put: %w", ErrGone) }, Counts{Lost: 1}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := memSink{fault: c.fault}
				l := running(t, &s)
				l.Report(Failure{Stream: clicks(), Err: record.ErrDenied, At: time.Now()})
				time.Sleep(time.Minute)
				synctest.Wait()
				if l.Counts() != c.want || s.puts != c.puts {
					t.Fatalf("%d puts, counts %+v", s.puts, l.Counts())
				}
			})
		})
	}
}

// Whoever reports does not wait for a service that hangs.
func TestReportersNeverWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memSink{fault: func(int) error { time.Sleep(time.Hour); return nil }}
		l := running(t, &s)
		begin := time.Now()
		for i := range 2 * maxWaiting {
			d := clicks()
			d.S3.CloudWatchLogging.LogStreamName = new(fmt.Sprint(i % 100)) // each has its share
			l.Report(Failure{Stream: d, Err: record.ErrDenied, At: time.Now()})
		}
		if !time.Now().Equal(begin) || l.Counts().Lost == 0 {
			t.Fatalf("waited %s, counts %+v", time.Since(begin), l.Counts())
		}
	})
}

// Those who report do not agree on the time, and what they say may be long.
func TestAPutIsInOrderAndNoLargerThanTheServiceTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s memSink
		s.fault = func(int) error { time.Sleep(time.Second); return nil } // so that many wait
		l := running(t, &s)
		long := &record.Complaint{Code: "X", Message: strings.Repeat("x", maxMessage), Err: record.ErrDenied}
		for i := range burst {
			l.Report(Failure{Stream: clicks(), Err: long, At: time.Now().Add(-time.Duration(i) * time.Millisecond)})
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if l.Counts().Written != burst {
			t.Fatalf("counts %+v", l.Counts())
		}
		for _, n := range s.sizes {
			if n > 1<<20 {
				t.Fatalf("a put of %d bytes", n)
			}
		}
		if len(s.sizes) < 2 || !s.sorted { // 1.6 MB of them
			t.Fatalf("puts of %d bytes, in order: %v", s.sizes, s.sorted)
		}
	})
}

func TestWhatWaitsAtTheEndIsWrittenStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memSink{events: map[place][]Event{}}
		l := New(Options{Sink: &s, Logger: slog.New(slog.DiscardHandler), Now: time.Now})
		for range 7 {
			l.Report(Failure{Stream: clicks(), Err: record.ErrDenied, At: time.Now()})
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := l.Run(ctx); err != nil || l.Counts().Written != 7 {
			t.Fatalf("counts %+v, %v", l.Counts(), err)
		}
	})
}

func TestALongMessageIsCutBetweenCharacters(t *testing.T) {
	f := Failure{Stream: clicks(), Err: errors.New(strings.Repeat("ä", maxMessage))}
	e, err := f.event("x")
	if err != nil || len(e.Message) > maxMessage+500 || !strings.Contains(e.Message, `ä","errorCode"`) {
		t.Fatalf("%d bytes, %v", len(e.Message), err)
	}
}
