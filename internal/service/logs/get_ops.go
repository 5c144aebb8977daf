package logs

import (
	"context"
	"strings"
)

type getInput struct {
	eitherGroup
	Stream string `json:"logStreamName"`
	Start  *int64 `json:"startTime"`
	End    *int64 `json:"endTime"`
	Limit  *int   `json:"limit"`
	Token  string `json:"nextToken"`
	Head   bool   `json:"startFromHead"`
}

func (in *getInput) resource(s *Service) string { return s.streamARN(in.name(s), in.Stream) }

func (in *getInput) check(v *violations) {
	in.eitherGroup.check(v)
	v.text("logStreamName", in.Stream, 1, 512, streamForm)
	v.time("startTime", in.Start)
	v.time("endTime", in.End)
	v.number("limit", in.Limit, 1, mostEvents)
}

type eventOutput struct {
	Time     int64  `json:"timestamp"`
	Message  string `json:"message"`
	Ingested int64  `json:"ingestionTime"`
}

type getOutput struct {
	Events   []eventOutput `json:"events"`
	Forward  string        `json:"nextForwardToken"`
	Backward string        `json:"nextBackwardToken"`
}

// A token is a direction and a place between events. The page to the right of a place ends
// where the next one begins; if that is the very same place, the token is the same, and the
// client knows that it has reached the end (spec neighbours.md section 6.2).
const (
	forwardPrefix  = "f/"
	backwardPrefix = "b/"
	tokenSuffix    = "/s"
)

func forwardToken(p position) string  { return forwardPrefix + p.String() + tokenSuffix }
func backwardToken(p position) string { return backwardPrefix + p.String() + tokenSuffix }

// parseToken reads a token of GetLogEvents.
func parseToken(token string) (p position, backward bool, err error) {
	digits, ok := strings.CutSuffix(token, tokenSuffix)
	if ok {
		digits, backward = strings.CutPrefix(digits, backwardPrefix)
		if !backward {
			digits, ok = strings.CutPrefix(digits, forwardPrefix)
		}
	}
	if p, valid := parsePosition(digits); ok && valid {
		return p, backward, nil
	}
	return p, false, answer(invalid, "The specified nextToken is invalid.")
}

// span is the times of a request as positions.
func span(start, end *int64, horizon int64) (from, to position) {
	from, to = at(horizon), last
	if start != nil {
		from = at(min(max(*start, horizon), maxTime))
	}
	if end != nil {
		to = at(min(*end, maxTime))
	}
	return from, to
}

func (s *Service) getLogEvents(ctx context.Context, in *getInput) (getOutput, error) {
	if err := in.one(); err != nil {
		return getOutput{}, err
	}
	g, st, err := s.findStream(in.name(s), in.Stream)
	if err != nil {
		return getOutput{}, err
	}
	q := query{streams: []*stream{st}, limit: mostEvents, backward: !in.Head}
	q.from, q.to = span(in.Start, in.End, s.horizon(g))
	if in.Limit != nil {
		q.limit = *in.Limit
	}
	place := q.from
	if in.Token != "" {
		if place, q.backward, err = parseToken(in.Token); err != nil {
			return getOutput{}, err
		}
		if q.backward && place.compare(q.to) < 0 {
			q.to = place
		}
		if !q.backward && place.compare(q.from) > 0 {
			q.from = place
		}
	}
	page, _, err := s.gather(ctx, q)
	if err != nil {
		return getOutput{}, err
	}
	out := getOutput{Events: make([]eventOutput, 0, len(page)), Forward: forwardToken(place), Backward: backwardToken(place)}
	for _, e := range page {
		out.Events = append(out.Events, eventOutput{e.time, string(e.message), e.ingested})
	}
	if n := len(page); n > 0 {
		out.Forward, out.Backward = forwardToken(page[n-1].next()), backwardToken(page[0].position)
	}
	return out, nil
}
