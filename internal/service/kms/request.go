package kms

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
	// allow finds what the request is about, and asks whether the caller may.
	allow(ctx context.Context, s *Service, c *aws.Call) error
	// check looks at each member by itself.
	check(v *violations)
}

// handle makes an operation of its work: decode, authorise, check, then do (spec firehose.md
// section 1.6 rule 2).
func handle[In any, Out any, P interface {
	*In
	input
}](s *Service, do func(*In) (Out, error)) aws.Operation {
	return func(ctx context.Context, c *aws.Call) error {
		in := new(In)
		if err := json.Unmarshal(c.Body, in); err != nil {
			return answer("SerializationException", "")
		}
		if err := P(in).allow(ctx, s, c); err != nil {
			return err
		}
		var v violations
		if P(in).check(&v); len(v) > 0 {
			return v.err()
		}
		out, err := do(in)
		if err != nil {
			return s.explain(c.Operation, err)
		}
		text, err := json.Marshal(out)
		if err != nil {
			return fmt.Errorf("encode the answer of %s: %w", c.Operation, err)
		}
		c.Out = append(c.Out, text...)
		clear(text) // it may hold a plaintext
		return nil
	}
}

// nothing is an answer without members.
type nothing struct{}

// general is embedded in inputs that are about no key in particular.
type general struct{}

func (general) allow(ctx context.Context, _ *Service, c *aws.Call) error { return c.Allow(ctx, "*") }

// named is embedded in inputs that are about one key.
type named struct {
	KeyID string `json:"KeyId"`

	key target
}

func (n *named) allow(ctx context.Context, s *Service, c *aws.Call) error {
	n.key = s.find(n.KeyID)
	return c.Allow(ctx, n.key.arn)
}

func (n *named) check(v *violations) { v.text("keyId", n.KeyID, 1, 2048, nil) }

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
	case n > 0 && n < least:
		v.add(path, "Member must have length greater than or equal to %d", least)
	case n > most:
		v.add(path, "Member must have length less than or equal to %d", most)
	case n > 0 && pattern != nil && !pattern.MatchString(value):
		v.add(path, "Member must satisfy regular expression pattern: %s", pattern)
	}
}

// bytes checks a blob that must be there.
func (v *violations) bytes(path string, value []byte, most int) {
	switch {
	case value == nil:
		v.add(path, "Member must not be null")
	case len(value) == 0:
		v.add(path, "Member must have length greater than or equal to 1")
	case len(value) > most:
		v.add(path, "Member must have length less than or equal to %d", most)
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

// tokens checks a list of grant tokens, which are accepted and mean nothing here.
func (v *violations) tokens(tokens []string) {
	if len(tokens) > 10 {
		v.add("grantTokens", "Member must have length less than or equal to 10")
	}
}

// context checks an encryption context.
func (v *violations) context(path string, context map[string]string) {
	n := 0
	for k, value := range context {
		n += len(k) + len(value)
	}
	if n > maxContext {
		v.add(path, "Member must have length less than or equal to %d", maxContext)
	}
}

func (v violations) err() error {
	s := "s"
	if len(v) == 1 {
		s = ""
	}
	return answer(validation, "%d validation error%s detected: %s", len(v), s, strings.Join(v, "; "))
}
