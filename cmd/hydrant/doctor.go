package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"hydrant/internal/config"
	"hydrant/internal/doctor"
)

func newDoctor() *cobra.Command {
	var o doctor.Options
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check a data directory, and repair it if asked",
		Long: "Read everything in a data directory on which no node runs, and say what it holds, what is still\n" +
			"to be delivered and what is damaged. Nothing is changed without --repair, which does what a\n" +
			"starting node does: it brings back what can be read and sets copies of damaged files aside.\n" +
			"Exit code 0: healthy; 3: damaged; 1: it could not be examined.",
		Example: "  hydrant doctor\n  hydrant doctor --data /var/lib/hydrant --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return examine(cmd, o, asJSON)
		},
	}
	cmd.Flags().StringVar(&o.Data, "data", config.Defaults().Data, "data `directory`")
	cmd.Flags().BoolVar(&o.Repair, "repair", false, "repair what is damaged before reporting")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	return cmd
}

func examine(cmd *cobra.Command, o doctor.Options, asJSON bool) error {
	r, err := doctor.Examine(cmd.Context(), o)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if asJSON {
		b, err := json.Marshal(r, jsontext.Multiline(true), json.Deterministic(true))
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "%s\n", b); err != nil {
			return err
		}
	} else {
		again := programName() + " doctor"
		if cmd.Flags().Changed("data") {
			again += " --data " + shellWord(o.Data)
		}
		if err := r.Print(out, time.Now(), again); err != nil {
			return err
		}
	}
	if !r.Healthy {
		return exitError(exitDamage)
	}
	return nil
}

// programName is how the user calls this program, as a word of the shell.
func programName() string {
	if program := os.Args[0]; strings.ContainsRune(program, os.PathSeparator) {
		return shellWord(program)
	}
	return "hydrant"
}
