package manual

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// step is a command of a page and what the page says it prints; nothing said is nothing
// promised.
type step struct {
	line    int // of the page
	command string
	prints  []string
}

// steps are those of all console blocks.
func steps(page string) []step {
	var all []step
	in, more, until := false, false, "" // until: the line that ends a here-document
	for i, line := range strings.Split(page, "\n") {
		switch {
		case until != "":
			all[len(all)-1].command += "\n" + line
			if line == until {
				until = ""
			}
		case strings.HasPrefix(line, "```"):
			in, more = line == "```console" || importable(line), false
		case !in:
		case strings.HasPrefix(line, "$ "):
			all = append(all, step{line: i + 1, command: line[2:]})
			more = strings.HasSuffix(line, `\`)
			if m := document.FindStringSubmatch(line); m != nil {
				until = m[1]
			}
		case more:
			all[len(all)-1].command += "\n" + line
			more = strings.HasSuffix(line, `\`)
		case len(all) > 0:
			last := &all[len(all)-1]
			last.prints = append(last.prints, line)
		}
	}
	return all
}

// importable reports whether the line begins a block for those who have a module of Python,
// and it is there.
func importable(line string) bool {
	m := guarded.FindStringSubmatch(line)
	return m != nil && exec.Command("python3", "-c", "import "+m[1]).Run() == nil
}

var guarded = regexp.MustCompile("^```console if (\\w+)$")

// asks reports whether the command only looks, so that it may be repeated until what was
// begun before it has happened.
func (s *step) asks() bool { return asking.MatchString(s.command) }

// document begins a here-document, whose last line is the word that is named.
var document = regexp.MustCompile(`<<'(\w+)'`)

var asking = regexp.MustCompile(`^(aws \S+ (describe|list|get|filter)-|aws s3 (ls|cp)|aws logs tail|hydrant streams)`)

var (
	ids     = regexp.MustCompile(`[A-Za-z0-9+/=_-]*\d[A-Za-z0-9+/=_-]{15,}`)
	numbers = regexp.MustCompile(`\d+`)
	spaces  = regexp.MustCompile(`[ \t]+`)
)

// shape is a text without what differs from run to run.
func shape(lines []string) string {
	var out []string
	for _, line := range lines {
		line = ids.ReplaceAllString(line, "ID")
		line = numbers.ReplaceAllString(line, "0")
		line = strings.TrimRight(spaces.ReplaceAllString(line, " "), " ")
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

func TestBlocksAreRunWhereTheyCanBe(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("there is no python3")
	}
	var page string
	for _, kind := range []string{"console", "console norun", "console if json", "console if no_module_has_this_name", "yaml"} {
		page += "```" + kind + "\n$ " + kind + "\nprinted\n```\n"
	}
	var got []string
	for _, s := range steps(page) {
		if !slices.Equal(s.prints, []string{"printed"}) {
			t.Errorf("%s prints %q", s.command, s.prints)
		}
		got = append(got, s.command)
	}
	if want := []string{"console", "console if json"}; !slices.Equal(got, want) {
		t.Errorf("%q are run, not %q", got, want)
	}
}
