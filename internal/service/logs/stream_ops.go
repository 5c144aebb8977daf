package logs

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
)

func (s *Service) createLogStream(_ context.Context, in *ofStream) (nothing, error) {
	s.change.Lock()
	defer s.change.Unlock()
	g, err := s.find(in.Group)
	if err != nil {
		return nothing{}, err
	}
	if g.streams[in.Stream] != nil { // only holders of change write it
		return nothing{}, answer(exists, "The specified log stream already exists")
	}
	name := folderName(in.Stream)
	if g.damaged[name] {
		return nothing{}, fmt.Errorf("log stream %q: %w", in.Stream, errDamaged)
	}
	st := newStream(streamAbout{Name: in.Stream, Created: s.now()}, filepath.Join(g.folder, name))
	if err := describe(st.folder, streamFile, st.streamAbout); err != nil {
		return nothing{}, fmt.Errorf("make log stream %q: %w", in.Stream, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	g.streams[in.Stream] = st
	return nothing{}, nil
}

func (s *Service) deleteLogStream(_ context.Context, in *ofStream) (nothing, error) {
	s.change.Lock()
	defer s.change.Unlock()
	g, st, err := s.findStream(in.Group, in.Stream)
	if err != nil {
		return nothing{}, err
	}
	s.mu.Lock()
	delete(g.streams, in.Stream)
	s.mu.Unlock()
	kill(st)
	if err := bury(st.folder); err != nil {
		g.damaged[folderName(in.Stream)] = true // it may be back after a restart
		return nothing{}, fmt.Errorf("delete log stream %q: %w", in.Stream, err)
	}
	return nothing{}, nil
}

// Orders of streams.
const (
	byName = "LogStreamName"
	byTime = "LastEventTime"
)

type describeStreamsInput struct {
	eitherGroup
	pager
	Prefix     string `json:"logStreamNamePrefix"`
	Order      string `json:"orderBy"`
	Descending bool   `json:"descending"`
}

func (in *describeStreamsInput) check(v *violations) {
	in.eitherGroup.check(v)
	in.pager.check(v)
	v.text("logStreamNamePrefix", in.Prefix, 0, 512, streamForm)
	v.oneOf("orderBy", in.Order, byName, byTime)
}

type streamOutput struct {
	Name     string `json:"logStreamName"`
	Created  int64  `json:"creationTime"`
	First    *int64 `json:"firstEventTimestamp,omitzero"`
	Last     *int64 `json:"lastEventTimestamp,omitzero"`
	Ingested *int64 `json:"lastIngestionTime,omitzero"`
	Sequence string `json:"uploadSequenceToken"`
	ARN      string `json:"arn"`
	Stored   int64  `json:"storedBytes"`
}

type describeStreamsOutput struct {
	Streams []streamOutput `json:"logStreams"`
	Next    string         `json:"nextToken,omitempty"`
}

func (s *Service) describeLogStreams(_ context.Context, in *describeStreamsInput) (describeStreamsOutput, error) {
	if err := in.one(); err != nil {
		return describeStreamsOutput{}, err
	}
	if in.Prefix != "" && in.Order == byTime {
		return describeStreamsOutput{}, answer(invalid, "Cannot order by LastEventTime with a logStreamNamePrefix.")
	}
	group := in.name(s)
	g, err := s.find(group)
	if err != nil {
		return describeStreamsOutput{}, err
	}
	found := make([]cursor, 0)
	for _, st := range s.allStreams(g) {
		if !strings.HasPrefix(st.Name, in.Prefix) {
			continue
		}
		c := cursor{Name: st.Name}
		if last := st.summary().last; in.Order == byTime && last != nil {
			c.Number = *last
		}
		found = append(found, c)
	}
	page, next, err := in.page(found, in.Descending)
	if err != nil {
		return describeStreamsOutput{}, err
	}
	out := describeStreamsOutput{Streams: make([]streamOutput, 0, len(page)), Next: next}
	for _, c := range page {
		_, st, err := s.findStream(group, c.Name)
		if err != nil {
			continue // deleted meanwhile
		}
		sum := st.summary()
		out.Streams = append(out.Streams, streamOutput{
			Name: st.Name, Created: st.Created, First: sum.first, Last: sum.last, Ingested: sum.ingested,
			Sequence: sequenceToken(st), ARN: s.streamARN(group, st.Name), Stored: sum.stored,
		})
	}
	return out, nil
}

// sequenceToken is what clients of old send back. It means nothing.
func sequenceToken(st *stream) string {
	st.mu.RLock()
	defer st.mu.RUnlock()
	return fmt.Sprintf("%056d", st.next+1)
}
