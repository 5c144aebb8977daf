package lambda

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
)

// edit changes a function: do works on a copy and stores it, then the copy takes the place.
// What do changes must not be shared with the original: maps and slices are cloned.
func (s *Service) edit(q *request, revision string, do func(f *function) error) (*function, error) {
	s.change.Lock()
	defer s.change.Unlock()
	return s.alter(q.target, revision, do)
}

// alter is edit for who holds change.
func (s *Service) alter(t target, revision string, do func(f *function) error) (*function, error) {
	f, err := s.find(t)
	if err != nil {
		return nil, err
	}
	if revision != "" && revision != f.Configuration.RevisionID {
		return nil, fmt.Errorf("%w: %s", ErrRevision, t.name)
	}
	changed := *f
	if err := do(&changed); err != nil {
		return nil, err
	}
	s.put(&changed)
	if changed.Configuration.RevisionID != f.Configuration.RevisionID {
		changed.pool.change(s.revision(&changed.Configuration, changed.Code))
	}
	return &changed, nil
}

// publishNow publishes what a function is. change is held.
func (s *Service) publishNow(t target) (c *Configuration, err error) {
	_, err = s.alter(t, "", func(f *function) error {
		c, err = s.publish(f, nil)
		return err
	})
	return c, err
}

type updateCodeInput struct {
	source
	Publish       bool
	DryRun        bool
	RevisionID    string `json:"RevisionId"`
	Architectures []string
}

// updateCode serves UpdateFunctionCode.
func (s *Service) updateCode(q *request) (int, any, error) {
	if err := s.allowWhole(q, "UpdateFunctionCode"); err != nil {
		return 0, nil, err
	}
	var in updateCodeInput
	if err := q.decode(&in); err != nil {
		return 0, nil, err
	}
	if in.ImageURI != "" {
		return 0, nil, fmt.Errorf("%w: functions here are zips; container images are not run", ErrInvalid)
	}
	var v violations
	for _, a := range in.Architectures {
		v.oneOf("architectures", a, "x86_64", "arm64")
	}
	if err := v.err(); err != nil {
		return 0, nil, err
	}
	data, done, err := s.code(q, &in.source)
	if err != nil {
		return 0, nil, err
	}
	defer done()
	if in.DryRun {
		return s.tryCode(q, data)
	}
	c, err := s.replaceCode(q, &in, data)
	return http.StatusOK, c, err
}

// replaceCode gives a function other code, and publishes that if asked to.
func (s *Service) replaceCode(q *request, in *updateCodeInput, data []byte) (*Configuration, error) {
	s.change.Lock()
	defer s.change.Unlock()
	f, err := s.alter(q.target, in.RevisionID, func(f *function) error {
		if len(in.Architectures) > 0 {
			f.Configuration.Architectures = in.Architectures
		}
		return s.store(&f.stored, data)
	})
	if err != nil {
		return nil, err
	}
	if !in.Publish {
		return &f.Configuration, nil
	}
	return s.publishNow(q.target)
}

// tryCode tells what a change of code would give, without changing anything.
func (s *Service) tryCode(q *request, data []byte) (int, any, error) {
	f, err := s.find(q.target)
	if err != nil {
		return 0, nil, err
	}
	sum := sha256.Sum256(data)
	code, err := s.folder.unpack(q.target.name, data, sum)
	if err != nil {
		return 0, nil, err
	}
	if err := s.folder.removeCode(q.target.name, code); err != nil {
		return 0, nil, err
	}
	c := f.Configuration
	c.CodeSize, c.CodeSha256 = int64(len(data)), base64.StdEncoding.EncodeToString(sum[:])
	return http.StatusOK, &c, nil
}

type updateConfigurationInput struct {
	settings
	RevisionID string `json:"RevisionId"`
}

// updateConfiguration serves UpdateFunctionConfiguration.
func (s *Service) updateConfiguration(q *request) (int, any, error) {
	if err := s.allowWhole(q, "UpdateFunctionConfiguration"); err != nil {
		return 0, nil, err
	}
	var in updateConfigurationInput
	if err := q.decode(&in); err != nil {
		return 0, nil, err
	}
	var v violations
	in.settings.check(&v)
	if err := v.err(); err != nil {
		return 0, nil, err
	}
	if err := in.settings.judge(); err != nil {
		return 0, nil, err
	}
	if in.Role != nil {
		if err := q.caller.Authorize(q.Context(), "iam:PassRole", *in.Role); err != nil {
			return 0, nil, err
		}
	}
	f, err := s.edit(q, in.RevisionID, func(f *function) error {
		in.settings.apply(&f.Configuration)
		f.Configuration.stamp(s.opt.Now())
		return s.folder.write(q.target.name, &f.stored)
	})
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, &f.Configuration, nil
}

// deleteFunction serves DeleteFunction: of a function with all its versions, or with a
// qualifier of that version.
func (s *Service) deleteFunction(q *request) (int, any, error) {
	if err := s.allow(q, "DeleteFunction"); err != nil {
		return 0, nil, err
	}
	if q.target.qualifier != "" {
		return http.StatusNoContent, nil, s.deleteVersion(q)
	}
	s.change.Lock()
	defer s.change.Unlock()
	f, err := s.find(q.target)
	if err != nil {
		return 0, nil, err
	}
	s.mu.Lock()
	delete(s.functions, q.target.name)
	s.mu.Unlock()
	f.close(fmt.Errorf("%w: %s", ErrNotFound, q.target.name))
	if err := s.folder.remove(q.target.name); err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, nil
}
