package demo

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"hydrant/internal/aws"
	"hydrant/internal/node"
)

// The demo's own stream: small objects, and soon.
const (
	demoPrefix  = "events/"
	demoSize    = 1 // MiB
	demoSeconds = 1
)

// story is one run of the demo. It belongs to one goroutine.
type story struct {
	opt     Options
	address node.Address
	records source
	show    *screen

	api   *firehose
	store *store
	page  page

	to     s3Destination // of the stream
	bucket string
	prefix string              // that all keys of the stream begin with
	known  map[string]struct{} // keys that were there before
	start  Ledger              // as it was before
	sum    Summary
	sample []string // the first lines of the first object
}

// newStory prepares the clients.
func newStory(o Options, a node.Address, records source, show *screen) (*story, error) {
	_, keys, err := node.ReadAddress(o.Config.Data)
	if err != nil {
		return nil, err
	}
	h, err := nodeHTTP(o.Config.TLS)
	if err != nil {
		return nil, err
	}
	at, err := url.Parse(a.URL())
	if err != nil {
		return nil, err
	}
	c := client{http: h, now: o.Now, signer: aws.NewSigner(keys.AccessKeyID, keys.Secret, "", "firehose", a.Region)}
	s := &story{opt: o, address: a, records: records, show: show,
		api: &firehose{client: c, url: a.URL() + "/"}, page: page{http: h, url: a.ConsoleURL() + "/metrics"}}
	if e, other := o.Config.Endpoints["s3"]; other {
		if s.store, err = newStore(o.Config, e); err != nil {
			return nil, err
		}
	} else {
		c.signer = aws.NewSigner(keys.AccessKeyID, keys.Secret, "", "s3", a.Region)
		s.store = &store{client: c, endpoint: at, pathStyle: true, region: a.Region}
	}
	s.store.now = o.Now
	s.sum = Summary{Node: a.URL(), Metrics: s.page.url, Data: o.Config.Data, Stream: StreamName, Objects: []Object{}}
	return s, nil
}

// tell tells the story from beginning to end.
func (s *story) tell(ctx context.Context) error {
	for _, step := range []func(context.Context) error{s.prepare, s.put, s.wait, s.look} {
		if err := step(ctx); err != nil {
			s.show.abandon()
			return s.explain(ctx, err)
		}
	}
	if err := s.report(); err != nil {
		return err
	}
	if s.opt.Stay {
		<-ctx.Done()
	}
	return nil
}

// explain adds to an error what became of the records, and the next command.
func (s *story) explain(ctx context.Context, err error) error {
	atLeast := ""
	if ctx.Err() != nil {
		err, atLeast = ErrInterrupted, "at least " // a batch may be under way
	}
	if s.sum.Accepted.Records == 0 {
		return fmt.Errorf("%w; no record was put", err)
	}
	return fmt.Errorf("%w; what was accepted (%s%s) is kept in %s, and %s goes on delivering it",
		err, atLeast, counted(s.sum.Accepted.Records, "record"), s.opt.Config.Data, s.opt.Serve)
}

// prepare makes bucket and stream unless they are there, and notes what they hold.
func (s *story) prepare(ctx context.Context) error {
	s.show.printf("A node is up: AWS APIs on %s, its data in %s", s.address.URL(), s.opt.Config.Data)
	d, err := s.api.describe(ctx, StreamName)
	if hasCode(err, "ResourceNotFoundException") {
		d, err = s.createStream(ctx)
	}
	if err != nil {
		return err
	}
	if d, err = s.active(ctx, d); err != nil {
		return err
	}
	s.to = d.Destinations[0].S3
	s.bucket = s.to.BucketARN[strings.LastIndexByte(s.to.BucketARN, ':')+1:]
	s.prefix, _, _ = strings.Cut(s.to.Prefix, "!{")
	s.sum.Bucket = s.bucket
	if err := s.store.ensureBucket(ctx, s.bucket); err != nil {
		return err
	}
	s.show.printf("Stream %s delivers to s3://%s/%s, %s, after %d MiB or %d s\n", StreamName, s.bucket, s.prefix,
		s.to.CompressionFormat, s.to.BufferingHints.SizeInMBs, s.to.BufferingHints.IntervalInSeconds)
	return s.note(ctx)
}

func (s *story) createStream(ctx context.Context) (description, error) {
	if err := s.store.ensureBucket(ctx, s.opt.Bucket); err != nil {
		return description{}, err
	}
	err := s.api.create(ctx, StreamName, s3Destination{
		RoleARN:           "arn:aws:iam::" + s.opt.Config.Account + ":role/" + StreamName,
		BucketARN:         "arn:aws:s3:::" + s.opt.Bucket,
		Prefix:            demoPrefix,
		CompressionFormat: "GZIP",
		BufferingHints:    bufferingHints{demoSize, demoSeconds},
	})
	if err != nil {
		return description{}, err
	}
	return s.api.describe(ctx, StreamName)
}

// poll is the pause between two looks at something that changes soon.
const poll = 50 * time.Millisecond

// active waits until a stream that is being made is ACTIVE.
func (s *story) active(ctx context.Context, d description) (description, error) {
	for d.Status == "CREATING" {
		if err := sleep(ctx, poll); err != nil {
			return d, err
		}
		var err error
		if d, err = s.api.describe(ctx, StreamName); err != nil {
			return d, err
		}
	}
	if d.Status == "ACTIVE" && len(d.Destinations) == 1 {
		return d, nil
	}
	why := ""
	if d.Failure != nil {
		why = " (" + d.Failure.Type + ": " + d.Failure.Details + ")"
	}
	return d, fmt.Errorf("stream %s is %s%s and takes no records; delete it with aws firehose delete-delivery-stream "+
		"--delivery-stream-name %s, or use another data directory with --data", StreamName, d.Status, why, StreamName)
}

