package manual

import (
	"regexp"
	"strings"
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
			in, more = line == "```console", false
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
