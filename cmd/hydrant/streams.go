package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"hydrant/internal/operate"
)

func newStreams() *cobra.Command {
	var o operator
	cmd := &cobra.Command{
		Use:   "streams",
		Short: "List the streams of a node: status, backlog, last error",
		Long: "List the streams of the node that runs on a data directory. The backlog is what was accepted and is\n" +
			"not delivered yet; beside it stands how long its oldest record has waited. A backup and failure\n" +
			"records that have a backlog get a line of their own.",
		Example: "  hydrant streams\n  hydrant streams --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := o.connect()
			if err != nil {
				return err
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
	return cmd
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
