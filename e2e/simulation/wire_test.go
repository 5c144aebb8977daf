package simulation

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"hydrant/internal/dest/s3/s3fake"
)

const bucket = "lake"

// wire carries the requests of one life to the store. A dead life's requests go nowhere;
// those that were on their way when it died may still be carried out.
type wire struct {
	life  *life
	store http.RoundTripper
	count atomic.Int64
}

var errCut = errors.New("the network is gone with its process")

// RoundTrip implements http.RoundTripper.
func (c *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	d := c.life.death
	here := c.count.Add(1) == d.at
	what := r.Method + " " + r.URL.Path + "?" + r.URL.RawQuery
	if r.Method == http.MethodPost {
		c.life.w.story.count("store asked: "+map[bool]string{true: "begin an upload", false: "complete an upload"}[r.URL.Query().Has("uploads")], 1)
	}
	if here && d.kind == atStoreBefore {
		c.life.crash(what)
	}
	if c.life.isDead() {
		return nil, errors.Join(errCut, closeBody(r))
	}
	resp, err := c.store.RoundTrip(r)
	if here && d.kind == atStoreAfter {
		c.life.crash(what)
	}
	if c.life.isDead() {
		return nil, errCut
	}
	return resp, err
}

func closeBody(r *http.Request) error {
	if r.Body == nil {
		return nil
	}
	return r.Body.Close()
}

// climate changes the weather of the store until ctx ends, then lets the sun shine.
func (w *world) climate(ctx context.Context) {
	r := dice(w.plan.seed, "weather")
	defer w.store.SetFault(nil)
	if w.plan.chance.outage && w.sleep(ctx, time.Duration(r.IntN(300))*time.Second) {
		w.outage(ctx, r)
	}
	for w.plan.chance.weather && w.sleep(ctx, time.Duration(r.IntN(60))*time.Second) {
		name, rule := weather(r)
		w.story.tell("weather: %s", name)
		w.store.SetFault(rule)
		w.sleep(ctx, time.Duration(5+r.IntN(120))*time.Second)
		w.store.SetFault(nil)
	}
}

// outage makes the store unreachable for up to three hours.
func (w *world) outage(ctx context.Context, r *rand.Rand) {
	d := time.Duration(10+r.IntN(170)) * time.Minute
	w.story.happened("store: out for long", "%s", d)
	w.store.SetFault(func(s3fake.Op) s3fake.Fault { return s3fake.DropBefore() })
	w.sleep(ctx, d)
	w.store.SetFault(nil)
	w.story.tell("the store is back")
}

// late is how late a store may carry out what it answered with an error. Hydrant looks for
// strays ten minutes after a doubtful call; past that nothing can be promised.
const late = 9 * time.Minute

// weather draws how the store behaves for a while.
func weather(r *rand.Rand) (string, func(s3fake.Op) s3fake.Fault) {
	seed, often := r.Uint64(), 50+r.IntN(500)
	delay := time.Duration(1+r.IntN(90)) * time.Second
	always := func(f s3fake.Fault) func(s3fake.Op) s3fake.Fault {
		return func(s3fake.Op) s3fake.Fault { return f }
	}
	switch r.IntN(9) {
	case 0:
		return "down: 503", always(s3fake.Refuse(http.StatusServiceUnavailable, "SlowDown"))
	case 1:
		return "denied: 403", always(s3fake.Refuse(http.StatusForbidden, "AccessDenied"))
	case 2:
		return "no bucket: 404", always(s3fake.Refuse(http.StatusNotFound, "NoSuchBucket"))
	case 3:
		return "lies: does it and says 500", s3fake.Chaos(seed, often, s3fake.DoThenFail(http.StatusInternalServerError))
	case 4:
		return "drops connections", s3fake.Chaos(seed, often, s3fake.DoThenDrop(), s3fake.DropBefore())
	case 5:
		return "slow: " + delay.String(), s3fake.Chaos(seed, often, s3fake.Delay(delay))
	case 6:
		return "late", s3fake.Chaos(seed, often, s3fake.DoLater(delay), s3fake.DoLater(late))
	case 7:
		return "errors within a 200", s3fake.Chaos(seed, often, s3fake.Refuse(http.StatusOK, "InternalError"))
	}
	return "everything at once", s3fake.Chaos(seed, often, s3fake.Refuse(http.StatusInternalServerError, "InternalError"),
		s3fake.Refuse(http.StatusForbidden, "AccessDenied"), s3fake.DoThenFail(http.StatusInternalServerError),
		s3fake.DoThenDrop(), s3fake.DropBefore(), s3fake.Delay(delay), s3fake.DoLater(delay))
}

// consume takes objects away from time to time, as a consumer does that is done with them.
func (w *world) consume(ctx context.Context) {
	r := dice(w.plan.seed, "consumer")
	for w.sleep(ctx, time.Duration(r.IntN(90))*time.Second) {
		for _, o := range w.store.Objects(bucket) {
			if r.IntN(2) == 0 {
				w.store.Delete(bucket, o.Key)
				w.story.count("object taken away by a consumer", 1)
			}
		}
	}
}
