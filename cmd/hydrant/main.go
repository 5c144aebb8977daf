// Command hydrant is Amazon Data Firehose on your own machines: records put through the
// Firehose API are on disk before the answer, and in an object store exactly once.
//
// Each subcommand is a file of its own and holds flags and words only; what it does is in
// the rooms below internal/.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes, the same for every subcommand.
const (
	exitOK     = 0
	exitFailed = 1 // what was asked could not be done; the message says why
	exitUsage  = 2 // the command line or the configuration cannot be used
	exitDamage = 3 // doctor: the data directory holds damage
)

// usageError is an error of the command line or the configuration.
type usageError struct{ error }

// Unwrap returns what is wrong.
func (e usageError) Unwrap() error { return e.error }

// exitError ends the process with a code of its own, after its message was printed.
type exitError int

// Error names the code.
func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	root := newRoot()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var code exitError
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &usage):
		fmt.Fprintf(os.Stderr, "hydrant: %v\nSee hydrant --help.\n", err)
		return exitUsage
	}
	fmt.Fprintf(os.Stderr, "hydrant: %v\n", err)
	return exitFailed
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "hydrant",
		Short:         "Amazon Data Firehose on your own machines",
		Long:          "Hydrant takes records through the Firehose API, has them on disk before it answers,\nand delivers them to an object store exactly once.",
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(newServe(), newEnv(), newDemo(), newDoctor(), newStreams(), newFlush(), newPause(), newResume(), newTry(), newBlueprint(), newSchema())
	return root
}

// version is what the binary was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "devel"
	}
	return info.Main.Version
}
