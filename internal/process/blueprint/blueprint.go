package blueprint

import "strings"

// Result is what a function says of a record.
type Result uint8

// The results, named as functions spell them.
const (
	Ok               Result = iota // the output goes on
	Dropped                        // the record disappears, on purpose
	ProcessingFailed               // the record goes to the error output as it came
)

// String returns the word by which functions answer.
func (r Result) String() string {
	switch r {
	case Ok:
		return "Ok"
	case Dropped:
		return "Dropped"
	}
	return "ProcessingFailed"
}

// Blueprint is a function of one record. All lists them; the zero Blueprint is none. Its JSON
// is for programs that look at the list.
type Blueprint struct {
	Name        string   `json:"name"`
	Aliases     []string `json:"aliases,omitempty"` // other names of functions that do the same
	Description string   `json:"description"`       // for people: a short sentence, then others
	Fields      []Field  `json:"fields,omitempty"`  // of the output, in their order; nil if it has none
	Example     Example  `json:"example"`

	transform transform
	identity  bool // output and input are the same bytes
}

// Summary returns the first sentence of the description.
func (b *Blueprint) Summary() string {
	first, _, _ := strings.Cut(b.Description, ". ")
	return strings.TrimSuffix(first, ".")
}

// Field is a member or a column of a blueprint's output.
type Field struct {
	Name    string `json:"name"`
	Meaning string `json:"meaning"`
}

// Example is a record and what becomes of it.
type Example struct {
	Input   string `json:"input"`
	Output  string `json:"output"`
	Gzipped bool   `json:"gzipped,omitzero"` // the record is the gzip of Input
}

// transform appends the output to dst if the result is Ok, and else returns dst as it was
// and, if the record failed, the reason.
type transform func(dst, data []byte) (out []byte, result Result, reason string)

// Transform appends to dst what the function makes of a record. If the result is not Ok, out
// is dst; if it is ProcessingFailed, reason says why. Blueprints may be used by many
// goroutines at once.
func (b *Blueprint) Transform(dst, data []byte) (out []byte, result Result, reason string) {
	return b.transform(dst, data)
}

// Find returns the blueprint of a name, an alias, or the ARN of a function that is called so.
// Blueprints have no versions and no aliases of Lambda's kind: an ARN may say $LATEST, nothing
// else.
func Find(nameOrARN string) (Blueprint, bool) {
	name := nameOrARN
	if strings.HasPrefix(name, "arn:") {
		name = functionName(name)
	}
	if name == "" {
		return Blueprint{}, false
	}
	for _, b := range All() {
		if b.is(name) {
			return b, true
		}
	}
	return Blueprint{}, false
}

func (b *Blueprint) is(name string) bool {
	for _, alias := range b.Aliases {
		if alias == name {
			return true
		}
	}
	return b.Name == name
}

// functionName is the name in arn:PARTITION:lambda:REGION:ACCOUNT:function:NAME[:$LATEST], or
// nothing.
func functionName(arn string) string {
	p := strings.Split(arn, ":")
	if len(p) == 8 && p[7] == "$LATEST" {
		p = p[:7]
	}
	if len(p) != 7 || p[2] != "lambda" || p[5] != "function" {
		return ""
	}
	return p[6]
}

// failed is the answer of a transform that has not begun to write.
func failed(dst []byte, reason string) ([]byte, Result, string) {
	return dst, ProcessingFailed, reason
}

// general is the template that people start from: it changes nothing.
func general(dst, data []byte) ([]byte, Result, string) {
	return append(dst, data...), Ok, ""
}
