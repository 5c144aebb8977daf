package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"

	"hydrant/internal/config"
	"hydrant/internal/node"
)

func newEnv() *cobra.Command {
	var data string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "env",
		Short:   "Print the environment that points AWS tools at a node",
		Long:    "Print shell commands that set AWS_ENDPOINT_URL, the region and the root credentials of the node\nthat runs on a data directory. The secret key is among them: print it only into eval.",
		Example: "  eval \"$(hydrant env)\"\n  aws s3 ls",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return printEnv(cmd.OutOrStdout(), data, asJSON)
		},
	}
	cmd.Flags().StringVar(&data, "data", config.Defaults().Data, "data `directory` of the node")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printEnv(w io.Writer, data string, asJSON bool) error {
	a, keys, err := node.ReadAddress(data)
	if err != nil {
		return fmt.Errorf("%w; start one with: hydrant serve --data %s", err, word(data))
	}
	vars := [][2]string{
		{"AWS_ENDPOINT_URL", a.URL()},
		{"AWS_ACCESS_KEY_ID", keys.AccessKeyID},
		{"AWS_SECRET_ACCESS_KEY", string(keys.Secret)},
		{"AWS_REGION", a.Region},
		{"AWS_DEFAULT_REGION", a.Region},
	}
	if asJSON {
		m := map[string]string{}
		for _, v := range vars {
			m[v[0]] = v[1]
		}
		return json.MarshalWrite(w, m, json.Deterministic(true))
	}
	for _, v := range vars {
		fmt.Fprintf(w, "export %s=%s\n", v[0], quote(v[1]))
	}
	// A session token of another account would travel with these keys and be refused.
	fmt.Fprintln(w, "unset AWS_SESSION_TOKEN AWS_PROFILE")
	return nil
}

// quote makes s one word of a POSIX shell.
func quote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// word is s as it stands in a command line that is shown to people: quoted only if it has to be.
func word(s string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./,:@%+="
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return quote(s)
}
