package lambda

import (
	"math"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAProcessIsHeldInItsLimits(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "hang", func(in fields) { in["EphemeralStorage"] = fields{"Size": 600} })
	w.soon("f", "{}")
	w.awaitLines(1, "hanging")
	p := w.pool("f")
	p.mu.Lock()
	defer p.mu.Unlock()
	for worker := range p.alive {
		for _, tt := range []struct {
			what int
			want uint64
		}{
			{unix.RLIMIT_DATA, 1024<<20 + math.MaxInt64}, {unix.RLIMIT_FSIZE, 600 << 20},
			{unix.RLIMIT_NOFILE, 1024}, {unix.RLIMIT_CORE, 0},
		} {
			var l unix.Rlimit
			if err := unix.Prlimit(worker.process.pid, tt.what, nil, &l); err != nil || l.Cur != tt.want || l.Max != tt.want {
				t.Errorf("limit %d: %+v %v, want %d", tt.what, l, err, tt.want)
			}
		}
		var l unix.Rlimit
		if err := unix.Prlimit(worker.process.pid, unix.RLIMIT_CPU, nil, &l); err != nil || l.Cur < 4 || l.Cur > 60 {
			t.Errorf("CPU time: %+v %v", l, err)
		}
	}
}
