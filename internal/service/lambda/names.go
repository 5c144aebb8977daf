package lambda

import (
	"fmt"
	"regexp"
	"strings"

	"hydrant/internal/aws"
)

// latest is the version that every function has.
const latest = "$LATEST"

var (
	nameForm      = regexp.MustCompile(`^[a-zA-Z0-9-_]{1,64}$`)
	qualifierForm = regexp.MustCompile(`^[a-zA-Z0-9$_-]{1,128}$`)
	accountForm   = regexp.MustCompile(`^[0-9]{12}$`)
)

// target is what a request calls a function by.
type target struct {
	name      string
	qualifier string // empty: none was given
}

// arn names a function of this node.
func (s *Service) arn(name string) string {
	return aws.ARN{
		Partition: s.opt.Partition, Service: "lambda", Region: s.opt.Region, Account: s.opt.Account,
		Resource: "function:" + name,
	}.String()
}

// arnOf names a target, with its qualifier if it has one.
func (s *Service) arnOf(t target) string {
	if t.qualifier == "" {
		return s.arn(t.name)
	}
	return s.arn(t.name) + ":" + t.qualifier
}

// parse reads a name, ACCOUNT:function:NAME or an ARN, each with or without :QUALIFIER
// (spec neighbours.md 2.1). A function of another region or account is not found.
func (s *Service) parse(text string) (target, error) {
	rest, err := s.local(text)
	if err != nil {
		return target{}, err
	}
	name, qualifier, qualified := strings.Cut(rest, ":")
	if !nameForm.MatchString(name) || qualified && !qualifierForm.MatchString(qualifier) {
		return target{}, fmt.Errorf("%w: %s is no name of a function", ErrInvalid, clip(text))
	}
	return target{name, qualifier}, nil
}

// local takes off what stands before the name, which has to be ours.
func (s *Service) local(text string) (string, error) {
	if rest, ok := strings.CutPrefix(text, s.arn("")); ok {
		return rest, nil
	}
	if rest, ok := strings.CutPrefix(text, s.opt.Account+":function:"); ok {
		return rest, nil
	}
	account, _, partial := strings.Cut(text, ":function:")
	if partial && (accountForm.MatchString(account) || strings.HasPrefix(text, "arn:")) {
		return "", fmt.Errorf("%w: %s", ErrNotFound, clip(text))
	}
	return text, nil
}

// qualified adds the Qualifier parameter of a request.
func (t target) qualified(parameter string) (target, error) {
	switch {
	case parameter == "":
		return t, nil
	case !qualifierForm.MatchString(parameter):
		return t, fmt.Errorf("%w: %s is no qualifier", ErrInvalid, clip(parameter))
	case t.qualifier != "" && t.qualifier != parameter:
		return t, fmt.Errorf("%w: the derived qualifier from the function name does not match the specified qualifier", ErrInvalid)
	}
	t.qualifier = parameter
	return t, nil
}

// clip bounds what of a request is repeated in an answer.
func clip(s string) string {
	const most = 300
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}
