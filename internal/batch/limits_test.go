package batch

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestABufferIsDueBySizeOrAge(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	l := Limits{Bytes: 100, Age: time.Minute}
	for _, c := range []struct {
		name    string
		limits  Limits
		pending uint64
		age     time.Duration
		due     bool
		wait    time.Duration
	}{
		{"empty records only, young", l, 0, 0, false, time.Minute},
		{"empty records only, old enough", l, 0, time.Hour, true, 0},
		{"one byte, just arrived", l, 1, 0, false, time.Minute},
		{"one byte, half its age", l, 1, 30 * time.Second, false, 30 * time.Second},
		{"one byte, old enough", l, 1, time.Minute, true, 0},
		{"one byte short", l, 99, 0, false, time.Minute},
		{"full", l, 100, 0, true, 0},
		{"zero buffering", Limits{Bytes: 100}, 1, 0, true, 0},
		{"from a moment in the future", l, 1, -time.Second, false, time.Minute},
		{"from far in the future", l, 1, -time.Hour, true, 0},
	} {
		due, wait := c.limits.Due(c.pending, now.Add(-c.age), now)
		if due != c.due || wait != c.wait {
			t.Errorf("%s: %v, %v", c.name, due, wait)
		}
	}
}

// Whoever sleeps for the wait finds the buffer due, unless a clock from the future makes
// it wait once more.
func TestWaitingIsEnough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := Limits{Bytes: rapid.Uint64Range(1, 1<<30).Draw(t, "bytes"), Age: time.Duration(rapid.Int64Range(0, 900_000).Draw(t, "age")) * time.Millisecond}
		now := time.Unix(1_800_000_000, 0)
		oldest := now.Add(time.Duration(rapid.Int64Range(-2_000_000, 2_000_000).Draw(t, "ahead")) * time.Millisecond)
		pending := rapid.Uint64Range(1, 1<<31).Draw(t, "pending")
		for range 2 {
			due, wait := l.Due(pending, oldest, now)
			if due {
				return
			}
			if wait <= 0 || wait > l.Age {
				t.Fatalf("wait of %v", wait)
			}
			now = now.Add(wait)
		}
		if due, _ := l.Due(pending, oldest, now); !due {
			t.Fatal("still not due after waiting twice")
		}
	})
}

func TestObjectsGrowWhileABacklogWaits(t *testing.T) {
	const hint, maximum = 5 << 20, 128 << 20
	for _, c := range []struct{ sealed, want uint64 }{
		{0, hint}, {4 * hint, hint}, {4*hint + 1, maximum}, {1 << 63, maximum},
	} {
		if got := Grow(Limits{Bytes: hint, Age: time.Second}, c.sealed, maximum); got.Bytes != c.want || got.Age != time.Second {
			t.Errorf("%d sealed: %v", c.sealed, got)
		}
	}
	if got := Grow(Limits{Bytes: 64}, 1000, 10); got.Bytes != 64 {
		t.Errorf("growing made it smaller: %v", got)
	}
}

// cuts fills buffers with the records, given to the cutter in calls that end at the given
// places, and returns where each buffer was sealed.
func cuts(limit uint64, lengths []uint32, calls func(from int) int) (sealed []int) {
	c := NewCutter(limit)
	for from := uint32(0); int(from) < len(lengths); {
		to, full := c.Take(lengths[:calls(int(from))], from)
		if full {
			sealed = append(sealed, int(to))
			c = NewCutter(limit)
		}
		from = to
	}
	return sealed
}

func TestBuffersAreCutAsTheSizeRuleSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.Uint64Range(1, 50).Draw(t, "limit")
		lengths := rapid.SliceOfN(rapid.Uint32Range(0, 70), 1, 60).Draw(t, "lengths")
		all := func(int) int { return len(lengths) }
		sealed := cuts(limit, lengths, all)
		begin := 0
		for _, end := range sealed {
			var size uint64
			filled := 0 // records that have bytes
			for _, n := range lengths[begin:end] {
				if size += uint64(n); n > 0 {
					filled++
				}
			}
			if size > limit && filled != 1 {
				t.Fatalf("records %d to %d hold %d bytes", begin, end, size)
			}
			if size < limit && size+uint64(lengths[end]) <= limit {
				t.Fatalf("sealed at %d although the next record fits", end)
			}
			if begin == end {
				t.Fatal("an empty buffer was sealed")
			}
			begin = end
		}
		step := rapid.IntRange(1, 7).Draw(t, "step")
		pieces := cuts(limit, lengths, func(from int) int { return min(len(lengths), from+step) })
		if len(pieces) != len(sealed) {
			t.Fatalf("cut at %v in one call, at %v in calls of %d", sealed, pieces, step)
		}
		for i := range pieces {
			if pieces[i] != sealed[i] {
				t.Fatalf("cut at %v in one call, at %v in calls of %d", sealed, pieces, step)
			}
		}
	})
}

func TestASealedBufferTakesNothingMore(t *testing.T) {
	c := NewCutter(10)
	if to, full := c.Take([]uint32{11, 1}, 0); to != 1 || !full {
		t.Fatal(to, full)
	}
	if to, full := c.Take([]uint32{11, 1}, 1); to != 1 || !full {
		t.Fatal(to, full)
	}
	c = NewCutter(10)
	if to, full := c.Take([]uint32{11, 1}, 1); to != 2 || full {
		t.Fatal(to, full)
	}
}
