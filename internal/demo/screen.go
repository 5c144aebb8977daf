package demo

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// screen is where the story is shown. On a terminal its last line may be a bar, which is
// painted over as work goes on; lines that come meanwhile are put above it. Elsewhere each
// stage of work is a line when it is done, and one every few seconds until then.
//
// What cannot be written is lost: there is nobody to tell.
type screen struct {
	out   io.Writer
	width func() int // nil: not a terminal
	now   func() time.Time

	mu    sync.Mutex
	bar   string    // in the last line; under mu
	shown time.Time // when a bar or a line of progress was last written; under mu
}

const (
	repaint   = 80 * time.Millisecond // between two paintings of a bar
	relate    = 5 * time.Second       // between two lines where there is no terminal
	clearLine = "\r\x1b[K"
	barCells  = 24
)

func newScreen(out io.Writer, width func() int, now func() time.Time) *screen {
	return &screen{out: out, width: width, now: now, shown: now()}
}

// progress is how far a stage of work is.
type progress struct {
	label string
	done  float64 // from 0 to 1; negative: not known
	text  string
}

// printf writes a line.
func (s *screen) printf(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.above(func() { fmt.Fprintf(s.out, format+"\n", args...) })
}

// above writes something above the bar. The caller holds mu.
func (s *screen) above(write func()) {
	if s.bar == "" {
		write()
		return
	}
	fmt.Fprint(s.out, clearLine)
	write()
	fmt.Fprint(s.out, s.bar)
}

// show tells how far a stage is, unless that was told a moment ago.
func (s *screen) show(p progress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	pause := repaint
	if s.width == nil {
		pause = relate
	}
	if now := s.now(); now.Sub(s.shown) >= pause {
		s.shown = now
		s.paint(p, false)
	}
}

// finish tells that a stage is over.
func (s *screen) finish(p progress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shown = s.now()
	s.paint(p, true)
}

// abandon ends a bar where it is, before an error is told.
func (s *screen) abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bar != "" {
		fmt.Fprintln(s.out)
		s.bar = ""
	}
}

// paint writes the bar, or its line. The caller holds mu.
func (s *screen) paint(p progress, last bool) {
	if s.width == nil {
		fmt.Fprintf(s.out, "%-10s %s\n", p.label, p.text)
		return
	}
	line := fmt.Sprintf("%-10s %s %s", p.label, cells(p.done), p.text)
	s.bar = cut(line, s.columns()-1)
	fmt.Fprint(s.out, clearLine+s.bar)
	if last {
		fmt.Fprintln(s.out)
		s.bar = ""
	}
}

// cells draws the bar itself.
func cells(done float64) string {
	if done < 0 {
		return "[" + strings.Repeat("-", barCells) + "]"
	}
	n := int(min(done, 1) * barCells)
	return "[" + strings.Repeat("=", n) + strings.Repeat(" ", barCells-n) + "]"
}

// beside returns a writer for lines that go to w, usually standard error, which may be the
// same terminal.
func (s *screen) beside(w io.Writer) io.Writer { return besideWriter{s, w} }

type besideWriter struct {
	s *screen
	w io.Writer
}

// Write writes above the bar.
func (b besideWriter) Write(p []byte) (n int, err error) {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	b.s.above(func() { n, err = b.w.Write(p) })
	return n, err
}

// columns is how many characters fit into a line. Some terminals do not know: 0.
func (s *screen) columns() int {
	if s.width == nil {
		return 160
	}
	if w := s.width(); w > 0 {
		return w
	}
	return 80
}

// cut shortens a text to a number of characters.
func cut(text string, columns int) string {
	r := []rune(text)
	if len(r) <= columns || columns < 1 {
		return text
	}
	return string(r[:columns-1]) + "…"
}

// printable replaces what could move the cursor or worse.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return '\ufffd'
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
}
