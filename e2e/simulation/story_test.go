package simulation

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// story is what happened, in virtual time, and how often each fault did.
type story struct {
	begin time.Time
	live  bool // lines are printed as they are told

	mu     sync.Mutex
	lines  []string
	counts map[string]int
}

func newStory() *story {
	return &story{begin: time.Now(), counts: map[string]int{}, live: os.Getenv(storyEnv) != ""}
}

// tell writes one line.
func (s *story) tell(format string, args ...any) {
	line := fmt.Sprintf("%14s  ", time.Since(s.begin).Round(time.Microsecond)) + fmt.Sprintf(format, args...)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, line)
	if s.live {
		fmt.Println(line)
	}
}

// count notes that a fault fired.
func (s *story) count(fault string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[fault] += n
}

// happened tells and counts.
func (s *story) happened(fault, format string, args ...any) {
	s.count(fault, 1)
	s.tell(fault+": "+format, args...)
}

// String is the whole story.
func (s *story) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, "\n")
}

// tally is a copy of the counts.
func (s *story) tally() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.counts)
}

// table shows counts in the order of their names.
func table(counts map[string]int) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(&b, "%8d  %s\n", counts[k], k)
	}
	return b.String()
}

// Write makes the story a place for the node's log.
func (s *story) Write(line []byte) (int, error) {
	s.tell("  log %s", bytes.TrimSpace(line))
	return len(line), nil
}

// logger writes a life's log into the story, without its own times.
func (s *story) logger(life int) *slog.Logger {
	return slog.New(slog.NewTextHandler(s, &slog.HandlerOptions{
		Level: slog.LevelInfo,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			if err, ok := a.Value.Any().(error); ok {
				a.Value = slog.StringValue(err.Error())
			}
			return a
		},
	})).With("life", life)
}
