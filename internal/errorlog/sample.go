package errorlog

import "time"

// sample is how much of a log stream's share is left: a bucket of tokens.
type sample struct {
	tokens float64
	at     time.Time // when tokens was right
	warned time.Time
}

// maxSamples bounds the log streams that are remembered; past it the full ones, whose
// streams have not failed for long, are forgotten.
const maxSamples = 10_000

// allow takes one of the log stream's tokens, if there is one.
func (l *Log) allow(p place) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.sample(p)
	if s.tokens < 1 {
		return false
	}
	s.tokens--
	return true
}

// sample returns the log stream's sample as of now. mu is held.
func (l *Log) sample(p place) *sample {
	now := l.opt.Now()
	s := l.samples[p]
	if s == nil {
		if len(l.samples) >= maxSamples {
			l.forget(now)
		}
		s = &sample{tokens: burst, at: now}
		l.samples[p] = s
	}
	s.refill(now)
	return s
}

// refill adds the tokens of the time that has passed. A clock that was set back adds none.
func (s *sample) refill(now time.Time) {
	if d := now.Sub(s.at); d > 0 {
		s.tokens = min(burst, s.tokens+float64(d)/float64(every))
	}
	s.at = now
}

func (l *Log) forget(now time.Time) {
	for p, s := range l.samples {
		if s.refill(now); s.tokens >= burst {
			delete(l.samples, p)
		}
	}
}

// warn tells the operator, now and then, of a log stream that takes no entries.
func (l *Log) warn(p place, err error) {
	l.mu.Lock()
	s, now := l.sample(p), l.opt.Now()
	quiet := !s.warned.IsZero() && now.Sub(s.warned) < warnEvery && !now.Before(s.warned)
	if !quiet {
		s.warned = now
	}
	l.mu.Unlock()
	if !quiet {
		l.opt.Logger.Warn("delivery errors cannot be written to their log stream and are left out",
			"log_group", p.group, "log_stream", p.stream, "error", err,
			"next", "create the log group and the log stream, or update the delivery stream's CloudWatchLoggingOptions")
	}
}
