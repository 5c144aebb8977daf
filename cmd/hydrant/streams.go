package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hydrant/internal/operate"
)

func newStreams() *cobra.Command {
	var o operator
	var watch bool
	cmd := &cobra.Command{
		Use:   "streams",
		Short: "List the streams of a node: status, backlog, last error",
		Long: "List the streams of the node that runs on a data directory. The backlog is what was accepted and is\n" +
			"not delivered yet; beside it stands how long its oldest record has waited. A backup and failure\n" +
			"records that have a backlog get a line of their own.",
		Example: "  hydrant streams\n  hydrant streams --watch\n  hydrant streams --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if watch && o.asJSON {
				return usageError{errors.New("--watch prints tables, and --json prints none")}
			}
			client, err := o.connect()
			if err != nil {
				return err
			}
			if watch {
				return o.explain(o.watch(cmd.Context(), cmd.OutOrStdout(), client.Streams))
			}
			all, err := client.Streams(cmd.Context())
			if err != nil {
				return o.explain(err)
			}
			if o.asJSON {
				return o.printJSON(streamList{all})
			}
			return o.printStreams(cmd.OutOrStdout(), all)
		},
	}
	o.register(cmd)
	cmd.Flags().BoolVar(&watch, "watch", false, "show it anew every two seconds, until Ctrl-C")
	return cmd
}

// watchInterval is how often --watch looks.
const watchInterval = 2 * time.Second

// watch prints the table until ctx ends: in place on a terminal, one below the other elsewhere.
func (o *operator) watch(ctx context.Context, w io.Writer, list func(context.Context) ([]operate.Stream, error)) error {
	between := "\n"
	if widthOf(w) != nil {
		between = "\x1b[H\x1b[J" // to the first line, and clear what is below
	}
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	for first := true; ; first = false {
		all, err := list(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if !first || between != "\n" {
			fmt.Fprint(w, between)
		}
		if err := o.printStreams(w, all); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// streamList is what --json prints.
type streamList struct {
	Streams []operate.Stream `json:"streams"`
}

// printStreams prints the table, cut to the width of a terminal.
func (o *operator) printStreams(w io.Writer, all []operate.Stream) error {
	if len(all) == 0 {
		_, err := fmt.Fprintf(w, "There are no streams yet. To make one:\n  eval \"$(%s)\"\n  aws s3 mb s3://events\n"+
			"  aws firehose create-delivery-stream --delivery-stream-name clicks --extended-s3-destination-configuration \\\n"+
			"    RoleARN=arn:aws:iam::000000000000:role/firehose,BucketARN=arn:aws:s3:::events\n", o.command("env"))
		return err
	}
	var table strings.Builder
	if err := operate.Print(&table, all); err != nil {
		return err
	}
	columns := 0
	if width := widthOf(w); width != nil {
		columns = width()
	}
	for line := range strings.Lines(table.String()) {
		if _, err := fmt.Fprintln(w, cut(strings.TrimRight(line, " \n"), columns)); err != nil {
			return err
		}
	}
	return nil
}
