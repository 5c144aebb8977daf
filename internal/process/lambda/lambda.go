package lambda

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"time"

	"hydrant/internal/record"
)

// Invoker calls functions.
type Invoker interface {
	// Invoke sends a payload to the function of an ARN and returns its answer. Of errors it
	// tells those below apart; any other means that the call did not succeed and may be
	// repeated.
	Invoke(ctx context.Context, function string, payload []byte) ([]byte, error)
}

// What an Invoker's errors wrap.
var (
	// ErrFunction: the function was called and failed, timed out, or answered too much.
	ErrFunction = errors.New("the function failed")
	// ErrNoFunction: there is no such function, version or alias.
	ErrNoFunction = errors.New("the function does not exist")
	// ErrDenied: we may not call it.
	ErrDenied = errors.New("the function may not be invoked")
	// ErrThrottled: too many calls are under way.
	ErrThrottled = errors.New("the function is throttled")
)

// Options are what a Processor is made from. All are required but Retries and Logger.
type Options struct {
	Function string // ARN, as in LambdaArn; it is told in failure records
	Retries  int    // NumberOfRetries: invocations after the first that fails
	Stream   string // ARN of the delivery stream
	Region   string
	Invoker  Invoker
	Now      func() time.Time
	Logger   *slog.Logger // told of calls that fail, less and less often; never of data
}

// Processor has a function transform records. It may be used by many goroutines.
type Processor struct {
	opt     Options
	trouble trouble
}

// New returns a Processor.
func New(opt Options) *Processor {
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	return &Processor{opt: opt}
}

// maxPayload bounds a request's bytes: Lambda's limit of 6 MiB (spec section 5.3), with room
// for what stands around the records.
const maxPayload = 6<<20 - 1024

// The codes and words of failures (spec section 5.5).
var (
	failedStatus = words{"Lambda.ProcessingFailedStatus", "ProcessingFailed status set for record"}
	missingID    = words{"Lambda.MissingRecordId", "One or more record Ids were not returned. Ensure that the Lambda function returns all received record Ids."}
	duplicateID  = words{"Lambda.DuplicatedRecordId", "Multiple records were returned with the same record Id. Ensure that the Lambda function returns a unique record Id for each record."}
	noData       = words{"Lambda.InvalidReturnFormat", "The data field cannot be null when the SourceType is DirectPut or KinesisStreamAsSource and processing result is Ok. The value field cannot be null when the SourceType is MSKAsSource and processing result is Ok."}
	badAnswer    = words{"Lambda.FunctionError", "Check your function and make sure the output is in required format. In addition to that, make sure the processed records contain valid result status of Dropped, Ok, or ProcessingFailed"}
	failed       = words{"Lambda.FunctionError", "The Lambda function was successfully invoked but it returned an error result."}
	noFunction   = words{"Lambda.ResourceNotFound", "The specified Lambda function does not exist. Use a different function that does exist."}
	denied       = words{"Lambda.InvokeAccessDenied", "Access was denied. Ensure that the access policy allows access to the Lambda function."}
	throttled    = words{"Lambda.InvokeLimitExceeded", "The Lambda concurrent execution limit is exceeded. Increase the concurrent execution limit."}
)

// words are the code and the message of a failure.
type words struct{ code, message string }

// wordsOf tells an error of the Invoker in Firehose's words.
func wordsOf(err error) words {
	switch {
	case errors.Is(err, ErrNoFunction):
		return noFunction
	case errors.Is(err, ErrDenied):
		return denied
	case errors.Is(err, ErrThrottled):
		return throttled
	}
	return failed
}

// Process has the function transform the items that are still on their way. It returns an
// error only when ctx has ended.
func (p *Processor) Process(ctx context.Context, items []record.Item) ([]record.Item, error) {
	going := make([]*record.Item, 0, len(items))
	for i := range items {
		if items[i].Goes() && p.fits(&items[i]) {
			going = append(going, &items[i])
		}
	}
	for len(going) > 0 {
		n := fitting(going)
		if err := p.batch(ctx, going[:n]); err != nil {
			return nil, err
		}
		going = going[n:]
	}
	return items, nil
}

