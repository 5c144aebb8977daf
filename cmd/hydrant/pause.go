package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"hydrant/internal/operate"
)

func newPause() *cobra.Command {
	return newHold(&cobra.Command{
		Use:   "pause STREAM",
		Short: "Keep the records of a stream instead of delivering them",
		Long: "Have a stream make no new objects until it is resumed, also after restarts of the node. Records are\n" +
			"taken in and kept; an object that is being delivered already is finished.",
		Example: "  hydrant pause clicks",
	}, (*operate.Client).Pause, func(o *operator, s operate.Stream) string {
		return fmt.Sprintf("%s is paused: records are taken in and kept. Backlog: %s\nResume it with: %s",
			s.Name, operate.Figures(s.Data.Pending), o.command("resume", s.Name))
	})
}

func newResume() *cobra.Command {
	return newHold(&cobra.Command{
		Use:     "resume STREAM",
		Short:   "Deliver the records of a paused stream again",
		Long:    "Have a paused stream deliver again. What has waited long enough, or is large enough, is delivered at once.",
		Example: "  hydrant resume clicks",
	}, (*operate.Client).Resume, func(_ *operator, s operate.Stream) string {
		return fmt.Sprintf("%s delivers. Backlog: %s", s.Name, operate.Figures(s.Data.Pending))
	})
}

// newHold makes a command that sets whether a stream is paused, and tells how it stands then.
func newHold(
	cmd *cobra.Command,
	set func(*operate.Client, context.Context, string) (operate.Stream, error),
	tell func(*operator, operate.Stream) string,
) *cobra.Command {
	var o operator
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		client, err := o.connect()
		if err != nil {
			return err
		}
		s, err := set(client, cmd.Context(), args[0])
		if err != nil {
			return o.explain(err)
		}
		if o.asJSON {
			return o.printJSON(s)
		}
		_, err = fmt.Fprintln(cmd.OutOrStdout(), tell(&o, s))
		return err
	}
	o.registerStream(cmd)
	return cmd
}
