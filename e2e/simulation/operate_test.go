package simulation

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"hydrant/e2e/load/sigv4"
)

// operator flushes streams, pauses them and lets them go again.
type operator struct{ *sender }

// operate does what operators do until ctx ends, and leaves no stream paused.
func (w *world) operate(ctx context.Context, made <-chan struct{}) {
	o := operator{w.sender("operator")}
	o.signer = sigv4.New(w.root.AccessKeyID, string(w.root.Secret), "us-east-1", "hydrant")
	o.target = "Hydrant_20261101."
	<-made
	for w.plan.chance.operation && w.sleep(ctx, time.Duration(2+o.r.IntN(90))*time.Second) {
		s := w.streams[o.r.IntN(len(w.streams))]
		if o.r.IntN(2) == 0 {
			o.once("FlushStream", s)
			continue
		}
		o.once("PauseStream", s)
		if o.r.IntN(2) == 0 {
			o.once("FlushStream", s)
		}
		w.sleep(ctx, time.Duration(1+o.r.IntN(100))*time.Second)
		for begin := time.Now(); !o.once("ResumeStream", s) && time.Since(begin) < patience; {
			time.Sleep(time.Second)
		}
	}
}

// once asks for an operation on a stream. It reports whether it is done or there is nothing
// to do.
func (o operator) once(op string, s *streamLife) (done bool) {
	o.ask(op, fmt.Appendf(nil, `{"stream":%q}`, s.name), politely, func(a answer) {
		gone := strings.Contains(a.code, "NotFound") || strings.Contains(a.code, "InUse")
		done = a.heard && (a.status == http.StatusOK || gone)
		if a.heard {
			o.w.books.count(fmt.Sprintf("%s %d %s", op, a.status, a.code))
		}
		again := refusals[a.code] || a.code == "StreamPausedException"
		if a.heard && !done && !again && a.status < http.StatusInternalServerError {
			o.w.books.fault("%s of %s was answered %d %s", op, s.name, a.status, a.body)
		}
	})
	return done
}
