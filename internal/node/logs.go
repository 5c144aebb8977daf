package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hydrant/internal/aws"
	"hydrant/internal/errorlog"
	"hydrant/internal/record"
	"hydrant/internal/service/logs"
	"hydrant/internal/stream"
)

// logsTarget is the prefix of X-Amz-Target of CloudWatch Logs.
const logsTarget = "Logs_20140328"

// openLogs opens the built-in CloudWatch Logs, unless another one is used, and what writes
// the errors of streams to it.
func (n *Node) openLogs(ctx context.Context) error {
	client, err := n.remote(ctx, "logs", logsTarget)
	if err != nil {
		return err
	}
	var sink errorlog.Sink = remoteLogs{client}
	if client == nil {
		n.logs, err = logs.Open(logs.Options{
			Root: n.opt.Config.Data, Partition: partition, Region: n.opt.Config.Region, Account: n.opt.Config.Account,
			Logger: n.log.With("room", "logs"), Now: n.opt.Now,
		})
		if err != nil {
			return fmt.Errorf("open the built-in CloudWatch Logs: %w", err)
		}
		sink = ownLogs{n.logs}
	}
	n.errors = errorlog.New(errorlog.Options{Sink: sink, Logger: n.log.With("room", "errorlog"), Now: n.opt.Now})
	return nil
}

// failed logs a step of a stream's delivery that failed.
func (n *Node) failed(d *stream.Definition, o record.Output, err error) {
	n.errors.Report(errorlog.Failure{Stream: d, Output: o, Err: err, At: n.opt.Now()})
}

// ownLogs are the built-in log groups.
type ownLogs struct{ service *logs.Service }

// Put implements errorlog.Sink.
func (l ownLogs) Put(ctx context.Context, group, name string, events []errorlog.Event) error {
	list := make([]logs.Event, len(events))
	for i, e := range events {
		list[i] = logs.Event{Time: e.Time, Message: e.Message}
	}
	err := l.service.Put(ctx, group, name, list)
	if errors.Is(err, logs.ErrNoGroup) || errors.Is(err, logs.ErrNoStream) {
		return fmt.Errorf("%w: %w", errorlog.ErrGone, err)
	}
	return err
}

// remoteLogs are log groups elsewhere.
type remoteLogs struct{ client *aws.Client }

type remoteEvent struct {
	Time    int64  `json:"timestamp"`
	Message string `json:"message"`
}

// remoteCall is how long a call to another CloudWatch Logs may take.
const remoteCall = 10 * time.Second

// Put implements errorlog.Sink.
func (l remoteLogs) Put(ctx context.Context, group, name string, events []errorlog.Event) error {
	in := struct {
		Group  string        `json:"logGroupName"`
		Stream string        `json:"logStreamName"`
		Events []remoteEvent `json:"logEvents"`
	}{group, name, make([]remoteEvent, len(events))}
	for i, e := range events {
		in.Events[i] = remoteEvent{e.Time.UnixMilli(), e.Message}
	}
	ctx, cancel := context.WithTimeout(ctx, remoteCall)
	defer cancel()
	err := l.client.Call(ctx, "PutLogEvents", in, nil)
	var told *aws.RemoteError
	if errors.As(err, &told) && told.Code == "ResourceNotFoundException" {
		return fmt.Errorf("%w: %w", errorlog.ErrGone, err)
	}
	return err
}
