package lambda

import (
	"errors"
	"fmt"
	"net/http"
)

type createInput struct {
	FunctionName  string
	Code          source
	Publish       bool
	PackageType   string
	Architectures []string
	Tags          map[string]string
	settings
}

func (in *createInput) check() error {
	var v violations
	if in.Role == nil {
		v.add("role", "null", "Member must not be null")
	}
	in.settings.check(&v)
	if in.PackageType != "" {
		v.oneOf("packageType", in.PackageType, "Zip", "Image")
	}
	for _, a := range in.Architectures {
		v.oneOf("architectures", a, "x86_64", "arm64")
	}
	if err := v.err(); err != nil {
		return err
	}
	switch {
	case in.PackageType == "Image" || in.Code.ImageURI != "":
		return fmt.Errorf("%w: functions here are zips; container images are not run", ErrInvalid)
	case in.Runtime == nil || *in.Runtime == "" || in.Handler == nil || *in.Handler == "":
		return fmt.Errorf("%w: runtime and handler are mandatory parameters for functions created with deployment packages", ErrInvalid)
	}
	if err := checkTags(in.Tags); err != nil {
		return err
	}
	return in.settings.judge()
}

// createFunction serves CreateFunction.
func (s *Service) createFunction(q *request) (int, any, error) {
	var in createInput
	if err := q.decode(&in); err != nil {
		return 0, nil, err
	}
	t, err := s.parse(in.FunctionName)
	if err != nil {
		return 0, nil, err
	}
	t.qualifier, q.target = "", t
	if err := s.allow(q, "CreateFunction"); err != nil {
		return 0, nil, err
	}
	if err := in.check(); err != nil {
		return 0, nil, err
	}
	if err := q.caller.Authorize(q.Context(), "iam:PassRole", *in.Role); err != nil {
		return 0, nil, err
	}
	data, done, err := s.code(q, &in.Code)
	if err != nil {
		return 0, nil, err
	}
	defer done()
	c, err := s.create(t.name, &in, data)
	return http.StatusCreated, c, err
}

// create makes a function, and its first version if that is asked for. The answer is then
// that version's, but for its ARN.
func (s *Service) create(name string, in *createInput, data []byte) (*Configuration, error) {
	s.change.Lock()
	defer s.change.Unlock()
	if _, err := s.find(target{name: name}); !errors.Is(err, ErrNotFound) {
		if err == nil {
			err = fmt.Errorf("%w: %s", ErrExists, name)
		}
		return nil, err
	}
	st := stored{Tags: in.Tags}
	st.Configuration = Configuration{FunctionName: name, FunctionArn: s.arn(name), Architectures: in.Architectures}
	in.settings.apply(&st.Configuration)
	if err := s.store(&st, data); err != nil {
		return nil, errors.Join(err, s.folder.remove(name))
	}
	f := s.newFunction(&st)
	s.put(f)
	if !in.Publish {
		return &st.Configuration, nil
	}
	published, err := s.publishNow(target{name: name})
	if err != nil {
		return nil, err
	}
	c := *published
	c.FunctionArn = s.arn(name)
	return &c, nil
}
