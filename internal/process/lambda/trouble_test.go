package lambda

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// lines is a log of which only what matters is kept.
type lines struct{ bytes.Buffer }

func (l *lines) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, nil)).With("stream", "clicks")
}

// told are the values of a key, of all lines.
func (l *lines) told(key string) (all []string) {
	for line := range strings.Lines(l.String()) {
		_, rest, _ := strings.Cut(line, " "+key+"=")
		value, _, _ := strings.Cut(rest, " ")
		all = append(all, value)
	}
	return all
}

// A function that is not there is called again for hours: the log tells of it, less and less
// often, and Trouble tells all the while.
func TestAFunctionThatIsNotThereIsToldOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := processor(t, 300, func(int, event) (string, error) {
			return "", fmt.Errorf("%w: f", ErrNoFunction)
		})
		var log lines
		p.opt.Logger = log.logger()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := p.Process(ctx, items("secret"))
			ended <- err
		}()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		fails, last := p.Trouble()
		if fails < 16 || fails >= 32 || !errors.Is(last, ErrNoFunction) || !strings.Contains(last.Error(), function) {
			t.Errorf("%d failures, the last %v", fails, last)
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("it ended with %v", err)
		}
		if got := log.told("failures"); !slices.Equal(got, []string{"1", "2", "4", "8", "16"}) {
			t.Errorf("told of %q", got)
		}
		all := log.String()
		if strings.Contains(all, "secret") || strings.Contains(all, "c2VjcmV0") {
			t.Errorf("data is in the log: %s", all)
		}
		for _, want := range []string{"level=WARN", "stream=clicks", "function=" + function, "attempts_left=300", ErrNoFunction.Error()} {
			if !strings.Contains(all, want) {
				t.Errorf("%s is not in the log: %s", want, all)
			}
		}
	})
}

// Trouble is over with the first call that succeeds. Calls that look for poison are none.
func TestTroubleEndsWithACallThatSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := true
		p, _ := processor(t, 2, func(_ int, e event) (string, error) {
			if down || strings.Contains(string(e.Records[0].Data), "poison") {
				return "", ErrFunction
			}
			return upper(e), nil
		})
		var log lines
		p.opt.Logger = log.logger()
		process := func(data ...string) {
			if _, err := p.Process(t.Context(), items(data...)); err != nil {
				t.Fatal(err)
			}
		}
		process("a", "b", "c")
		if fails, last := p.Trouble(); fails != 3 || !errors.Is(last, ErrFunction) {
			t.Errorf("%d failures, the last %v", fails, last)
		}
		process("d")
		if fails, _ := p.Trouble(); fails != 6 {
			t.Errorf("%d failures of two batches", fails)
		}
		down = false
		process("e")
		if fails, last := p.Trouble(); fails != 0 || last != nil {
			t.Errorf("%d failures, the last %v", fails, last)
		}
		process("poison", "f") // f alone is fine
		if fails, last := p.Trouble(); fails != 0 || last != nil {
			t.Errorf("%d failures, the last %v", fails, last)
		}
		if got := log.told("failures"); !slices.Equal(got, []string{"1", "2", "4", "1", "2"}) {
			t.Errorf("told of %q", got)
		}
	})
}
