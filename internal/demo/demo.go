// Package demo is what a person runs first: it opens a node, makes a bucket and a stream,
// puts records, waits until they are delivered, and shows the objects they became. All of it
// goes through the public APIs, over a socket and signed, as any client would do it.
//
//   - Story: the one run from the empty node to the last object, told in story.go.
//   - Source: where the records come from: made-up events, or lines of the user's own.
//   - Batch: the records of one PutRecordBatch request.
//   - Ledger: what became of every record of the stream, read from the metrics page.
//   - Screen: where the story is shown; on a terminal it has a bar in its last line.
//   - Summary: the whole story in figures, for --json.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"hydrant/internal/config"
	"hydrant/internal/node"
)

// Names that the demo uses, and those that a user may choose for its bucket.
const (
	StreamName = "demo"
	BucketName = "hydrant-demo"
)

// Options say what to show, and where. Config, Version, Out, Log, Serve and Env are required.
type Options struct {
	Config  config.Config
	Version string

	// Input is a file of newline-delimited records, or "-" for Stdin. Empty: Records events
	// are made up.
	Input   string
	Stdin   io.Reader
	Records int
	// Bucket is made if it is not there. A stream that is there already keeps its own.
	Bucket string

	Out   io.Writer
	Log   io.Writer  // what the node has to say, warnings and worse
	Width func() int // columns of the terminal that Out is; nil: Out is none
	// JSON writes the Summary to Out and nothing else.
	JSON bool
	// Stay keeps the node up after the story, until ctx ends.
	Stay bool
	// Serve and Env are the commands that bring this node up again and point AWS tools at
	// it, as the user would type them.
	Serve, Env string

	Now func() time.Time // nil: time.Now
}

// ErrInterrupted says that the demo was ended before its story was. What was accepted is
// kept.
var ErrInterrupted = errors.New("interrupted")

// Run tells the story. It returns after the node has stopped.
func Run(ctx context.Context, o Options) (err error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	records, err := openSource(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, records.Close()) }()
	show := newScreen(o.Out, o.Width, o.Now)
	if o.JSON {
		show = newScreen(io.Discard, nil, o.Now)
	}
	c := o.Config
	if c.Log.Level == slog.LevelInfo {
		c.Log.Level = slog.LevelWarn // the story is told on the screen
	}
	logger, err := node.NewLogger(show.beside(o.Log), c)
	if err != nil {
		return err
	}
	n, err := node.Open(ctx, node.Options{Config: c, Version: o.Version, Logger: logger, Now: o.Now})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close()) }()
	return live(ctx, n, func(ctx context.Context, a node.Address) error {
		s, err := newStory(o, a, records, show)
		if err != nil {
			return err
		}
		return s.tell(ctx)
	})
}

// live runs the node as long as tell takes. The context of tell ends early when the node
// fails or the caller's context ends.
func live(ctx context.Context, n *node.Node, tell func(context.Context, node.Address) error) error {
	g, ctx := errgroup.WithContext(ctx)
	life, end := context.WithCancel(ctx)
	ready := make(chan node.Address, 1)
	g.Go(func() error { return n.Serve(life, func(a node.Address) { ready <- a }) })
	g.Go(func() error {
		defer end()
		select {
		case a := <-ready:
			return tell(ctx, a)
		case <-ctx.Done():
			return fmt.Errorf("%w before anything was put", ErrInterrupted)
		}
	})
	return g.Wait()
}
