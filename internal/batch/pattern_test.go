package batch

import (
	"bufio"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// testdata/patterns.tsv holds what OpenJDK 17 made of thousands of patterns.
func TestPatternsPrintWhatJavaPrints(t *testing.T) {
	f, err := os.Open("testdata/patterns.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	checked := 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		col := strings.Split(lines.Text(), "\t")
		if len(col) != 4 {
			continue
		}
		zone, err := time.LoadLocation(col[1])
		if err != nil {
			t.Fatal(err)
		}
		second, err := strconv.ParseInt(col[2], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		got := "!refused"
		if p, err := compilePattern(col[0], zone); err == nil {
			got = "=" + string(p.append(nil, newMoment(time.Unix(second, 0).In(zone))))
		} else if errors.Is(err, errPadding) {
			continue // Java notices only when it prints a value that is too wide
		} else if !errors.Is(err, errPattern) {
			t.Errorf("%q: %v", col[0], err)
		}
		if want := col[3]; got != want {
			t.Errorf("%q at %s in %s: %s, Java says %s", col[0], time.Unix(second, 0).UTC(), col[1], got, want)
		}
		checked++
	}
	if checked < 5000 {
		t.Fatalf("only %d patterns were checked", checked)
	}
}
