package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"hydrant/internal/process/blueprint"
)

func newBlueprint() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "blueprint",
		Short: "List, explain and try the functions that are compiled in",
		Long: "A blueprint is a function of one record that is compiled in: it runs where the Lambda processor of a\n" +
			"stream names a function of its name. None of these commands needs a node.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newBlueprintList(), newBlueprintShow(), newBlueprintTry())
	return cmd
}

func newBlueprintList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the blueprints",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all := blueprint.All()
			if asJSON {
				return printLine(cmd.OutOrStdout(), blueprintList{all})
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "NAME\tWHAT IT MAKES OF A RECORD")
			for i := range all {
				fmt.Fprintf(w, "%s\t%s\n", all[i].Name, all[i].Summary())
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// blueprintList is what list --json prints.
type blueprintList struct {
	Blueprints []blueprint.Blueprint `json:"blueprints"`
}

func newBlueprintShow() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:               "show NAME",
		Short:             "Explain a blueprint: its fields and an example",
		Example:           "  hydrant blueprint show hydrant-syslog-to-json",
		Args:              nameAnd(0),
		ValidArgsFunction: completeBlueprint,
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := findBlueprint(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return printLine(cmd.OutOrStdout(), b)
			}
			return showBlueprint(cmd.OutOrStdout(), b)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// nameAnd takes the name of a blueprint and so many files.
func nameAnd(files int) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return usageError{errors.New("name a blueprint; hydrant blueprint list lists them")}
		case len(args) < 1+files:
			return usageError{errors.New("name a file of records, or - for the input")}
		case len(args) > 1+files:
			return usageError{fmt.Errorf("%q is too much", args[1+files])}
		}
		return nil
	}
}

func findBlueprint(name string) (blueprint.Blueprint, error) {
	b, ok := blueprint.Find(name)
	if !ok {
		return b, usageError{fmt.Errorf("there is no blueprint %q; hydrant blueprint list lists them", name)}
	}
	return b, nil
}

// completeBlueprint gives the shell the names of blueprints, and files behind them.
func completeBlueprint(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	var names []string
	for _, b := range blueprint.All() {
		names = append(names, b.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// showBlueprint explains a blueprint to people.
func showBlueprint(out io.Writer, b blueprint.Blueprint) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s\n%s\n", b.Name, b.Description)
	if len(b.Aliases) > 0 {
		fmt.Fprintf(w, "\nAlso called: %s\n", strings.Join(b.Aliases, ", "))
	}
	if len(b.Fields) > 0 {
		fmt.Fprint(w, "\nFields:\n")
	}
	for _, f := range b.Fields {
		fmt.Fprintf(w, "  %s\t%s\n", f.Name, f.Meaning)
	}
	record := "A record"
	if b.Example.Gzipped {
		record = "The gzip of"
	}
	fmt.Fprintf(w, "\n%s:\n%s\nbecomes:\n%s\n", record, indented(b.Example.Input), indented(b.Example.Output))
	return w.Flush()
}

// indented is the lines of a text, set in.
func indented(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n  ")
}

// printLine writes v as a line of JSON.
func printLine(w io.Writer, v any) error {
	b, err := json.Marshal(v, jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", b)
	return err
}
