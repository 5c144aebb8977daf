package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hydrant/internal/operate"
)

func newTry() *cobra.Command {
	t := try{}
	cmd := &cobra.Command{
		Use:   "try STREAM --input FILE",
		Short: "Show what a stream would make of records, without delivering them",
		Long: "Have the processors of a stream process sample records, one a line, and show record by record what\n" +
			"would become of each: its data, the object it would be in, or why it fails. Nothing is stored. The\n" +
			"function is called once and not again. With --config a stream is tried that does not exist yet: the\n" +
			"file holds what CreateDeliveryStream would be sent.\n" +
			"Exit code 1: a record has failed.",
		Example: "  hydrant try clicks --input sample.log\n  hydrant try --config stream.json --input sample.log --json",
		RunE:    func(cmd *cobra.Command, args []string) error { return t.run(cmd, args) },
	}
	t.register(cmd)
	cmd.ValidArgsFunction = t.complete
	cmd.Flags().StringVar(&t.input, "input", "", "`file` with a record a line; - is standard input")
	cmd.Flags().StringVar(&t.config, "config", "", "`file` with the input of CreateDeliveryStream, to be tried instead of a stream")
	cmd.Flags().BoolVar(&t.newline, "newline", false, "records end in a line feed, as many producers send them")
	return cmd
}

// try is a run of the command.
type try struct {
	operator
	input, config string
	newline       bool
	counts        map[string]int
}

// tryTime is how long a function may take for all records of a call.
const tryTime = 6 * time.Minute

func (t *try) run(cmd *cobra.Command, args []string) error {
	switch {
	case t.input == "":
		return usageError{errors.New("--input is wanted: a file with sample records, or -")}
	case t.config == "" && len(args) != 1, t.config != "" && len(args) != 0:
		return usageError{errors.New("name one stream, or give --config; hydrant streams lists them")}
	}
	t.patience = tryTime
	client, err := t.connect()
	if err != nil {
		return err
	}
	var configuration []byte
	if t.config != "" {
		if configuration, err = os.ReadFile(t.config); err != nil {
			return err
		}
	}
	in, err := openInput(cmd, t.input)
	if err != nil {
		return err
	}
	defer in.Close()
	name := strings.Join(args, "")
	t.counts = map[string]int{}
	all := []operate.Fate{}
	err = lines(in, t.newline, func(first int, records [][]byte) error {
		fates, err := client.Try(cmd.Context(), name, configuration, records)
		if err != nil {
			return t.explain(err)
		}
		for _, f := range fates {
			f.Record += first
			t.counts[f.Result]++
			if all = append(all, f); !t.asJSON {
				if err := t.show(cmd.OutOrStdout(), f); err != nil {
					return err
				}
			}
		}
		if t.asJSON {
			return nil
		}
		all = all[:0]
		return nil
	})
	if err != nil {
		return err
	}
	return t.finish(cmd.OutOrStdout(), all)
}

func openInput(cmd *cobra.Command, path string) (io.ReadCloser, error) {
	if path == "-" {
		return io.NopCloser(cmd.InOrStdin()), nil
	}
	return os.Open(path)
}

// lines reads records, one a line, and calls fn with as many as are tried at once and the
// number of the first.
func lines(in io.Reader, newline bool, fn func(first int, records [][]byte) error) error {
	r := bufio.NewReader(in)
	var records [][]byte
	first, size := 0, 0
	flush := func() error {
		if len(records) == 0 {
			return nil
		}
		err := fn(first, records)
		first, size, records = first+len(records), 0, nil
		return err
	}
	for {
		line, err := r.ReadBytes('\n')
		if len(line) > 0 {
			if !newline {
				line = []byte(strings.TrimRight(string(line), "\r\n"))
			}
			if len(records) == operate.MaxTrialRecords || size+len(line) > operate.MaxTrialBytes {
				if err := flush(); err != nil {
					return err
				}
			}
			records, size = append(records, slices.Clone(line)), size+len(line)
		}
		if errors.Is(err, io.EOF) {
			return flush()
		}
		if err != nil {
			return err
		}
	}
}

// show prints one record for people.
func (t *try) show(w io.Writer, f operate.Fate) error {
	text := ""
	switch f.Result {
	case operate.Dropped:
		text = "dropped"
	case operate.Failed:
		text = fmt.Sprintf("failed: %s: %s\n    to s3://%s/%s", f.Code, operate.Printable(f.Message), f.Bucket, f.Key)
	default:
		text = fmt.Sprintf("%s\n    to s3://%s/%s", operate.Printable(strings.TrimSuffix(string(f.Data), "\n")), f.Bucket, f.Key)
	}
	if keys := slices.Concat(keysOf(f.Queried), keysOf(f.Keys)); len(keys) > 0 {
		text += "\n    with keys " + strings.Join(keys, ", ")
	}
	_, err := fmt.Fprintf(w, "%d: %s\n", f.Record+1, text)
	return err
}

// keysOf writes partition keys, by name.
func keysOf(keys map[string]string) (all []string) {
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		all = append(all, operate.Printable(name+"="+keys[name]))
	}
	return all
}

// finish prints the sums, or all of it for programs.
func (t *try) finish(w io.Writer, all []operate.Fate) error {
	failed := t.counts[operate.Failed]
	if t.asJSON {
		if err := t.printJSON(all); err != nil {
			return err
		}
	} else if _, err := fmt.Fprintf(w, "%d delivered, %d dropped, %d failed\n",
		t.counts[operate.Delivered], t.counts[operate.Dropped], failed); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d records would go to the error output", failed)
	}
	return nil
}
