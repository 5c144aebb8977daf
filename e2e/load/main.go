// Command load puts records into delivery streams as fast as a number of connections
// allow, and says how it went. It builds its requests before it starts and only patches,
// hashes and signs them while it runs, so that most of the machine is left to the server
// it measures.
//
//   - Template: the ready body of a request; what differs from request to request are the
//     ids of its records, at known places, and the stream's name before it.
//   - Worker: one connection and the goroutine that waits for its answers.
//   - Acknowledged: the server answered that the record is on disk. Only such records are
//     counted and, with -log, written down.
//
// Credentials come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. The exit status is 0
// when every record was acknowledged, 1 when some were not, 2 when it could not run.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	url, region, stream, mode, label, log string
	streams, connections, size, perPut    int
	records, bytes                        int64
	duration, patience                    time.Duration
	unique, json                          bool
}

func parseFlags(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("load", flag.ContinueOnError)
	f.StringVar(&o.url, "url", "http://127.0.0.1:4573", "where the server listens")
	f.StringVar(&o.region, "region", "us-east-1", "region to sign for")
	f.StringVar(&o.stream, "stream", "load", "stream, or a pattern such as load-%04d with -streams")
	f.IntVar(&o.streams, "streams", 1, "number of streams, numbered from 0 by the pattern, taken in turns")
	f.IntVar(&o.connections, "connections", 16, "connections, each with one request under way")
	f.StringVar(&o.mode, "mode", "batch", "batch: PutRecordBatch of 500; single: PutRecord; largest: PutRecordBatch of 500 that fill 4 MiB")
	f.IntVar(&o.size, "size", 512, "bytes of a record (not with -mode largest)")
	f.Int64Var(&o.records, "records", 0, "end after so many records")
	f.Int64Var(&o.bytes, "bytes", 0, "end after so many record bytes")
	f.DurationVar(&o.duration, "duration", 0, "end after so long")
	f.DurationVar(&o.patience, "patience", 0, "how long to try again when the server cannot be reached")
	f.BoolVar(&o.unique, "unique", false, "give every record an id of its own: LABEL-CONNECTION-SEQUENCE")
	f.StringVar(&o.label, "label", "00000", "five characters that start the ids")
	f.StringVar(&o.log, "log", "", "file for the ids of acknowledged records, one a line (with -unique)")
	f.BoolVar(&o.json, "json", false, "report as JSON")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	return o, o.check()
}

// check refuses what cannot be run and fills in what the mode decides.
func (o *options) check() error {
	switch o.mode {
	case "batch":
		o.perPut = 500
	case "single":
		o.perPut = 1
	case "largest":
		o.perPut, o.size = 500, largestSize
	default:
		return fmt.Errorf("-mode %q is none of batch, single, largest", o.mode)
	}
	u, err := url.Parse(o.url)
	switch {
	case err != nil || u.Scheme != "http" || u.Host == "":
		return errors.New("-url must be http://host:port")
	case o.records <= 0 && o.bytes <= 0 && o.duration <= 0:
		return errors.New("say when to end, with -records, -bytes or -duration")
	case o.connections < 1 || o.connections > 9999 || o.streams < 1:
		return errors.New("-connections goes from 1 to 9999, -streams from 1")
	case o.size < minSize || o.size > maxSize || o.size*o.perPut > maxBatch:
		return fmt.Errorf("-size goes from %d to %d bytes, and a batch holds at most %d", minSize, maxSize, maxBatch)
	case len(o.label) != 5:
		return errors.New("-label must have five characters")
	case o.log != "" && !o.unique:
		return errors.New("-log wants -unique: records without an id of their own cannot be told apart")
	}
	return nil
}

func main() {
	o, err := parseFlags(os.Args[1:])
	if err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "load:", err)
		}
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r, err := run(ctx, o, os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"))
	if err == nil {
		err = r.print(os.Stdout, o.json)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(2)
	}
	if len(r.Errors) > 0 {
		os.Exit(1)
	}
}

// run starts the workers, waits for them, and adds up what they saw.
func run(ctx context.Context, o options, accessKey, secret string) (*report, error) {
	if accessKey == "" || secret == "" {
		return nil, errors.New("AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is not set; eval \"$(hydrant env)\" sets both")
	}
	log, err := openLog(o.log)
	if err != nil {
		return nil, err
	}
	if o.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.duration)
		defer cancel()
	}
	job := newJob(o, log)
	workers := make([]*worker, o.connections)
	var wait sync.WaitGroup
	start := time.Now()
	for i := range workers {
		workers[i] = newWorker(job, i, accessKey, secret)
		wait.Go(func() { workers[i].run(ctx) })
	}
	wait.Wait()
	return summarise(o, workers, time.Since(start)), log.close()
}

// ackLog writes down the ids of acknowledged records.
type ackLog struct {
	mu   sync.Mutex
	file *os.File
	out  *bufio.Writer
	err  error // the first that happened, told by close
}

// openLog creates the file; without a path it returns a log that keeps nothing.
func openLog(path string) (*ackLog, error) {
	if path == "" {
		return &ackLog{}, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("file for acknowledged ids: %w", err)
	}
	return &ackLog{file: f, out: bufio.NewWriterSize(f, 1<<20)}, nil
}

// add writes the ids, each followed by a new line.
func (l *ackLog) add(lines []byte) {
	if l.file == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.out.Write(lines); err != nil && l.err == nil {
		l.err = err
	}
}

func (l *ackLog) close() error {
	if l.file == nil {
		return nil
	}
	if err := errors.Join(l.err, l.out.Flush(), l.file.Close()); err != nil {
		return fmt.Errorf("file for acknowledged ids: %w", err)
	}
	return nil
}
