package logs

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sort"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"hydrant/internal/aws"
)

// Limits of a put (spec neighbours.md section 6.3).
const (
	maxBatch    = 1 << 20
	eventWeight = 26 // what an event counts beside its message, bytes
	maxMessage  = maxBatch - eventWeight
	mostEvents  = 10_000

	hourMillis = int64(time.Hour / time.Millisecond)
	dayMillis  = 24 * hourMillis
	longestAgo = 14 * dayMillis
	mostAhead  = 2 * hourMillis
)

// Event is a message and the time it is about.
type Event struct {
	Time    time.Time
	Message string
}

// Put stores events as PutLogEvents does, and returns when they are synced. ErrNoGroup and
// ErrNoStream say where to put them first; other errors tell what is wrong with the events,
// or with the disk. Events that are too old or too new are dropped.
func (s *Service) Put(_ context.Context, group, stream string, events []Event) error {
	list := make([]event, len(events))
	for i, e := range events {
		list[i] = event{time: e.Time.UnixMilli(), message: []byte(strings.ToValidUTF8(e.Message, "\uFFFD"))}
	}
	_, err := s.store(group, stream, list)
	return err
}

// rejected tells which events were dropped: the first that is too new, and how many at the
// front are too old or past the retention.
type rejected struct {
	TooNew  *int `json:"tooNewLogEventStartIndex,omitzero"`
	TooOld  *int `json:"tooOldLogEventEndIndex,omitzero"`
	Expired *int `json:"expiredLogEventEndIndex,omitzero"`
}

// store checks events and appends those that are neither too old nor too new.
func (s *Service) store(group, name string, events []event) (rejected, error) {
	var r rejected
	if err := checkBatch(events); err != nil {
		return r, err
	}
	g, st, err := s.findStream(group, name)
	if err != nil {
		return r, err
	}
	now := s.now()
	before := func(t int64) int {
		return sort.Search(len(events), func(i int) bool { return events[i].time >= t })
	}
	old, expired, end := before(now-longestAgo), before(s.horizon(g)), before(now+mostAhead+1)
	if old > 0 {
		r.TooOld = &old
	}
	if expired > 0 {
		r.Expired = &expired
	}
	if end < len(events) {
		r.TooNew = &end
	}
	start := max(old, expired)
	if start >= end {
		return r, nil
	}
	for i := range events {
		events[i].ingested = now
	}
	err = st.append(events[start:end])
	if errors.Is(err, ErrNoStream) { // deleted meanwhile, perhaps with its group
		_, _, err = s.findStream(group, name)
		if err == nil {
			err = ErrNoStream
		}
	}
	return r, err
}

// checkBatch looks at what does not depend on time or stream.
func checkBatch(events []event) error {
	if n := len(events); n < 1 || n > mostEvents {
		var v violations
		v.count("logEvents", n, 1, mostEvents)
		return v.err()
	}
	size := 0
	for i, e := range events {
		size += len(e.message) + eventWeight
		switch {
		case len(e.message) == 0:
			return violated(i, "message", "Member must have length greater than or equal to 1")
		case e.time < 0:
			return violated(i, "timestamp", "Member must have value greater than or equal to 0")
		case len(e.message) > maxMessage:
			return answer(invalid, "Log event too large: %d bytes exceeds limit of %d", len(e.message)+eventWeight, maxBatch)
		case i > 0 && e.time < events[i-1].time:
			return answer(invalid, "Log events in a single PutLogEvents request must be in chronological order.")
		}
	}
	if size > maxBatch {
		return answer(invalid, "Upload too large: %d bytes exceeds limit of %d", size, maxBatch)
	}
	if events[len(events)-1].time-events[0].time > dayMillis {
		return answer(invalid, "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
	}
	return nil
}

func violated(i int, member, constraint string) *aws.Error {
	var v violations
	v.add(fmt.Sprintf("logEvents.%d.member.%s", i+1, member), "%s", constraint)
	return answer(invalid, "1 validation error detected: %s", v[0])
}

type putInput struct {
	ofStream
	Events eventList `json:"logEvents"`
}

func (in *putInput) check(v *violations) {
	in.ofStream.check(v)
	if in.Events == nil {
		v.add("logEvents", "Member must not be null")
		return
	}
	v.count("logEvents", len(in.Events), 1, mostEvents)
	for i, e := range in.Events {
		if e.time == math.MinInt64 || e.message == nil {
			name := "timestamp"
			if e.message == nil {
				name = "message"
			}
			v.add(fmt.Sprintf("logEvents.%d.member.%s", i+1, name), "Member must not be null")
			return // one is enough to find the mistake
		}
	}
}

// eventList is the events of a request, of which no more than one too many is kept: an
// event of a few bytes would take many in memory.
type eventList []event

// UnmarshalJSONFrom reads the list.
func (l *eventList) UnmarshalJSONFrom(in *jsontext.Decoder) error {
	if in.PeekKind() == 'n' {
		return in.SkipValue()
	}
	if t, err := in.ReadToken(); err != nil {
		return err
	} else if t.Kind() != '[' {
		return errors.New("logEvents is no list")
	}
	*l = eventList{}
	for in.PeekKind() != ']' {
		if len(*l) > mostEvents {
			if err := in.SkipValue(); err != nil {
				return err
			}
			continue
		}
		var one struct {
			Time    *int64  `json:"timestamp"`
			Message *string `json:"message"`
		}
		if err := json.UnmarshalDecode(in, &one); err != nil {
			return err
		}
		e := event{time: math.MinInt64}
		if one.Time != nil {
			e.time = max(*one.Time, math.MinInt64+1)
		}
		if one.Message != nil {
			e.message = []byte(*one.Message)
		}
		*l = append(*l, e)
	}
	_, err := in.ReadToken()
	return err
}

type putOutput struct {
	Next     string    `json:"nextSequenceToken"`
	Rejected *rejected `json:"rejectedLogEventsInfo,omitzero"`
}

func (s *Service) putLogEvents(_ context.Context, in *putInput) (putOutput, error) {
	r, err := s.store(in.Group, in.Stream, in.Events)
	if err != nil {
		return putOutput{}, err
	}
	var out putOutput
	if r != (rejected{}) {
		out.Rejected = &r
	}
	_, st, err := s.findStream(in.Group, in.Stream)
	if err != nil {
		return putOutput{}, err
	}
	out.Next = sequenceToken(st)
	return out, nil
}
