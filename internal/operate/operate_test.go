package operate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"hydrant/internal/record"
	"hydrant/internal/stream"
)

func counts(records, bytes uint64) record.Counts {
	return record.Counts{Records: records, Bytes: bytes}
}

func TestAStreamIsShownWithItsBacklogAndItsTroubles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "clicks")
		id := w.id("clicks")
		queue := record.Queue{Stream: id, Output: record.Backup}
		w.delivery.set(id, Status{
			Data:   Account{Delivered: counts(1, 10), Pending: counts(3, 30), Objects: 1, Bytes: 9, Oldest: time.Now().Add(-time.Minute)},
			Backup: Account{Pending: counts(4, 40)},
			Fails:  2, LastError: "no bucket", Done: []Mark{{queue, counts(1, 10)}},
		})
		got, err := w.Stream(t.Context(), "clicks")
		if err != nil {
			t.Fatal(err)
		}
		want := Stream{
			Name: "clicks", ID: id.String(), ARN: "arn:aws:firehose:us-east-1:123456789012:deliverystream/clicks",
			Status: stream.Active, Version: 1,
			Data: Output{
				Pending: counts(3, 30), Oldest: time.Now().Add(-time.Minute).UTC(), AgeSeconds: 60,
				Delivered: counts(1, 10), Objects: 1, ObjectBytes: 9,
			},
			Backup: &Output{Pending: counts(4, 40)},
			Fails:  2, LastError: "no bucket", Done: []Reach{{"backup", 0, counts(1, 10)}},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	})
}

func TestAllStreamsAreListedHoweverManyPagesTheyFill(t *testing.T) {
	var names []string
	for i := range 2*maxPage + 1 {
		names = append(names, fmt.Sprintf("stream-%03d", i))
	}
	for _, n := range []int{0, 1, maxPage, maxPage + 1, len(names)} {
		w := newWorld(t, names[:n]...)
		all, err := w.Streams(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got := []string{}
		for _, s := range all {
			got = append(got, s.Name)
		}
		if d := cmp.Diff(names[:n], got); d != "" && n > 0 || len(got) != n {
			t.Errorf("%d: %s", n, d)
		}
	}
}

func TestAPauseIsStoredAndCanBeRepeated(t *testing.T) {
	w := newWorld(t, "clicks")
	for _, step := range []struct {
		do   func(context.Context, string) (Stream, error)
		want bool
	}{{w.Pause, true}, {w.Pause, true}, {w.Resume, false}, {w.Resume, false}} {
		s, err := step.do(t.Context(), "clicks")
		if err != nil {
			t.Fatal(err)
		}
		d, _ := w.streams.Get("clicks")
		if s.Paused != step.want || d.Paused != step.want {
			t.Errorf("shown %v, stored %v, want %v", s.Paused, d.Paused, step.want)
		}
		if s.Version != 1 {
			t.Errorf("a pause made version %d", s.Version)
		}
	}
}

func TestBothEndsCallARefusalTheSame(t *testing.T) {
	flush := func(c *Client, name string) error { _, err := c.Flush(t.Context(), name); return err }
	pause := func(c *Client, name string) error { _, err := c.Pause(t.Context(), name); return err }
	look := func(c *Client, name string) error { _, err := c.Stream(t.Context(), name); return err }
	for _, tt := range []struct {
		name string
		do   func(*Client, string) error
		on   string
		set  func(*world)
		want error
		text string
	}{
		{"a stream that is not there", look, "nope", nil, ErrNoStream, "Stream nope does not exist"},
		{"a flush of it", flush, "nope", nil, ErrNoStream, ""},
		{"a pause of it", pause, "nope", nil, ErrNoStream, ""},
		{"a flush of a paused stream", flush, "clicks", func(w *world) { w.delivery.err = ErrPaused }, ErrPaused, "Stream clicks is paused"},
		{"a flush that came too late", flush, "clicks", func(w *world) { w.delivery.err = ErrNotActive }, ErrNotActive, ""},
		{"a flush of a stream that is being deleted", flush, "leaving", nil, ErrNotActive, "it is DELETING"},
		{"a pause of it", pause, "leaving", nil, ErrNotActive, "it is DELETING"},
		{"a key of another node", look, "clicks", func(w *world) {
			w.options.AccessKeyID = "HYDRCCCCCCCCCCCCCCCC"
			w.Client = NewClient(w.options)
		}, ErrStranger, ""},
		{"no node", look, "clicks", func(w *world) {
			w.options.HTTP = &http.Client{Transport: broken{}}
			w.Client = NewClient(w.options)
		}, ErrNoAnswer, "http://node"},
	} {
		w := newWorld(t, "clicks", "leaving")
		if err := w.streams.Delete(t.Context(), "leaving"); err != nil {
			t.Fatal(err)
		}
		if tt.set != nil {
			tt.set(w)
		}
		if err := tt.do(w.Client, tt.on); !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

type broken struct{}

func (broken) RoundTrip(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }

func TestWhatCannotBeUnderstoodIsRefused(t *testing.T) {
	w := newWorld(t, "clicks")
	for _, tt := range []struct {
		operation string
		in        any
		code      string
	}{
		{"DescribeStream", map[string]any{}, validation},
		{"DescribeStream", map[string]any{"stream": "a/b"}, validation},
		{"DescribeStream", map[string]any{"stream": strings.Repeat("a", 65)}, validation},
		{"FlushStream", map[string]any{"stream": "clicks", "force": true}, serialization},
		{"PauseStream", map[string]any{"stream": 1}, serialization},
		{"ListStreams", map[string]any{"limit": 0}, validation},
		{"ListStreams", map[string]any{"limit": maxPage + 1}, validation},
		{"DeleteStream", map[string]any{"stream": "clicks"}, "UnknownOperationException"},
	} {
		if err := w.call(t.Context(), tt.operation, tt.in, nil); err == nil || !strings.Contains(err.Error(), tt.code) {
			t.Errorf("%s %v: %v, want %s", tt.operation, tt.in, err, tt.code)
		}
	}
}

func TestWhoMayNotIsRefusedByActionAndStream(t *testing.T) {
	w := newWorld(t, "clicks")
	w.options.AccessKeyID = guestID
	w.Client = NewClient(w.options)
	const arn = "arn:aws:firehose:us-east-1:123456789012:deliverystream/clicks"
	want := []string{"hydrant:ListStreams *"}
	_, err := w.Streams(t.Context())
	errs := []error{err}
	for _, op := range []string{"DescribeStream", "FlushStream", "PauseStream", "ResumeStream"} {
		errs = append(errs, w.call(t.Context(), op, streamInput{"clicks"}, nil))
		want = append(want, "hydrant:"+op+" "+arn)
	}
	for _, err := range errs {
		if err == nil || !strings.Contains(err.Error(), "AccessDeniedException") {
			t.Error(err)
		}
	}
	if d := cmp.Diff(want, w.asked); d != "" {
		t.Error(d)
	}
	if d, _ := w.streams.Get("clicks"); d.Paused {
		t.Error("a guest has paused a stream")
	}
}
