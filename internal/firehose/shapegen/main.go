// Command shapegen writes the tables that judge requests: the inputs of all operations of the
// Firehose API, and every shape they reach, from the service model of the AWS SDK for Python.
//
//	shapegen -model FILE [-out FILE]
//
// Words of this command:
//
//   - Model: the SDK's file service-2.json, or service-2.json.gz.
//   - Shape: what the model says of a value. It has a name, a type and constraints.
//   - Override: where the service itself was seen to differ from its model (spec section
//     1.7). All of them are in overrides.go.
//   - Matcher: a Go function of package firehose, written by hand, for a pattern that Go's
//     regular expressions cannot say.
package main

import (
	"errors"
	"flag"
	"log"
	"os"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("shapegen: ")
	path := flag.String("model", "", "the `file` service-2.json of the SDK, or service-2.json.gz")
	out := flag.String("out", "shapes_generated.go", "the `file` to write")
	flag.Parse()
	if err := run(*path, *out); err != nil {
		log.Fatal(err)
	}
}

func run(path, out string) error {
	if path == "" {
		return errors.New("no model: say -model FILE")
	}
	m, err := read(path)
	if err != nil {
		return err
	}
	source, err := generate(m)
	if err != nil {
		return err
	}
	return os.WriteFile(out, source, 0o644)
}
