package doctor

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"hydrant/internal/record"
)

// Print writes the report for people. now is what ages are counted to; command is how the
// user calls the doctor, for the next step.
func (r *Report) Print(w io.Writer, now time.Time, command string) error {
	p := printer{r: r, now: now, command: command}
	p.verdict()
	p.streams()
	p.deliveries()
	p.buckets()
	p.damage()
	p.setAside()
	p.next()
	_, err := io.WriteString(w, p.out.String())
	return err
}

// printer builds the text.
type printer struct {
	r       *Report
	now     time.Time
	command string
	out     strings.Builder
}

func (p *printer) printf(format string, args ...any) { fmt.Fprintf(&p.out, format, args...) }

// table writes rows of cells in columns.
func (p *printer) table(rows [][]string) {
	t := tabwriter.NewWriter(&p.out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	_ = t.Flush() // a strings.Builder takes everything
}

func (p *printer) verdict() {
	verdict := "healthy"
	if !p.r.Healthy {
		verdict = "DAMAGED"
	}
	p.printf("%s is %s\n", p.r.Data, verdict)
	p.printf("The journal takes %s; %s and %s; %s undelivered\n", size(p.r.JournalBytes),
		counted(len(p.r.Streams), "stream"), counted(len(p.r.States), "state key"), figures(p.r.Pending()))
	if n := len(p.r.Strays); n > 0 {
		p.printf("%s without a stream, left by a deletion that was interrupted\n", counted(n, "queue"))
	}
}

func (p *printer) streams() {
	if len(p.r.Streams)+len(p.r.Strays) == 0 {
		return
	}
	p.printf("\n")
	rows := [][]string{{"STREAM", "STATUS", "VERSION", "OUTPUT", "ENTRIES", "KEPT", "STORED", "UNDELIVERED", "OLDEST"}}
	for _, s := range p.r.Streams {
		head := []string{s.Name, string(s.Status), fmt.Sprint(s.Version)}
		if len(s.Queues) == 0 {
			rows = append(rows, append(head, "-", "-", "-", "-", "-", "-"))
		}
		for _, cells := range p.queues(s.Queues) {
			rows = append(rows, append(head, cells...))
			head = []string{"", "", ""}
		}
	}
	for _, q := range p.r.Strays {
		rows = append(rows, append([]string{"(" + q.Stream.String() + ")", "-", "-"}, p.queue(q)...))
	}
	p.table(rows)
}

// queues returns the cells of a stream's queues, of which the partitions share a row: there may
// be thousands.
func (p *printer) queues(all []Queue) (rows [][]string) {
	var sum Queue
	partitions := 0
	for _, q := range all {
		if q.Output != record.Partition {
			rows = append(rows, p.queue(q))
			continue
		}
		partitions++
		sum.Kept, sum.Pending = sum.Kept.Add(q.Kept), sum.Pending.Add(q.Pending)
		sum.StoredBytes += q.StoredBytes
		if q.Oldest != nil && (sum.Oldest == nil || q.Oldest.Before(*sum.Oldest)) {
			sum.Oldest = q.Oldest
		}
	}
	if partitions > 0 {
		cells := p.queue(sum)
		cells[0], cells[1] = counted(partitions, "partition"), "-"
		rows = append(rows, cells)
	}
	return rows
}

// queue returns the cells of a queue.
func (p *printer) queue(q Queue) []string {
	entries := "none"
	if q.Next > q.First {
		entries = fmt.Sprintf("%d to %d", q.First, q.Next-1)
	}
	oldest := "-"
	if q.Oldest != nil {
		oldest = p.ago(*q.Oldest)
	}
	return []string{fmt.Sprintf("%s/%d", outputName(q.Output), q.Shard), entries, figures(q.Kept), size(q.StoredBytes), figures(q.Pending), oldest}
}

// name says which queue it is, in words.
func (p *printer) name(q Queue) string {
	for _, s := range p.r.Streams {
		if s.ID == q.Stream {
			return fmt.Sprintf("Stream %s, %s/%d", s.Name, outputName(q.Output), q.Shard)
		}
	}
	return "Queue " + q.Name
}

func (p *printer) ago(t time.Time) string {
	return max(p.now.Sub(t), 0).Round(time.Second).String() + " ago"
}

func outputName(o record.Output) string {
	switch o {
	case record.Data:
		return "data"
	case record.Backup:
		return "backup"
	case record.ProcessingFailed:
		return "processing-failed"
	case record.Processed:
		return "processed"
	case record.Undecompressed:
		return "decompression-failed"
	case record.Unconverted:
		return "format-conversion-failed"
	case record.Partition:
		return "partition"
	}
	return fmt.Sprint(uint16(o))
}

func (p *printer) deliveries() {
	for _, q := range p.r.queues() {
		if q.Plan == nil {
			continue
		}
		state := "nothing is prepared, the next start begins it anew"
		if q.Plan.Prepared > 0 {
			state = counted(q.Plan.Prepared, "object") + " prepared, the next start completes them"
		}
		p.printf("\n%s: a delivery is under way since %s: %s", p.name(q), p.ago(q.Plan.Made), state)
		if q.Plan.Uploads > 0 {
			p.printf(" (%s begun)", counted(q.Plan.Uploads, "upload"))
		}
		p.printf("\n")
	}
}

func (p *printer) buckets() {
	if len(p.r.Buckets) == 0 {
		return
	}
	p.printf("\n")
	rows := [][]string{{"BUCKET", "OBJECTS", "SIZE"}}
	for _, b := range p.r.Buckets {
		rows = append(rows, []string{b.Name, thousands(b.Objects), size(b.Bytes)})
	}
	p.table(rows)
}

func (p *printer) damage() {
	p.damages("Repaired:", "brought back", p.r.Repaired)
	p.damages("Damage:", "can be brought back", p.r.Damage)
	for _, s := range p.r.States {
		if why, bad := p.r.Unreadable[s.Key]; bad {
			p.printf("\nState %s cannot be understood: %s\n", s.Key, why)
		}
	}
	for _, q := range p.r.queues() {
		for _, m := range q.Missing {
			effect := figures(m.Lost) + " lost"
			if m.Delivered {
				effect = figures(m.Lost) + ", delivered before"
			}
			p.printf("\n%s: %s from %d on cannot be read (%s)\n", p.name(q), counted(int(m.Entries), "entry"), m.From, effect)
		}
	}
}

func (p *printer) damages(title, salvaged string, all []Damage) {
	if len(all) == 0 {
		return
	}
	p.printf("\n%s\n", title)
	for _, d := range all {
		p.printf("  %s: %s\n", d.File, d.Reason)
		if d.Salvaged > 0 {
			p.printf("    %s behind it %s\n", counted(d.Salvaged, "batch"), salvaged)
		}
		if d.Copy != "" {
			p.printf("    a copy of the damaged file is in %s\n", d.Copy)
		}
	}
}

func (p *printer) setAside() {
	if len(p.r.SetAside) == 0 {
		return
	}
	p.printf("\nSet aside in %s/%s (nothing uses these copies):\n", p.r.Data, damagedFolder)
	for _, f := range p.r.SetAside {
		p.printf("  %s, %s, %s\n", f.Name, size(uint64(f.Bytes)), f.Time.Format(time.RFC3339))
	}
}

// next says what to do.
func (p *printer) next() {
	switch {
	case len(p.r.Damage) > 0:
		p.printf("\nNext: %s --repair\n  brings back what can be read and sets copies of the damaged files aside; a node does the same when it starts\n", p.command)
	case len(p.r.Unreadable) > 0:
		p.printf("\nNext: start the version of Hydrant that wrote these states, or restore the data directory from a backup\n")
	case !p.r.Healthy:
		p.printf("\nNext: start the node; it delivers everything that is left and counts what is lost as failed\n")
	}
}

// figures writes records and their bytes.
func figures(c record.Counts) string {
	if c == (record.Counts{}) {
		return "0 records"
	}
	return counted(int(c.Records), "record") + ", " + size(c.Bytes)
}

// counted writes a number of things.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	switch thing {
	case "entry":
		thing = "entries"
	case "batch":
		thing = "batches"
	default:
		thing += "s"
	}
	return thousands(uint64(n)) + " " + thing
}

// thousands writes a number with commas between its thousands.
func thousands(n uint64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// size writes a number of bytes with a unit of 1,024s.
func size(n uint64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	const units = "KMGTPE"
	f, i := float64(n)/1024, 0
	for f >= 1023.95 && i < len(units)-1 {
		f, i = f/1024, i+1
	}
	return fmt.Sprintf("%.1f %ciB", f, units[i])
}
