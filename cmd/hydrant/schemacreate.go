package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"hydrant/internal/operate"
)

// creating is a run of schema create.
type creating struct {
	operator
	database, table     string
	replace, createBase bool
}

func newSchemaCreate() *cobra.Command {
	var c creating
	cmd := &cobra.Command{
		Use:   "create FILE",
		Short: "Create a table of a CREATE TABLE statement or of Glue's TableInput",
		Long: "Create a table in the catalogue of the node that runs on a data directory. The file holds one CREATE TABLE\n" +
			"statement of Hive, or Glue's TableInput in JSON, as schema infer prints them; - is standard input.\n" +
			"--replace makes a new version of a table that is there. Streams follow without an update of their own.",
		Example: "  hydrant schema create --database web clicks.sql\n  hydrant schema create --database web --table clicks --replace clicks.json",
		Args:    oneFile,
		RunE:    func(cmd *cobra.Command, args []string) error { return c.run(cmd, args[0]) },
	}
	c.register(cmd)
	cmd.Flags().StringVar(&c.database, "database", "", "`name` of the database (default: that in the file)")
	cmd.Flags().StringVar(&c.table, "table", "", "`name` of the table (default: that in the file)")
	cmd.Flags().BoolVar(&c.replace, "replace", false, "replace the definition of a table that is there")
	cmd.Flags().BoolVar(&c.createBase, "create-database", false, "make the database if it is not there")
	return cmd
}

// maxDefinition is how large a file with a definition may be.
const maxDefinition = 4 << 20

func (c *creating) run(cmd *cobra.Command, path string) error {
	d, err := c.definition(path)
	if err != nil {
		return err
	}
	catalog, err := c.catalog()
	if err != nil {
		return err
	}
	if c.createBase {
		if err := catalog.CreateDatabase(cmd.Context(), d.Database); err != nil {
			return c.explainTable(err)
		}
	}
	outcome, err := catalog.Create(cmd.Context(), d, c.replace)
	if err != nil {
		return c.explainTable(err)
	}
	for _, fault := range d.Unusable {
		fmt.Fprintf(cmd.ErrOrStderr(), "warning: no stream can convert to %s\n", operate.Printable(fault))
	}
	full := strings.ToLower(d.Database + "." + d.Name())
	if c.asJSON {
		return c.printJSON(map[string]string{"table": full, "outcome": string(outcome)})
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", operate.Printable(full), outcome)
	return err
}

// definition reads the file, and what flags say beside it.
func (c *creating) definition(path string) (*operate.Definition, error) {
	in, err := openInput(c.cmd, path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	text, err := readAll(in, maxDefinition)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	d, err := operate.ReadDefinition(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if c.database != "" {
		d.Database = c.database
	}
	if c.table != "" {
		d.SetName(c.table)
	}
	switch {
	case d.Database == "":
		return nil, usageError{errors.New("--database is wanted: the file names no database")}
	case d.Name() == "":
		return nil, usageError{errors.New("--table is wanted: the file names no table")}
	}
	return d, nil
}

// catalog is connect for the catalogue of the node.
func (o *operator) catalog() (*operate.Catalog, error) {
	options, err := o.clientOptions()
	if err != nil {
		return nil, err
	}
	return operate.NewCatalog(options), nil
}

// explainTable adds the next step to an error of the catalogue.
func (o *operator) explainTable(err error) error {
	switch {
	case errors.Is(err, operate.ErrNoCatalog):
		return fmt.Errorf("%w (endpoints.glue): tables are made and shown there", err)
	case errors.Is(err, operate.ErrNoDatabase):
		return fmt.Errorf("%w make it with: aws glue create-database --database-input Name=…, or with --create-database of: %s",
			err, o.command("schema create"))
	case errors.Is(err, operate.ErrNoTable):
		return fmt.Errorf("%w see which there are: %s", err, o.command("schema list"))
	case errors.Is(err, operate.ErrTableExists):
		return fmt.Errorf("%w to make a new version of it, add --replace", err)
	}
	return o.explain(err)
}
