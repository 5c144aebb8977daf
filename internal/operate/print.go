package operate

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"hydrant/internal/record"
)

// Print writes streams as a table, with a line of its own for each further output that has
// a backlog.
func Print(w io.Writer, streams []Stream) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(cells ...string) { fmt.Fprintln(t, strings.Join(cells, "\t")) }
	row("STREAM", "STATUS", "VERSION", "BACKLOG", "OLDEST", "LAST ERROR")
	for _, s := range streams {
		row(s.Name, s.state(), strconv.Itoa(s.Version), Figures(s.Data.Pending), s.Data.age(), s.trouble())
		if s.Partitions != nil && *s.Partitions > 0 {
			row("  partitions", "", "", thousands(uint64(*s.Partitions))+" open", "", "")
		}
		for _, other := range []struct {
			name string
			*Output
		}{{"backup", s.Backup}, {"failures", s.Failures}} {
			if other.Output != nil && other.Pending.Records > 0 {
				row("  "+other.name, "", "", Figures(other.Pending), other.age(), "")
			}
		}
	}
	return t.Flush()
}

// state is the status in words for people.
func (s *Stream) state() string {
	if s.Paused {
		return string(s.Status) + ", paused"
	}
	return string(s.Status)
}

// trouble is what is wrong with a stream; a dash if nothing is.
func (s *Stream) trouble() string {
	switch {
	case s.Failure != "":
		return Printable(s.Failure)
	case s.LastError != "":
		return Printable(s.LastError)
	}
	return "-"
}

func (o *Output) age() string {
	if o.Pending.Records == 0 || o.Oldest.IsZero() {
		return "-"
	}
	return brief(o.Age())
}

// brief writes a duration with its two largest units.
func brief(d time.Duration) string {
	s := int64(d / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 60*60:
		return fmt.Sprintf("%dm %ds", s/60, s%60)
	case s < 24*60*60:
		return fmt.Sprintf("%dh %dm", s/3600, s/60%60)
	}
	return fmt.Sprintf("%dd %dh", s/86400, s/3600%24)
}

// Figures writes a number of records and their bytes.
func Figures(c record.Counts) string {
	if c == (record.Counts{}) {
		return "none"
	}
	return fmt.Sprintf("%s, %s", counted(c.Records, "record"), size(c.Bytes))
}

// counted is a number of things.
func counted(n uint64, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return thousands(n) + " " + thing
}

// thousands writes a number with commas between its thousands.
func thousands(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// size writes a number of bytes in the unit that fits it.
func size(n uint64) string {
	units := []string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n)/1024, 0
	for f >= 1023.95 && unit+1 < len(units) {
		f, unit = f/1024, unit+1
	}
	return fmt.Sprintf("%.1f %s", f, units[unit])
}

// Printable makes one line of a text that is not ours: nothing in it moves the cursor.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r < ' ' || r >= 0x7f && r < 0xa0:
			return '\ufffd'
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
}
