package logs

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"hydrant/internal/aws"
)

// input is the body of a request.
type input interface {
	// resource is what permission is asked for.
	resource(s *Service) string
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
			return answer("SerializationException", "")
		}
		if err := c.Allow(ctx, P(in).resource(s)); err != nil {
			return err
		}
		var v violations
		if P(in).check(&v); len(v) > 0 {
			return v.err()
		}
		out, err := do(ctx, in)
		if err != nil {
			return s.explain(c.Operation, err)
		}
		text, err := json.Marshal(out)
		if err != nil {
			return fmt.Errorf("encode the answer of %s: %w", c.Operation, err)
		}
		c.Out = append(c.Out, text...)
		return nil
	}
}

// nothing is an answer without members.
type nothing struct{}

// ofGroup is embedded in inputs that name a group.
type ofGroup struct {
	Group string `json:"logGroupName"`
}

func (in *ofGroup) resource(s *Service) string { return s.streamARN(in.Group, "") }

func (in *ofGroup) check(v *violations) { v.text("logGroupName", in.Group, 1, 512, groupForm) }

// ofStream is embedded in inputs that name a stream.
type ofStream struct {
	ofGroup
	Stream string `json:"logStreamName"`
}

func (in *ofStream) resource(s *Service) string { return s.streamARN(in.Group, in.Stream) }

func (in *ofStream) check(v *violations) {
	in.ofGroup.check(v)
	v.text("logStreamName", in.Stream, 1, 512, streamForm)
}

// eitherGroup is embedded in inputs that take a group's name or its ARN.
type eitherGroup struct {
	Group      string `json:"logGroupName"`
	Identifier string `json:"logGroupIdentifier"`
}

func (in *eitherGroup) name(s *Service) string {
	if in.Group != "" {
		return in.Group
	}
	return s.groupOf(in.Identifier)
}

func (in *eitherGroup) resource(s *Service) string { return s.streamARN(in.name(s), "") }

func (in *eitherGroup) check(v *violations) {
	v.text("logGroupName", in.Group, 0, 512, groupForm)
	v.text("logGroupIdentifier", in.Identifier, 0, 2048, identifierForm)
}

// one checks that the group is named in one of the two ways.
func (in *eitherGroup) one() error {
	switch {
	case in.Group == "" && in.Identifier == "":
		return answer(invalid, "Either logGroupName or logGroupIdentifier must be specified.")
	case in.Group != "" && in.Identifier != "":
		return answer(invalid, "Only one of logGroupName and logGroupIdentifier can be specified.")
	}
	return nil
}

// violations are the broken constraints of a request, in the words of spec firehose.md
// section 1.7.
type violations []string

func (v *violations) add(path, constraint string, args ...any) {
	*v = append(*v, "Value at '"+path+"' failed to satisfy constraint: "+fmt.Sprintf(constraint, args...))
}

// text checks a text; least 0 lets it be absent.
func (v *violations) text(path, value string, least, most int, pattern *regexp.Regexp) {
	n := utf8.RuneCountInString(value)
	switch {
	case n == 0 && least > 0:
		v.add(path, "Member must not be null")
	case n > most:
		v.add(path, "Member must have length less than or equal to %d", most)
	case n > 0 && pattern != nil && !pattern.MatchString(value):
		v.add(path, "Member must satisfy regular expression pattern: %s", strings.Trim(pattern.String(), "^$"))
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

// time checks a time that may be absent.
func (v *violations) time(path string, value *int64) {
	if value != nil && *value < 0 {
		v.add(path, "Member must have value greater than or equal to 0")
	}
}

// count checks the length of a list that may be absent.
func (v *violations) count(path string, n, least, most int) {
	switch {
	case n < least:
		v.add(path, "Member must have length greater than or equal to %d", least)
	case n > most:
		v.add(path, "Member must have length less than or equal to %d", most)
	}
}

// oneOf checks an enum; empty means absent.
func (v *violations) oneOf(path, value string, set ...string) {
	if value == "" {
		return
	}
	for _, s := range set {
		if s == value {
			return
		}
	}
	v.add(path, "Member must satisfy enum value set: [%s]", strings.Join(set, ", "))
}

func (v violations) err() error {
	s := "s"
	if len(v) == 1 {
		s = ""
	}
	return answer(invalid, "%d validation error%s detected: %s", len(v), s, strings.Join(v, "; "))
}
