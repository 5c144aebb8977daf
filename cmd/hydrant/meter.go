package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"hydrant/internal/operate"
)

// meter shows how far a flush is: on a terminal as a bar that is painted over, elsewhere as
// a line every few seconds. What cannot be written is lost: there is nobody to tell.
type meter struct {
	out   io.Writer
	width func() int // nil: not a terminal
	now   func() time.Time
	shown time.Time // when a line was last written
	bar   bool      // the last line is a bar
}

const (
	relate    = 5 * time.Second // between two lines where there is no terminal
	barCells  = 24
	clearLine = "\r\x1b[K"
)

func newMeter(out io.Writer, now func() time.Time) *meter {
	return &meter{out: out, width: widthOf(out), now: now, shown: now()}
}

// show tells how far it is.
func (m *meter) show(stream string, p operate.Progress) {
	text := p.String()
	if p.LastError != "" {
		text += "; tried again after: " + operate.Printable(p.LastError)
	}
	if m.width == nil {
		if now := m.now(); now.Sub(m.shown) >= relate {
			m.shown = now
			fmt.Fprintf(m.out, "%s: %s\n", stream, text)
		}
		return
	}
	full := int(min(p.Fraction(), 1) * barCells)
	line := fmt.Sprintf("%s [%s%s] %s", stream, strings.Repeat("=", full), strings.Repeat(" ", barCells-full), text)
	fmt.Fprint(m.out, clearLine+cut(line, m.width()-1))
	m.bar = true
}

// clear takes the bar away.
func (m *meter) clear() {
	if m.bar {
		fmt.Fprint(m.out, clearLine)
		m.bar = false
	}
}
