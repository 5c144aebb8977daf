package logs

import (
	"context"
	"slices"
	"strings"
)

type filterInput struct {
	eitherGroup
	Streams []string `json:"logStreamNames"`
	Prefix  string   `json:"logStreamNamePrefix"`
	Start   *int64   `json:"startTime"`
	End     *int64   `json:"endTime"`
	Pattern string   `json:"filterPattern"`
	Limit   *int     `json:"limit"`
	Token   string   `json:"nextToken"`
}

func (in *filterInput) check(v *violations) {
	in.eitherGroup.check(v)
	v.count("logStreamNames", len(in.Streams), 0, 100)
	v.text("logStreamNamePrefix", in.Prefix, 0, 512, streamForm)
	v.text("filterPattern", in.Pattern, 0, maxPattern, nil)
	v.time("startTime", in.Start)
	v.time("endTime", in.End)
	v.number("limit", in.Limit, 1, mostEvents)
}

type filteredEvent struct {
	Stream   string `json:"logStreamName"`
	Time     int64  `json:"timestamp"`
	Message  string `json:"message"`
	Ingested int64  `json:"ingestionTime"`
	ID       string `json:"eventId"`
}

type filterOutput struct {
	Events   []filteredEvent `json:"events"`
	Searched []struct{}      `json:"searchedLogStreams"` // always empty, as with AWS
	Token    string          `json:"nextToken,omitzero"`
}

// filterLogEvents tells events of several streams in the order of their times. A page that
// reads too much ends early, maybe without an event.
func (s *Service) filterLogEvents(ctx context.Context, in *filterInput) (filterOutput, error) {
	out := filterOutput{Events: []filteredEvent{}, Searched: []struct{}{}}
	if err := in.one(); err != nil {
		return out, err
	}
	if len(in.Streams) > 0 && in.Prefix != "" {
		return out, answer(invalid, "Only one of logStreamNames and logStreamNamePrefix can be specified.")
	}
	p, err := parsePattern(in.Pattern)
	if err != nil {
		return out, answer(invalid, "Invalid filter pattern. %v", err)
	}
	g, err := s.find(in.name(s))
	if err != nil {
		return out, err
	}
	streams, err := s.selected(g, in.Streams, in.Prefix)
	if err != nil {
		return out, err
	}
	q := query{streams: streams, limit: mostEvents, match: p.match, scan: maxScan}
	q.from, q.to = span(in.Start, nil, s.horizon(g))
	if in.End != nil { // events of that very time are told, too
		q.to = at(min(*in.End, maxTime-1) + 1)
	}
	if in.Limit != nil {
		q.limit = *in.Limit
	}
	if in.Token != "" {
		from, ok := parsePosition(in.Token)
		if !ok {
			return out, answer(invalid, "The specified nextToken is invalid.")
		}
		if from.compare(q.from) > 0 {
			q.from = from
		}
	}
	page, end, err := s.gather(ctx, q)
	if err != nil {
		return out, err
	}
	for _, e := range page {
		out.Events = append(out.Events, filteredEvent{e.in.Name, e.time, string(e.message), e.ingested, e.position.String()})
	}
	if end != q.to {
		out.Token = end.String()
	}
	return out, nil
}

// selected are the streams of a group that are asked for; all, if none is.
func (s *Service) selected(g *group, names []string, prefix string) ([]*stream, error) {
	all := s.allStreams(g)
	for _, name := range names {
		if !slices.ContainsFunc(all, func(st *stream) bool { return st.Name == name }) {
			return nil, ErrNoStream
		}
	}
	return slices.DeleteFunc(all, func(st *stream) bool {
		return len(names) > 0 && !slices.Contains(names, st.Name) || !strings.HasPrefix(st.Name, prefix)
	}), nil
}

type testFilterInput struct {
	Pattern  *string  `json:"filterPattern"`
	Messages []string `json:"logEventMessages"`
}

func (in *testFilterInput) resource(*Service) string { return "*" }

func (in *testFilterInput) check(v *violations) {
	if in.Pattern == nil {
		v.add("filterPattern", "Member must not be null")
	} else {
		v.text("filterPattern", *in.Pattern, 0, maxPattern, nil)
	}
	v.count("logEventMessages", len(in.Messages), 1, 50)
}

type filterMatch struct {
	Number  int               `json:"eventNumber"` // from 1 on
	Message string            `json:"eventMessage"`
	Values  map[string]string `json:"extractedValues"`
}

type testFilterOutput struct {
	Matches []filterMatch `json:"matches"`
}

func (s *Service) testMetricFilter(_ context.Context, in *testFilterInput) (testFilterOutput, error) {
	out := testFilterOutput{Matches: []filterMatch{}}
	p, err := parsePattern(*in.Pattern)
	if err != nil {
		return out, answer(invalid, "Invalid filter pattern. %v", err)
	}
	for i, m := range in.Messages {
		if p.match([]byte(m)) {
			out.Matches = append(out.Matches, filterMatch{i + 1, m, p.extract([]byte(m))})
		}
	}
	return out, nil
}
