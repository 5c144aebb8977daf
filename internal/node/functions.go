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
	"hydrant/internal/config"
	"hydrant/internal/process/lambda"
	functions "hydrant/internal/service/lambda"
	"hydrant/internal/service/logs"
)

// openFunctions opens the built-in Lambda, unless another one is used, and finds out how
// functions are called.
func (n *Node) openFunctions(ctx context.Context) error {
	client, err := n.remote(ctx, "lambda", "")
	if err != nil {
		return err
	}
	if client != nil {
		n.functions = remoteFunctions{client}
		return nil
	}
	n.lambda, err = functions.Open(functions.Options{
		Root: n.opt.Config.Data, Partition: partition, Region: n.opt.Config.Region, Account: n.opt.Config.Account,
		Logger: n.log.With("room", "lambda"), Now: n.opt.Now, Logs: n.keepLines,
		Hidden: hidden(n.opt.Config), Fetch: n.fetchCode, Presign: n.presign,
	})
	if err != nil {
		return fmt.Errorf("open the built-in Lambda: %w", err)
	}
	n.functions = ownFunctions{n.lambda}
	return nil
}

// hidden are the files with secrets that do not lie in the data directory.
func hidden(c config.Config) []string {
	if c.TLS.Key == "" {
		return nil
	}
	return []string{c.TLS.Key}
}

// ownFunctions are those of the built-in Lambda.
type ownFunctions struct{ service *functions.Service }

// Invoke implements lambda.Invoker.
func (f ownFunctions) Invoke(ctx context.Context, function string, payload []byte) ([]byte, error) {
	limited, cancel := context.WithTimeout(ctx, functionTime)
	defer cancel()
	answer, err := f.service.Invoke(limited, function, payload)
	switch {
	case err == nil && answer.FunctionError == "":
		return answer.Payload, nil
	case err == nil:
		return nil, fmt.Errorf("%w: %s", lambda.ErrFunction, answer.FunctionError)
	case errors.Is(err, functions.ErrNotFound), errors.Is(err, functions.ErrInvalid):
		return nil, fmt.Errorf("%w: %w", lambda.ErrNoFunction, err)
	case errors.Is(err, functions.ErrBusy), errors.Is(err, functions.ErrReserved):
		return nil, fmt.Errorf("%w: %w", lambda.ErrThrottled, err)
	case errors.Is(err, functions.ErrTooLarge), ctx.Err() == nil && limited.Err() != nil:
		return nil, fmt.Errorf("%w: %w", lambda.ErrFunction, err)
	}
	return nil, err
}

// remoteFunctions are called over the Invoke API (spec neighbours.md section 2.1).
type remoteFunctions struct{ client *aws.Client }

// functionTime is how long a function may run (spec firehose.md section 5.3), and
// functionCall how long a call of one elsewhere may take.
const (
	functionTime = 5 * time.Minute
	functionCall = functionTime + 10*time.Second
)

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

// The most that one put of lines takes (spec neighbours.md section 6.3).
const (
	maxLines     = 10_000
	maxLineBytes = 1<<20 - maxLines*26
)

// keepLines stores lines of a function's log. They are lost, and the node's log says so, if
// the log groups do not take them: a function must not wait for its log.
func (n *Node) keepLines(ctx context.Context, group, name string, lines []functions.Line) {
	if n.logs == nil {
		return // they go where the functions' other logs are: nobody has asked for them there
	}
	for len(lines) > 0 {
		var events []logs.Event
		for size := 0; len(events) < len(lines) && len(events) < maxLines; {
			l := lines[len(events)]
			if size += len(l.Text); size > maxLineBytes && len(events) > 0 {
				break
			}
			events = append(events, logs.Event{Time: l.Time, Message: l.Text})
		}
		lines = lines[len(events):]
		err := n.logs.Put(ctx, group, name, events)
		if errors.Is(err, logs.ErrNoGroup) || errors.Is(err, logs.ErrNoStream) {
			if err = n.logs.Ensure(ctx, group, name); err == nil {
				err = n.logs.Put(ctx, group, name, events)
			}
		}
		if err != nil {
			n.log.Warn("lines of a function's log are lost", "log_group", group, "log_stream", name, "lines", len(events), "error", err)
		}
	}
}
