package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"hydrant/internal/operate"
)

func newFlush() *cobra.Command {
	f := flush{}
	cmd := &cobra.Command{
		Use:   "flush STREAM",
		Short: "Deliver now what a stream has buffered",
		Long: "Have a stream deliver what it holds at this moment, whatever its size and age, and wait until that\n" +
			"is in the store. What comes later is buffered as ever. Delivery goes on if nobody waits.\n" +
			"Exit code 1: it is not delivered, or not yet; the message says why.",
		Example: "  hydrant flush clicks\n  hydrant flush clicks --timeout 1m --json\n  hydrant flush clicks --no-wait",
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.timeout < 0 || f.noWait && f.timeout > 0 {
				return usageError{errors.New("--timeout is a time above 0, and means nothing with --no-wait")}
			}
			return f.run(cmd, args[0])
		},
	}
	f.registerStream(cmd)
	cmd.Flags().BoolVar(&f.noWait, "no-wait", false, "begin it and do not wait")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 0, "wait no longer than this, such as 90s (default: until it is delivered)")
	return cmd
}

// flush is a run of the command.
type flush struct {
	operator
	noWait  bool
	timeout time.Duration
}

// flushed is what --json prints.
type flushed struct {
	Stream string `json:"stream"`
	Done   bool   `json:"done"`
	operate.Progress
}

func (f *flush) run(cmd *cobra.Command, name string) error {
	client, err := f.connect()
	if err != nil {
		return err
	}
	order, err := client.Flush(cmd.Context(), name)
	if err != nil {
		return f.explain(err)
	}
	begun := order.Begun()
	if f.noWait {
		return f.tell(flushed{name, len(begun.Outputs) == 0, begun})
	}
	p, err := f.wait(cmd.Context(), client, order)
	if err == nil {
		return f.tell(flushed{name, true, p})
	}
	if f.asJSON {
		err = errors.Join(err, f.printJSON(flushed{name, false, p}))
	}
	return err
}

// wait waits and shows how far it is.
func (f *flush) wait(ctx context.Context, client *operate.Client, order operate.Order) (operate.Progress, error) {
	if f.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, f.timeout)
		defer cancel()
	}
	m := newMeter(f.cmd.OutOrStdout(), time.Now)
	p, err := client.Await(ctx, order, func(p operate.Progress) {
		if !f.asJSON {
			m.show(order.Stream, p)
		}
	})
	m.clear()
	if ctx.Err() == nil || err == nil {
		return p, f.explain(err)
	}
	until := "when the waiting was stopped"
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		until = "after " + f.timeout.String()
	}
	trouble := ""
	if p.LastError != "" {
		trouble = "; the last attempt failed: " + operate.Printable(p.LastError)
	}
	return p, fmt.Errorf("stream %s: %s were delivered %s%s\nDelivery goes on, and no record is lost. See: %s",
		order.Stream, p, until, trouble, f.command("streams"))
}

// tell says how the flush stands.
func (f *flush) tell(r flushed) error {
	if f.asJSON {
		return f.printJSON(r)
	}
	text := "nothing was buffered"
	switch {
	case len(r.Outputs) == 0:
	case r.Done:
		text = "delivered " + r.Whole()
	default:
		text = r.Whole() + " to be delivered now. See: " + f.command("streams")
	}
	_, err := fmt.Fprintf(f.cmd.OutOrStdout(), "%s: %s\n", r.Stream, text)
	return err
}
