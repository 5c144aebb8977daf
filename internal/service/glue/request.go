package glue

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"hydrant/internal/aws"
)

// input is the body of a request.
type input interface {
	// about says which database and table the request is about; either may be empty.
	about() (database, table string)
	// check looks at each member by itself.
	check(v *violations)
}

// handle makes an operation of its work: decode, authorise, check, then do (spec firehose.md
// section 1.6 rule 2).
func handle[In any, Out any, P interface {
	*In
	input
}](s *Service, do func(context.Context, *In) (Out, error)) aws.Operation {
	return func(ctx context.Context, c *aws.Call) error {
		in := new(In)
		if err := json.Unmarshal(c.Body, in); err != nil {
			return answer("SerializationException", "", http.StatusBadRequest)
		}
		for _, resource := range s.resources(P(in).about()) {
			if err := c.Allow(ctx, resource); err != nil {
				return err
			}
		}
		var v violations
		if P(in).check(&v); len(v) > 0 {
			return s.explain(c.Operation, v.err())
		}
		out, err := do(withCaller(ctx, c), in)
		if err != nil {
			return s.explain(c.Operation, err)
		}
		text, err := json.Marshal(out, json.Deterministic(true))
		if err != nil {
			return fmt.Errorf("encode the answer of %s: %w", c.Operation, err)
		}
		c.Out = append(c.Out, text...)
		return nil
	}
}

// callerKey finds who makes a request in its context.
type callerKey struct{}

func withCaller(ctx context.Context, c *aws.Call) context.Context {
	return context.WithValue(ctx, callerKey{}, c.ARN())
}

// caller is the ARN of who makes the request.
func caller(ctx context.Context) string {
	arn, _ := ctx.Value(callerKey{}).(string)
	return arn
}

// nothing is an answer without members.
type nothing struct{}

// ofCatalog is embedded in inputs that are about the whole catalogue.
type ofCatalog struct {
	CatalogID string `json:"CatalogId"`
}

func (in *ofCatalog) about() (database, table string) { return "", "" }

func (in *ofCatalog) check(v *violations) { v.text("catalogId", in.CatalogID, 0, 255, lineForm) }

// inDatabase is embedded in inputs that are about a database and what is in it.
type inDatabase struct {
	ofCatalog
	DatabaseName string
}

func (in *inDatabase) about() (database, table string) { return in.DatabaseName, "" }

func (in *inDatabase) check(v *violations) {
	in.ofCatalog.check(v)
	v.name("databaseName", in.DatabaseName)
}

// inTable is embedded in inputs that are about a table and what belongs to it.
type inTable struct {
	inDatabase
	TableName string
}

func (in *inTable) about() (database, table string) { return in.DatabaseName, in.TableName }

func (in *inTable) check(v *violations) {
	in.inDatabase.check(v)
	v.name("tableName", in.TableName)
}

// Forms of texts: of one line, and of several. Control characters are in neither.
var (
	anyText   *regexp.Regexp
	lineForm  = regexp.MustCompile(`^[\t\x{20}-\x{fffd}\x{10000}-\x{10ffff}]*$`)
	linesForm = regexp.MustCompile(`^[\r\n\t\x{20}-\x{fffd}\x{10000}-\x{10ffff}]*$`)
)

// violations are the broken constraints of a request, in the words of spec firehose.md
// section 1.7. No more are told than anyone reads.
type violations []string

// mostViolations is how many are told.
const mostViolations = 20

func (v *violations) add(path, constraint string, args ...any) {
	if len(*v) < mostViolations {
		*v = append(*v, "Value at '"+path+"' failed to satisfy constraint: "+fmt.Sprintf(constraint, args...))
	}
}

// name checks a name that must be there.
func (v *violations) name(path, value string) { v.text(path, value, 1, 255, lineForm) }

// text checks a text; least 0 lets it be absent.
func (v *violations) text(path, value string, least, most int, form *regexp.Regexp) {
	n := utf8.RuneCountInString(value)
	switch {
	case n == 0 && least > 0:
		v.add(path, "Member must not be null")
	case n > most:
		v.add(path, "Member must have length less than or equal to %d", most)
	case form != nil && !form.MatchString(value):
		v.add(path, "Member must satisfy regular expression pattern: %s", strings.Trim(form.String(), "^$"))
	}
}

// number checks a number that may be absent.
func (v *violations) number(path string, value *int, least, most int) {
	switch {
	case value == nil:
	case *value < least:
		v.add(path, "Member must have value greater than or equal to %d", least)
	case *value > most:
		v.add(path, "Member must have value less than or equal to %d", most)
	}
}

// count checks the length of a list.
func (v *violations) count(path string, n, most int) {
	if n > most {
		v.add(path, "Member must have length less than or equal to %d", most)
	}
}

// texts checks the members of a list.
func (v *violations) texts(path string, values []string, least, most int) {
	for i, value := range values {
		v.text(path+"."+strconv.Itoa(i+1)+".member", value, least, most, anyText)
	}
}

// parameters checks a map of texts.
func (v *violations) parameters(path string, values map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if key == "" || utf8.RuneCountInString(key) > 255 || !lineForm.MatchString(key) {
			v.add(path, "Map keys must satisfy constraint: [Member must have length less than or equal to 255, "+
				"Member must have length greater than or equal to 1]")
		}
		v.text(path+"."+clip(key)+".member", values[key], 0, 512000, anyText)
	}
}

func (v violations) err() error {
	s := "s"
	if len(v) == 1 {
		s = ""
	}
	return refuse(Invalid, "%d validation error%s detected: %s", len(v), s, strings.Join(v, "; "))
}