// batch has the function transform a batch, and isolates poison if it fails.
func (p *Processor) batch(ctx context.Context, items []*record.Item) error {
	attempts, err := p.insist(ctx, items)
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	if !errors.Is(err, ErrFunction) || len(items) == 1 {
		p.fail(items, wordsOf(err), attempts)
		return nil
	}
	h := &hunt{p: p, attempts: attempts, until: time.Now().Add(maxHunt)}
	return h.halve(ctx, items)
}

// insist invokes the function until it has answered, or the attempts are used up.
func (p *Processor) insist(ctx context.Context, items []*record.Item) (attempts int, err error) {
	for attempts = 1; ; attempts++ {
		err = p.invoke(ctx, items, attempts)
		if err == nil || ctx.Err() != nil {
			return attempts, err
		}
		p.complain(attempts, err)
		if attempts > p.opt.Retries {
			return attempts, err
		}
		select {
		case <-ctx.Done():
			return attempts, ctx.Err()
		case <-time.After(backoff(attempts)):
		}
	}
}

// backoff is the pause behind the n-th attempt: 1 s × 2ⁿ⁻¹, 30 s at most, ±20 % (section 5.3).
func backoff(n int) time.Duration {
	d := 30 * time.Second
	if n < 6 {
		d = time.Second << (n - 1)
	}
	return d*4/5 + mathrand.N(d*2/5)
}

// invoke calls the function once and takes its answer in.
func (p *Processor) invoke(ctx context.Context, items []*record.Item, attempt int) error {
	answer, err := p.opt.Invoker.Invoke(ctx, p.opt.Function, p.request(items))
	if err != nil {
		return err
	}
	p.trouble.over()
	p.take(items, answer, attempt)
	return nil
}

// fail makes failures of all items.
func (p *Processor) fail(items []*record.Item, w words, attempts int) {
	now := p.opt.Now()
	for _, i := range items {
		i.Failure = p.failure(w, attempts, now)
	}
}

func (p *Processor) failure(w words, attempts int, now time.Time) *record.Failure {
	return &record.Failure{
		Output: record.ProcessingFailed, Code: w.code, Message: w.message,
		Attempts: attempts, Ended: now, Function: p.opt.Function,
	}
}

// hunt looks for the poison in a batch that the function failed on.
type hunt struct {
	p        *Processor
	attempts int // of the whole batch
	until    time.Time
	calls    int
	row      int // calls that failed in a row
}

// A hunt is given up when so many calls were made, or failed in a row, or it has taken so
// long: then it is not a few records that the function fails on.
const (
	maxCalls = 1000
	maxRow   = 60
	maxHunt  = 10 * time.Minute
)

// halve calls the function with either half of the items.
func (h *hunt) halve(ctx context.Context, items []*record.Item) error {
	for _, half := range [][]*record.Item{items[:len(items)/2], items[len(items)/2:]} {
		if err := h.try(ctx, half); err != nil {
			return err
		}
	}
	return nil
}

func (h *hunt) try(ctx context.Context, items []*record.Item) error {
	if h.calls >= maxCalls || h.row >= maxRow || time.Now().After(h.until) {
		h.p.fail(items, failed, h.attempts)
		return nil
	}
	h.calls++
	err := h.p.invoke(ctx, items, h.attempts+1)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		h.row = 0
		return nil
	case !errors.Is(err, ErrFunction): // it is gone meanwhile, or throttled
		h.row = maxRow
		h.p.fail(items, wordsOf(err), h.attempts+1)
		return nil
	}
	h.row++
	if len(items) == 1 {
		h.p.fail(items, failed, h.attempts+1)
		return nil
	}
	return h.halve(ctx, items)
}

// newInvocation is the id of an invocation: a random UUID.
func newInvocation() string {
	var b [16]byte
	rand.Read(b[:]) // never fails (crypto/rand since Go 1.24)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
