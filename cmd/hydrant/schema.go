package main

import (
	"errors"
	"fmt"
	"io"
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
	options  operate.ProposalOptions
	database string
	asJSON   bool
}

func newSchemaInfer() *cobra.Command {
	var i inferring
	cmd := &cobra.Command{
		Use:   "infer FILE",
		Short: "Propose a table for sample records",
		Long: "Look at sample records, JSON documents one after the other or one a line, compressed with gzip or not,\n" +
			"and print the CREATE TABLE statement of a table that all of them fit. - is standard input. No node is\n" +
			"asked. What the records leave open is said in comments, or on standard error with --json.",
		Example: "  hydrant schema infer sample.json\n  zcat events.gz | hydrant schema infer - --table clicks --format orc --json",
		Args:    oneFile,
		RunE:    func(cmd *cobra.Command, args []string) error { return i.run(cmd, args[0]) },
	}
	cmd.Flags().StringVar(&i.options.Name, "table", "", "`name` of the table (default: that of the file)")
	cmd.Flags().StringVar(&i.database, "database", "", "`name` of its database, for the statement")
	cmd.Flags().StringVar(&i.options.Format, "format", "parquet", "how its objects are written: parquet or orc")
	cmd.Flags().StringVar(&i.options.Location, "location", "", "`URI` of its objects, such as s3://events/clicks/")
	cmd.Flags().BoolVar(&i.asJSON, "json", false, "print Glue's TableInput")
	return cmd
}

// oneFile takes one file and nothing else.
func oneFile(_ *cobra.Command, args []string) error {
	if len(args) != 1 || args[0] == "" {
		return usageError{errors.New("name one file; - is standard input")}
	}
	return nil
}

func (i *inferring) run(cmd *cobra.Command, path string) error {
	if f := i.options.Format; f != "parquet" && f != "orc" {
		return usageError{fmt.Errorf("--format is parquet or orc, not %q", f)}
	}
	if i.options.Name == "" {
		i.options.Name = tableName(path)
	}
	in, err := openInput(cmd, path)
	if err != nil {
		return err
	}
	defer in.Close()
	p, err := operate.Propose(in, i.options)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if !i.asJSON {
		return operate.PrintProposal(cmd.OutOrStdout(), i.database, p)
	}
	for _, remark := range operate.Remarks(p) {
		fmt.Fprintln(cmd.ErrOrStderr(), remark)
	}
	return writeJSON(cmd.OutOrStdout(), p.Table)
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
