package node

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"hydrant/internal/aws"
	"hydrant/internal/deliver"
	"hydrant/internal/encode"
	"hydrant/internal/errorlog"
	"hydrant/internal/process/lambda"
	"hydrant/internal/process/unpack"
	"hydrant/internal/record"
	"hydrant/internal/stage"
	"hydrant/internal/stream"
)

const (
	// batchSlots is how many batches are processed at once, over all streams: one of them may
	// take some 30 MiB, for a request and an answer of 6 MiB each and what is made of them.
	batchSlots = 8
	// batchBytes is the size of batches that no function gets.
	batchBytes = 1 << 20
	// functionCalls is how many batches of a stream a function gets at once, and stepCalls
	// how many are processed here (spec firehose.md section 5.3).
	functionCalls = 5
	stepCalls     = 2
)

// openStage prepares the processing of records.
func (n *Node) openStage(ctx context.Context) (err error) {
	if n.functions, err = n.openFunctions(ctx); err != nil {
		return err
	}
	n.stage = stage.NewManager(stage.Options{
		Log:       opened{n.engine, n.vault},
		Pipelines: n.pipeline,
		Pieces: func(ctx context.Context, d *stream.Definition, b record.Batch) ([]record.Piece, error) {
			return n.ingest.Pieces(ctx, d, b)
		},
		Decoder:  new(encode.Decoder),
		Slots:    stage.NewSlots(batchSlots),
		Join:     func(q record.Queue, wake func()) stage.Reader { return n.delivery.Join(q, wake) },
		Now:      n.opt.Now,
		Logger:   n.log.With("room", "stage"),
		OnAppend: func(q record.Queue) { n.delivery.Wake(q) },
		OnFailure: func(d *stream.Definition, f *record.Failure) {
			n.errors.Report(errorlog.Failure{
				Stream: d, Output: f.Output, Processor: f.Function, At: f.Ended,
				Err: &record.Complaint{Code: f.Code, Message: f.Message, Err: errors.New(f.Message)},
			})
		},
	})
	return nil
}

// endProcessing stops the processing of a stream that is being deleted, also of one whose
// deletion a former process began.
func (n *Node) endProcessing(ctx context.Context, d *stream.Definition) error {
	if err := n.stage.Start(ctx, d); err != nil {
		return err
	}
	return n.stage.Halt(ctx, d.ID)
}

// staged is the stage as delivery knows it.
type staged struct{ *stage.Manager }

// Account implements deliver.Stage.
func (s staged) Account(q record.Queue) (deliver.Account, bool) {
	a, ok := s.Manager.Account(q)
	return deliver.Account(a), ok
}

// pipeline puts the processors of a stream in their order (spec firehose.md section 5.1).
func (n *Node) pipeline(d *stream.Definition) (stage.Pipeline, error) {
	p := stage.Pipeline{Bytes: batchBytes, Parallel: stepCalls}
	if unzip := d.S3.Find(stream.DecompressionProcessor); unzip != nil {
		format, _ := unzip.Parameter("CompressionFormat")
		step, err := unpack.NewDecompression(format, n.opt.Now)
		if err != nil {
			return p, err
		}
		p.Steps = append(p.Steps, step)
	}
	if logs := d.S3.Find(stream.LogProcessor); logs != nil {
		extract, _ := logs.Parameter("DataMessageExtraction")
		step, err := unpack.NewLogProcessing(extract, n.opt.Now)
		if err != nil {
			return p, err
		}
		p.Steps = append(p.Steps, step)
	}
	if function := d.S3.Find(stream.LambdaProcessor); function != nil {
		l := function.Lambda()
		p.Bytes, p.Age, p.Parallel = int(l.MBs*(1<<20)), time.Duration(l.Interval)*time.Second, functionCalls
		p.Steps = append(p.Steps, lambda.New(lambda.Options{
			Function: l.ARN, Retries: l.Retries, Stream: d.ARN, Region: n.opt.Config.Region,
			Invoker: n.functions, Now: n.opt.Now,
		}))
	}
	return p, nil
}

// openFunctions finds out where functions are called.
func (n *Node) openFunctions(ctx context.Context) (lambda.Invoker, error) {
	client, err := n.remote(ctx, "lambda", "")
	if err != nil {
		return nil, err
	}
	if client == nil {
		return noFunctions{}, nil
	}
	return remoteFunctions{client}, nil
}

// noFunctions is where there are none.
type noFunctions struct{}

// Invoke implements lambda.Invoker.
func (noFunctions) Invoke(_ context.Context, function string, _ []byte) ([]byte, error) {
	return nil, fmt.Errorf("%w: %s", lambda.ErrNoFunction, function)
}

// remoteFunctions are called over the Invoke API (spec neighbours.md section 2.1).
type remoteFunctions struct{ client *aws.Client }

// functionCall is how long a call may take: a function runs 5 minutes at most (spec
// firehose.md section 5.3).
const functionCall = 5*time.Minute + 10*time.Second

// Invoke implements lambda.Invoker.
func (f remoteFunctions) Invoke(ctx context.Context, function string, payload []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, functionCall)
	defer cancel()
	path := "/2015-03-31/functions/" + url.PathEscape(function) + "/invocations"
	header := http.Header{"X-Amz-Invocation-Type": {"RequestResponse"}}
	reply, err := f.client.Post(ctx, path, header, payload)
	if err != nil {
		return nil, explainInvoke(err)
	}
	if kind := reply.Header.Get("X-Amz-Function-Error"); kind != "" {
		return nil, fmt.Errorf("%w: %s", lambda.ErrFunction, kind)
	}
	return reply.Body, nil
}

// explainInvoke tells refusals of the Invoke API apart.
func explainInvoke(err error) error {
	var told *aws.RemoteError
	if !errors.As(err, &told) {
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, aws.ErrBadAnswer) {
			return fmt.Errorf("%w: %w", lambda.ErrFunction, err)
		}
		return err
	}
	switch code := told.Code; {
	case code == "ResourceNotFoundException":
		return fmt.Errorf("%w: %w", lambda.ErrNoFunction, err)
	case code == "TooManyRequestsException" || told.Status == http.StatusTooManyRequests:
		return fmt.Errorf("%w: %w", lambda.ErrThrottled, err)
	case strings.HasPrefix(code, "AccessDenied") || told.Status == http.StatusForbidden:
		return fmt.Errorf("%w: %w", lambda.ErrDenied, err)
	case code == "RequestTooLargeException":
		return fmt.Errorf("%w: %w", lambda.ErrFunction, err)
	}
	return err
}
