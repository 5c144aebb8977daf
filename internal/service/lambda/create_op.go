package lambda

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
)

// source is where code comes from.
type source struct {
	ZipFile         []byte
	S3Bucket        string
	S3Key           string
	S3ObjectVersion string
	ImageURI        string `json:"ImageUri"`
}

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
	data, err := s.code(q, &in.Code)
	if err != nil {
		return 0, nil, err
	}
	s.change.Lock()
	defer s.change.Unlock()
	if _, err := s.find(t); !errors.Is(err, ErrNotFound) {
		if err == nil {
			err = fmt.Errorf("%w: %s", ErrExists, t.name)
		}
		return 0, nil, err
	}
	st := stored{Tags: in.Tags}
	st.Configuration = Configuration{FunctionName: t.name, FunctionArn: s.arn(t.name), Architectures: in.Architectures}
	in.settings.apply(&st.Configuration)
	if err := s.store(&st, data); err != nil {
		return 0, nil, errors.Join(err, s.folder.remove(t.name))
	}
	s.put(&function{st, newPool(s, t.name, s.revision(&st), nil)})
	return http.StatusCreated, &st.Configuration, nil
}

// code returns the zip that a request brings or names.
func (s *Service) code(q *request, from *source) ([]byte, error) {
	switch {
	case from.ZipFile != nil && from.S3Bucket != "":
		return nil, fmt.Errorf("%w: code comes from ZipFile or from S3, not from both", ErrInvalid)
	case from.ZipFile != nil:
		return from.ZipFile, nil
	case from.S3Bucket == "" || from.S3Key == "":
		return nil, fmt.Errorf("%w: the code has to be given as ZipFile, or as S3Bucket and S3Key", ErrInvalid)
	case s.opt.Fetch == nil:
		return nil, fmt.Errorf("%w: this server takes code as ZipFile only", ErrInvalid)
	}
	if err := q.caller.Authorize(q.Context(), "s3:GetObject",
		"arn:"+s.opt.Partition+":s3:::"+from.S3Bucket+"/"+from.S3Key); err != nil {
		return nil, err
	}
	data, err := s.opt.Fetch(q.Context(), from.S3Bucket, from.S3Key, from.S3ObjectVersion)
	if err != nil {
		return nil, fmt.Errorf("%w: Error occurred while GetObject: %w", ErrInvalid, err)
	}
	return data, nil
}

// store unpacks code and makes the function durable with it.
func (s *Service) store(st *stored, data []byte) error {
	c := &st.Configuration
	sum := sha256.Sum256(data)
	code, err := s.folder.unpack(c.FunctionName, data, sum)
	if err != nil {
		return err
	}
	st.Code, c.CodeSize, c.CodeSha256 = code, int64(len(data)), base64.StdEncoding.EncodeToString(sum[:])
	c.stamp(s.opt.Now())
	if err := s.folder.write(c.FunctionName, st); err != nil {
		return errors.Join(err, s.folder.removeCode(c.FunctionName, code))
	}
	return nil
}
