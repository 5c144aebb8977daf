package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"hydrant/internal/operate"
)

func newSchemaList() *cobra.Command {
	var o operator
	cmd := &cobra.Command{
		Use:     "list [DATABASE]",
		Short:   "List the tables of the catalogue, or of one database",
		Example: "  hydrant schema list\n  hydrant schema list web --json",
		Args:    cobra.MaximumNArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return o.listTables(cmd, args) },
	}
	o.register(cmd)
	return cmd
}

// tableList is what --json prints.
type tableList struct {
	Tables []operate.TableEntry `json:"tables"`
}

func (o *operator) listTables(cmd *cobra.Command, databases []string) error {
	catalog, err := o.catalog()
	if err != nil {
		return err
	}
	if len(databases) == 0 {
		if databases, err = catalog.Databases(cmd.Context()); err != nil {
			return o.explainTable(err)
		}
	}
	all := []operate.TableEntry{}
	for _, d := range databases {
		tables, err := catalog.Tables(cmd.Context(), d)
		if err != nil {
			return o.explainTable(err)
		}
		all = append(all, tables...)
	}
	switch {
	case o.asJSON:
		return o.printJSON(tableList{all})
	case len(all) == 0:
		_, err := fmt.Fprintf(cmd.OutOrStdout(), "There are no tables yet. To make one:\n  %s schema infer sample.json > t.sql\n"+
			"  %s --database web --create-database t.sql\n", programName(), o.command("schema create"))
		return err
	}
	return operate.PrintTables(cmd.OutOrStdout(), all)
}

func newSchemaShow() *cobra.Command {
	var o operator
	var ddl bool
	cmd := &cobra.Command{
		Use:     "show DATABASE.TABLE",
		Short:   "Show a table: its columns, or the statement that makes it",
		Example: "  hydrant schema show web.clicks\n  hydrant schema show web.clicks --ddl",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || !strings.Contains(args[0], ".") {
				return usageError{errors.New("name one table as database.table; hydrant schema list lists them")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if ddl && o.asJSON {
				return usageError{errors.New("--ddl prints a statement, and --json what Glue tells")}
			}
			return o.showTable(cmd, args[0], ddl)
		},
	}
	o.register(cmd)
	cmd.Flags().BoolVar(&ddl, "ddl", false, "print the CREATE TABLE statement")
	return cmd
}

func (o *operator) showTable(cmd *cobra.Command, name string, ddl bool) error {
	catalog, err := o.catalog()
	if err != nil {
		return err
	}
	database, table, _ := strings.Cut(name, ".")
	known, err := catalog.Table(cmd.Context(), database, table)
	switch {
	case err != nil:
		return o.explainTable(err)
	case o.asJSON:
		return o.printJSON(known.Text)
	case ddl:
		_, err := fmt.Fprint(cmd.OutOrStdout(), known.DDL())
		return err
	}
	return known.Print(cmd.OutOrStdout())
}
