package lambda

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"hydrant/internal/durable"
)

// BenchmarkInvoke calls a warm function that answers what it got.
func BenchmarkInvoke(b *testing.B) {
	for _, size := range []int{100, 1 << 20} {
		for _, mode := range []string{"echo", "go library"} {
			b.Run(fmt.Sprintf("%s/%d", mode, size), func(b *testing.B) {
				w := newWorld(b)
				w.Service.machine.after = thisMachine().after
				w.newFunction("f", map[string]string{"echo": "echo", "go library": "echo handler"}[mode])
				payload := []byte(`"` + strings.Repeat("x", size-2) + `"`)
				w.invokeNow("f", "1")
				b.SetBytes(int64(size))
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						a, err := w.Invoke(context.Background(), "f", payload)
						if err != nil || len(a.Payload) != size {
							b.Errorf("%d bytes, %v, %s", len(a.Payload), err, a.FunctionError)
						}
					}
				})
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
			})
		}
	}
}

// BenchmarkColdInvoke calls a function whose worker has to be started.
func BenchmarkColdInvoke(b *testing.B) {
	w := newWorld(b)
	w.newFunction("f", "echo")
	for b.Loop() {
		w.invokeNow("f", "1")
		w.timers.fire(usualIdle)
	}
}

// BenchmarkInvokeOverHTTP sends signed requests.
func BenchmarkInvokeOverHTTP(b *testing.B) {
	w := newWorld(b)
	w.newFunction("f", "echo")
	payload := []byte(`"` + strings.Repeat("x", 1<<20-2) + `"`)
	b.SetBytes(int64(len(payload)))
	for b.Loop() {
		if r := w.send("POST", root+"/f/invocations", payload); r.status != 200 || len(r.body) != len(payload) {
			b.Fatalf("%d %s and %d bytes", r.status, r.code(), len(r.body))
		}
	}
}

// An event on its way to disk and away again, with the syncs that its promise takes.
func BenchmarkEventOnDisk(b *testing.B) {
	files := eventFiles{durable.Disk{}, filepath.Join(b.TempDir(), "events")}
	e := &event{ID: newID(), Accepted: testTime, Trace: newTrace(testTime), file: "x" + eventEnding}
	payload := make([]byte, 4<<10)
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		if err := files.write(e, payload); err != nil {
			b.Fatal(err)
		}
		if _, err := files.payload(e); err != nil {
			b.Fatal(err)
		}
		if err := files.remove(e); err != nil {
			b.Fatal(err)
		}
	}
}
