package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"hydrant/internal/config"
	"hydrant/internal/node"
	"hydrant/internal/operate"
)

// operator is what the commands share that talk to the node of a data directory.
type operator struct {
	data   string
	asJSON bool
	cmd    *cobra.Command
	// patience is how long the node may take for an answer; 0 stands for askTimeout.
	patience time.Duration
}

// askTimeout is how long a node may take for an answer.
const askTimeout = 30 * time.Second

func (o *operator) register(cmd *cobra.Command) {
	o.cmd = cmd
	cmd.Flags().StringVar(&o.data, "data", config.Defaults().Data, "data `directory` of the node")
	cmd.Flags().BoolVar(&o.asJSON, "json", false, "print JSON")
}

// registerStream is register for a command about one stream.
func (o *operator) registerStream(cmd *cobra.Command) {
	o.register(cmd)
	cmd.Args = oneStream
	cmd.ValidArgsFunction = o.complete
}

// oneStream takes the name of a stream and nothing else.
func oneStream(_ *cobra.Command, args []string) error {
	if len(args) != 1 || args[0] == "" {
		return usageError{errors.New("name one stream; hydrant streams lists them")}
	}
	return nil
}

// connect finds the node that runs on the data directory.
func (o *operator) connect() (*operate.Client, error) {
	options, err := o.clientOptions()
	if err != nil {
		return nil, err
	}
	return operate.NewClient(options), nil
}

// clientOptions say where the node of the data directory is.
func (o *operator) clientOptions() (options operate.ClientOptions, err error) {
	a, keys, err := node.ReadAddress(o.data)
	if err != nil {
		return options, fmt.Errorf("%w; start one with: hydrant serve --data %s", err, word(o.data))
	}
	sender, err := newSender(os.Getenv("AWS_CA_BUNDLE"))
	if err != nil {
		return options, err
	}
	if o.patience > 0 {
		sender.Timeout = o.patience
	}
	return operate.ClientOptions{
		Endpoint: a.URL(), Region: a.Region, AccessKeyID: keys.AccessKeyID, Secret: keys.Secret, HTTP: sender,
	}, nil
}

// newSender makes the HTTP client. It trusts whom the system trusts, or the authorities in a
// file, as AWS tools do. No proxy is asked: the node is near.
func newSender(authorities string) (*http.Client, error) {
	t := &http.Transport{}
	if authorities != "" {
		pem, err := os.ReadFile(authorities)
		if err != nil {
			return nil, fmt.Errorf("read AWS_CA_BUNDLE: %w", err)
		}
		t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: x509.NewCertPool()}
		if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("AWS_CA_BUNDLE: %s holds no certificate in PEM form", authorities)
		}
	}
	return &http.Client{Transport: t, Timeout: askTimeout}, nil
}

// explain adds the next step to an error of the client.
func (o *operator) explain(err error) error {
	switch {
	case errors.Is(err, operate.ErrNoAnswer):
		return fmt.Errorf("%w; what it has taken in is kept; start it with: hydrant serve --data %s", err, word(o.data))
	case errors.Is(err, operate.ErrStranger):
		return fmt.Errorf("another node answers where that of %s listened last; start it with: hydrant serve --data %s", word(o.data), word(o.data))
	case errors.Is(err, operate.ErrNoStream):
		return fmt.Errorf("%w; see which there are: %s", err, o.command("streams"))
	case errors.Is(err, operate.ErrPaused):
		return fmt.Errorf("%w; resume it with: %s", err, o.command("resume", o.cmd.Flags().Arg(0)))
	}
	return err
}

// command is another command line for the same node.
func (o *operator) command(name string, args ...string) string {
	line := programName() + " " + name
	if o.cmd.Flags().Changed("data") {
		line += " --data " + word(o.data)
	}
	for _, a := range args {
		line += " " + word(a)
	}
	return line
}

// printJSON writes v for programs.
func (o *operator) printJSON(v any) error { return writeJSON(o.cmd.OutOrStdout(), v) }

func writeJSON(w io.Writer, v any) error {
	b, err := json.Marshal(v, jsontext.Multiline(true), json.Deterministic(true))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", b)
	return err
}

// completion is how long the shell waits for names.
const completion = 2 * time.Second

// complete gives the shell the names of streams.
func (o *operator) complete(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	const files = cobra.ShellCompDirectiveNoFileComp
	if len(args) > 0 {
		return nil, files
	}
	client, err := o.connect()
	if err != nil {
		return nil, files
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completion)
	defer cancel()
	all, err := client.Streams(ctx)
	if err != nil {
		return nil, files
	}
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = s.Name
	}
	return names, files
}

// widthOf is how many columns a terminal has, asked anew each time; nil if w is none.
func widthOf(w io.Writer) func() int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return func() int {
		width, _, err := term.GetSize(int(f.Fd()))
		if err != nil || width < 1 {
			return 80 // some terminals do not know
		}
		return width
	}
}

// cut shortens a text to a number of columns.
func cut(text string, columns int) string {
	r := []rune(text)
	if len(r) <= columns || columns < 1 {
		return text
	}
	return string(r[:columns-1]) + "…"
}
