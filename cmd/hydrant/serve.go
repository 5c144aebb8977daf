package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"strings"

	"github.com/spf13/cobra"

	"hydrant/internal/config"
	"hydrant/internal/node"
)

// settings are the flags that serve and demo share. A flag wins over the file, the file
// over the defaults.
type settings struct {
	file      string
	data      string
	listen    string
	console   string
	memory    config.Size
	insecure  bool
	endpoints []string
}

func (s *settings) register(cmd *cobra.Command) {
	d := config.Defaults()
	f := cmd.Flags()
	s.memory = d.Memory
	f.StringVar(&s.file, "config", "", "configuration `file` (YAML)")
	f.StringVar(&s.data, "data", d.Data, "data `directory`")
	f.StringVar(&s.listen, "listen", d.Listen, "`address` of all AWS APIs; port 0 takes a free one")
	f.StringVar(&s.console, "console", d.Console, "`address` of health and metrics")
	f.Var(&s.memory, "memory", "bound on the memory of the whole process")
	f.BoolVar(&s.insecure, "insecure", false, "allow addresses that other machines can reach without TLS")
	f.StringArrayVar(&s.endpoints, "endpoint", nil, "use another server for a neighbour, `SERVICE=URL`, such as s3=http://store:9000 (repeatable)")
}

// config merges flags, file and defaults.
func (s *settings) config(cmd *cobra.Command) (config.Config, error) {
	c := config.Defaults()
	if s.file != "" {
		var err error
		if c, err = config.Load(s.file); err != nil {
			return c, usageError{err}
		}
	}
	changed := cmd.Flags().Changed
	if changed("data") {
		c.Data = s.data
	}
	if changed("listen") {
		c.Listen = s.listen
	}
	if changed("console") {
		c.Console = s.console
	}
	if changed("memory") {
		c.Memory = s.memory
	}
	if changed("insecure") {
		c.Insecure = s.insecure
	}
	if err := addEndpoints(&c, s.endpoints); err != nil {
		return c, usageError{err}
	}
	if err := c.Validate(); err != nil {
		return c, usageError{err}
	}
	return c, nil
}

// addEndpoints takes the --endpoint flags in. The other settings of an endpoint in the
// file stay.
func addEndpoints(c *config.Config, flags []string) error {
	for _, f := range flags {
		service, url, ok := strings.Cut(f, "=")
		if !ok || service == "" || url == "" {
			return fmt.Errorf("--endpoint %s: want SERVICE=URL, such as s3=http://store:9000", f)
		}
		if c.Endpoints == nil {
			c.Endpoints = map[string]config.Endpoint{}
		}
		e := c.Endpoints[service]
		e.URL = url
		c.Endpoints[service] = e
	}
	return nil
}

func newServe() *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run a node",
		Long: "Run a node: all AWS APIs on --listen, health and metrics on --console.\n" +
			"It stops cleanly on SIGTERM and Ctrl-C; what was accepted is kept and delivered after the next start.",
		Example: "  hydrant serve\n  hydrant serve --data /var/lib/hydrant --endpoint s3=https://s3.example.com",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := s.config(cmd)
			if err != nil {
				return err
			}
			return serve(cmd.Context(), cmd.OutOrStdout(), c)
		},
	}
	s.register(cmd)
	return cmd
}

func serve(ctx context.Context, out io.Writer, c config.Config) (err error) {
	stopProfile, err := startProfile()
	if err != nil {
		return err
	}
	defer stopProfile()
	node.LimitMemory(c.Memory)
	logger, err := node.NewLogger(os.Stderr, c)
	if err != nil {
		return usageError{err}
	}
	n, err := node.Open(ctx, node.Options{Config: c, Version: version(), Logger: logger})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close()) }()
	return n.Serve(ctx, func(a node.Address) {
		fmt.Fprintf(out, "hydrant is ready: AWS APIs on %s, health and metrics on %s\n", a.URL(), a.ConsoleURL())
		fmt.Fprintf(out, "in another shell: eval \"$(hydrant env --data %s)\"\n", word(c.Data))
	})
}

// startProfile writes a CPU profile of the whole run to the file that HYDRANT_CPUPROFILE
// names, if it does. It serves the benchmarks.
func startProfile() (stop func(), err error) {
	name := os.Getenv("HYDRANT_CPUPROFILE")
	if name == "" {
		return func() {}, nil
	}
	f, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() {
		pprof.StopCPUProfile()
		if err := f.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "hydrant: write the CPU profile:", err)
		}
	}, nil
}