// note remembers what is there before the first put.
func (s *story) note(ctx context.Context) error {
	objects, err := s.store.list(ctx, s.bucket, s.prefix)
	if err != nil {
		return err
	}
	s.known = make(map[string]struct{}, len(objects))
	for _, o := range objects {
		s.known[o.Key] = struct{}{}
	}
	s.start, err = s.page.ledger(ctx, StreamName)
	return err
}

// put puts all records.
func (s *story) put(ctx context.Context) error {
	began := s.opt.Now()
	acc := &s.sum.Accepted
	p := putter{api: s.api, stream: StreamName, pause: slowDown, accepted: func(records, bytes int64) {
		acc.Records += records
		acc.Bytes += bytes
		s.show.show(s.putProgress(s.opt.Now().Sub(began)))
	}}
	err := p.putAll(ctx, s.records)
	s.sum.Retried = p.retried
	if err != nil {
		return err
	}
	if acc.Records == 0 {
		return errors.New("the input is empty")
	}
	took := s.opt.Now().Sub(began)
	s.sum.PutSeconds = took.Seconds()
	s.show.finish(s.putProgress(took))
	return nil
}

func (s *story) putProgress(took time.Duration) progress {
	acc := s.sum.Accepted
	p := progress{label: "put", done: -1, text: counted(acc.Records, "record")}
	records, bytes := s.records.size()
	switch {
	case records > 0:
		p.done = float64(acc.Records) / float64(records)
		p.text = thousands(acc.Records) + " of " + counted(records, "record")
	case bytes > 0:
		p.done = float64(acc.Bytes) / float64(bytes)
	}
	p.text += fmt.Sprintf(" accepted, %s, %s/s", size(acc.Bytes), size(perSecond(acc.Bytes, took)))
	return p
}

func perSecond(n int64, took time.Duration) int64 {
	return int64(float64(n) / max(took.Seconds(), 1e-3))
}

// patience is how long delivery may stand still, beside the stream's own interval, before
// the demo gives up waiting.
const patience = time.Minute

// errStalled says that nothing was delivered for too long.
var errStalled = errors.New("delivery stands still")

// wait waits until everything is delivered.
func (s *story) wait(ctx context.Context) error {
	began := s.opt.Now()
	total := s.start.Pending.Records + s.sum.Accepted.Records
	limit := time.Duration(s.to.BufferingHints.IntervalInSeconds)*time.Second + patience
	moved, last := began, int64(-1)
	for {
		l, err := s.page.ledger(ctx, StreamName)
		if err != nil {
			return err
		}
		s.sum.Ledger = l
		now := s.opt.Now()
		if l.Pending.Records != last {
			moved, last = now, l.Pending.Records
		}
		p := deliveryProgress(l, total, now.Sub(began))
		if l.Pending.Records == 0 {
			s.sum.DeliverySeconds = now.Sub(began).Seconds()
			s.show.finish(p)
			return nil
		}
		s.show.show(p)
		if now.Sub(moved) > limit {
			return fmt.Errorf("%w: nothing was delivered for %s, %d attempts in a row failed, and the log above says why",
				errStalled, limit, l.failures)
		}
		if err := sleep(ctx, poll); err != nil {
			return err
		}
	}
}

func deliveryProgress(l Ledger, total int64, took time.Duration) progress {
	done := max(total-l.Pending.Records, 0)
	p := progress{label: "delivered", done: float64(done) / float64(max(total, 1))}
	p.text = thousands(done) + " of " + counted(total, "record")
	switch {
	case l.Pending.Records == 0:
		p.text += fmt.Sprintf(", after %.1f s", took.Seconds())
	case l.failures > 0:
		p.text += fmt.Sprintf("; the object store fails, attempt %d", l.failures+1)
	}
	return p
}

// look lists the objects that are new, and reads them.
func (s *story) look(ctx context.Context) error {
	objects, err := s.store.list(ctx, s.bucket, s.prefix)
	if err != nil {
		return err
	}
	var lines int64
	for _, o := range objects {
		if _, old := s.known[o.Key]; old {
			continue
		}
		first := 0
		if len(s.sum.Objects) == 0 {
			first = sampleLines
		}
		n, head, err := s.store.lines(ctx, s.bucket, o.Key, s.to.CompressionFormat == "GZIP", first)
		if err != nil {
			return err
		}
		if first > 0 {
			s.sample = head
		}
		lines += n
		s.sum.Objects = append(s.sum.Objects, Object{Key: o.Key, Size: o.Size, Records: n})
		s.show.show(s.readProgress(-1, lines))
	}
	s.show.finish(s.readProgress(1, lines))
	return s.compare(lines)
}

func (s *story) readProgress(done float64, lines int64) progress {
	return progress{"read back", done, counted(lines, "record") + " in " + counted(int64(len(s.sum.Objects)), "object")}
}

// errMissing says that the objects hold less than the ledger says.
var errMissing = errors.New("records are missing from the objects")

// compare holds the objects against the ledger, where nobody else has put records, which
// might have no newline. (The last line of the user's own may lack it, hence the 1.)
func (s *story) compare(lines int64) error {
	alone := s.start.Pending.Records == 0 && s.sum.Ledger.Received.Records-s.start.Received.Records == s.sum.Accepted.Records
	delivered := s.sum.Ledger.Delivered.Records - s.start.Delivered.Records
	if alone && lines+1 < delivered {
		return fmt.Errorf("%w: %d were delivered and %d were found", errMissing, delivered, lines)
	}
	return nil
}
