package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"hydrant/internal/operate"
)

func newSchema() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Propose, create and show the tables that records are converted by",
		Long: "Tables of the node's Glue Data Catalog say which columns a stream writes when it converts records to\n" +
			"Parquet or ORC. Propose one of sample records, create it of a file, and look at those there are.",
		Example: "  hydrant schema infer sample.json > clicks.sql\n  hydrant schema create --database web clicks.sql\n" +
			"  hydrant schema list\n  hydrant schema show web.clicks --ddl",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSchemaInfer(), newSchemaCreate(), newSchemaList(), newSchemaShow())
	return cmd
}

// inferring is a run of schema infer.
type inferring struct {
	operator
	options  operate.ProposalOptions
	database string
	records  int
}

func newSchemaInfer() *cobra.Command {
	var i inferring
	cmd := &cobra.Command{
		Use:   "infer FILE|STREAM",
		Short: "Propose a table for sample records, or for those of a stream",
		Long: "Look at sample records and print the CREATE TABLE statement of a table that all of them fit. They are in\n" +
			"a file, JSON documents one after the other or one a line, compressed with gzip or not; - is standard input.\n" +
			"No node is asked. Where there is no such file the name is that of a stream of the node that runs on a data\n" +
			"directory, and its newest records are looked at as they came.\n" +
			"What the records leave open is said in comments, or on standard error with --json.",
		Example: "  hydrant schema infer sample.json\n  zcat events.gz | hydrant schema infer - --table clicks --format orc --json\n" +
			"  hydrant schema infer clicks --records 1000",
		Args: oneSample,
		RunE: func(cmd *cobra.Command, args []string) error { return i.run(cmd, args[0]) },
	}
	i.register(cmd)
	cmd.Flags().Lookup("data").Usage = "data `directory` of the node, for a stream"
	cmd.Flags().Lookup("json").Usage = "print Glue's TableInput"
	cmd.Flags().StringVar(&i.options.Name, "table", "", "`name` of the table (default: that of the file or stream)")
	cmd.Flags().StringVar(&i.database, "database", "", "`name` of its database, for the statement")
	cmd.Flags().StringVar(&i.options.Format, "format", "parquet", "how its objects are written: parquet or orc")
	cmd.Flags().StringVar(&i.options.Location, "location", "", "`URI` of its objects, such as s3://events/clicks/")
	cmd.Flags().IntVar(&i.records, "records", operate.DefaultSampleRecords, "how many of a stream's newest records to look at, up to 1000")
	return cmd
}

// oneFile takes one file and nothing else.
func oneFile(_ *cobra.Command, args []string) error {
	if len(args) != 1 || args[0] == "" {
		return usageError{errors.New("name one file; - is standard input")}
	}
	return nil
}

// oneSample takes one file or stream and nothing else.
func oneSample(_ *cobra.Command, args []string) error {
	if len(args) != 1 || args[0] == "" {
		return usageError{errors.New("name one file or stream; - is standard input, and hydrant streams lists streams")}
	}
	return nil
}

func (i *inferring) run(cmd *cobra.Command, name string) error {
	if f := i.options.Format; f != "parquet" && f != "orc" {
		return usageError{fmt.Errorf("--format is parquet or orc, not %q", f)}
	}
	if i.records < 1 || i.records > operate.MaxSampleRecords {
		return usageError{fmt.Errorf("--records is from 1 to %d, not %d", operate.MaxSampleRecords, i.records)}
	}
	p, err := i.propose(cmd, name)
	if err != nil {
		return err
	}
	if !i.asJSON {
		return operate.PrintProposal(cmd.OutOrStdout(), i.database, p)
	}
	for _, remark := range operate.Remarks(p) {
		fmt.Fprintln(cmd.ErrOrStderr(), remark)
	}
	return writeJSON(cmd.OutOrStdout(), p.Table)
}

// propose makes a table of the file of a name, or of the stream if there is no such file.
func (i *inferring) propose(cmd *cobra.Command, name string) (*operate.Proposal, error) {
	in, err := openInput(cmd, name)
	if errors.Is(err, fs.ErrNotExist) {
		return i.proposeOf(cmd.Context(), name, err)
	}
	if err != nil {
		return nil, err
	}
	defer in.Close()
	if i.options.Name == "" {
		i.options.Name = tableName(name)
	}
	p, err := operate.Propose(in, i.options)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

// proposeOf makes a table of the newest records of a stream. absent says that no file has the
// name.
func (i *inferring) proposeOf(ctx context.Context, name string, absent error) (*operate.Proposal, error) {
	if strings.ContainsRune(name, filepath.Separator) {
		return nil, absent // no stream can be meant
	}
	client, err := i.connect()
	if err != nil {
		return nil, fmt.Errorf("%w; nor can a stream be meant: %w", absent, err)
	}
	records, err := client.Sample(ctx, name, i.records)
	if err != nil {
		return nil, i.explainSample(name, absent, err)
	}
	if i.options.Name == "" {
		i.options.Name = tableName(strings.ReplaceAll(name, ".", "_"))
	}
	p, err := operate.ProposeOf(records, i.options)
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", name, err)
	}
	return p, nil
}

// explainSample adds the next step to an error about the records of a stream.
func (i *inferring) explainSample(name string, absent, err error) error {
	switch {
	case errors.Is(err, operate.ErrNoStream):
		return fmt.Errorf("%w; nor is there such a stream: %w", absent, i.explain(err))
	case errors.Is(err, operate.ErrNoSample):
		return fmt.Errorf("%w: what was delivered is forgotten soon; keep what comes next with: %s",
			err, i.command("pause", name))
	case errors.Is(err, operate.ErrSealed):
		return fmt.Errorf("%w; enable the key, or give a file with samples", err)
	}
	return i.explain(err)
}

// tableName makes the name of a table of that of a file: what Hive allows without quotes.
func tableName(path string) string {
	base, _, _ := strings.Cut(filepath.Base(path), ".")
	name := strings.Trim(strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' {
			return r
		}
		return '_'
	}, strings.ToLower(base)), "_")
	if name == "" {
		return "records"
	}
	return name
}

// readAll reads a file whole, if it is not larger than most bytes.
func readAll(in io.Reader, most int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(in, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("it is larger than %d MiB", most>>20)
	}
	return text, err
}
