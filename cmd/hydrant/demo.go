package main

import (
	"errors"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"hydrant/internal/config"
	"hydrant/internal/demo"
	"hydrant/internal/node"
)

// freePort is where demo listens unless told otherwise, so that it never meets a node that
// runs already.
const freePort = "127.0.0.1:0"

// demoEvents is how many events demo makes up unless told otherwise.
const demoEvents = 20_000

func newDemo() *cobra.Command {
	var s settings
	var o demo.Options
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See it work: a node, a stream, records in, objects out",
		Long: "Start a node, make the bucket " + demo.BucketName + " and the stream " + demo.StreamName + ", put records, wait until they are\n" +
			"delivered, and show the objects they became. The records are made-up events of a web shop, or\n" +
			"the lines of --input. On a terminal the node then stays up until Ctrl-C; else the demo ends.\n" +
			"What it made stays in the data directory, and the next demo adds to it.",
		Example: "  hydrant demo\n  hydrant demo --input access.log\n  journalctl -o json -n 10000 | hydrant demo --input -",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := s.demoConfig(cmd)
			if err != nil {
				return err
			}
			if o.Records < 1 || o.Input != "" && cmd.Flags().Changed("records") {
				return usageError{errors.New("--records is a number above 0, and means nothing with --input")}
			}
			o.Config = c
			o.Serve, o.Env = s.again(cmd)
			return runDemo(cmd, o)
		},
	}
	s.register(cmd)
	f := cmd.Flags()
	f.Lookup("listen").DefValue, f.Lookup("console").DefValue = freePort, freePort
	f.IntVar(&o.Records, "records", demoEvents, "how many events to make up")
	f.StringVar(&o.Input, "input", "", "put the lines of a `file` instead, each with its newline; - for standard input")
	f.StringVar(&o.Bucket, "bucket", demo.BucketName, "`name` of the bucket, for a new stream")
	f.BoolVar(&o.JSON, "json", false, "print one JSON summary and nothing else")
	return cmd
}

// demoConfig is config with free ports where none are given.
func (s *settings) demoConfig(cmd *cobra.Command) (config.Config, error) {
	c, err := s.config(cmd)
	if err != nil {
		return c, err
	}
	if s.file == "" && !cmd.Flags().Changed("listen") {
		c.Listen = freePort
	}
	if s.file == "" && !cmd.Flags().Changed("console") {
		c.Console = freePort
	}
	return c, nil
}

// again returns the commands that start this node again and point AWS tools at it.
func (s *settings) again(cmd *cobra.Command) (serve, env string) {
	shared := ""
	if cmd.Flags().Changed("data") {
		shared = " --data " + shellWord(s.data)
	}
	serve = programName() + " serve" + shared
	for _, name := range []string{"config", "listen", "console", "memory", "insecure"} {
		if f := cmd.Flags().Lookup(name); f.Changed {
			serve += " --" + name + "=" + shellWord(f.Value.String())
		}
	}
	for _, e := range s.endpoints {
		serve += " --endpoint " + shellWord(e)
	}
	return serve, `eval "$(` + programName() + " env" + shared + `)"`
}

// shellWord makes s one word of a POSIX shell, without quotes where it needs none.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-_./:=@%+,", r)
	}
	if s != "" && strings.TrimFunc(s, plain) == "" {
		return s
	}
	return quote(s)
}

func runDemo(cmd *cobra.Command, o demo.Options) error {
	node.LimitMemory(o.Config.Memory)
	o.Version, o.Stdin, o.Out, o.Log = version(), cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()
	if f, ok := o.Out.(*os.File); ok && !o.JSON && term.IsTerminal(int(f.Fd())) {
		o.Stay = true
		o.Width = func() int {
			width, _, err := term.GetSize(int(f.Fd()))
			if err != nil {
				return 80 // what terminals have been wide since cards
			}
			return width
		}
	}
	return demo.Run(cmd.Context(), o)
}
