package lambda

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
)

// edit changes a function: do works on a copy and stores it, then the copy takes the place.
func (s *Service) edit(q *request, revision string, do func(st *stored) error) (*function, error) {
	s.change.Lock()
	defer s.change.Unlock()
	f, err := s.find(q.target)
	if err != nil {
		return nil, err
	}
	if revision != "" && revision != f.Configuration.RevisionID {
		return nil, fmt.Errorf("%w: %s", ErrRevision, q.target.name)
	}
	changed := &function{f.stored, f.pool}
	if err := do(&changed.stored); err != nil {
		return nil, err
	}
	s.put(changed)
	return changed, nil
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
	if err := s.allow(q, "UpdateFunctionCode"); err != nil {
		return 0, nil, err
	}
	var in updateCodeInput
	if err := q.decode(&in); err != nil {
		return 0, nil, err
	}
	if in.ImageURI != "" {
		return 0, nil, fmt.Errorf("%w: functions here are zips; container images are not run", ErrInvalid)
	}
	data, err := s.code(q, &in.source)
	if err != nil {
		return 0, nil, err
	}
	if in.DryRun {
		return s.tryCode(q, data)
	}
	f, err := s.edit(q, in.RevisionID, func(st *stored) error {
		if len(in.Architectures) > 0 {
			st.Configuration.Architectures = in.Architectures
		}
		return s.store(st, data)
	})
	if err != nil {
		return 0, nil, err
	}
	f.pool.change(s.revision(&f.stored))
	return http.StatusOK, &f.Configuration, nil
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
	if err := s.allow(q, "UpdateFunctionConfiguration"); err != nil {
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
	f, err := s.edit(q, in.RevisionID, func(st *stored) error {
		in.settings.apply(&st.Configuration)
		st.Configuration.stamp(s.opt.Now())
		return s.folder.write(q.target.name, st)
	})
	if err != nil {
		return 0, nil, err
	}
	f.pool.change(s.revision(&f.stored))
	return http.StatusOK, &f.Configuration, nil
}

// deleteFunction serves DeleteFunction.
func (s *Service) deleteFunction(q *request) (int, any, error) {
	if err := s.allow(q, "DeleteFunction"); err != nil {
		return 0, nil, err
	}
	s.change.Lock()
	defer s.change.Unlock()
	f, err := s.find(q.target)
	if err != nil {
		return 0, nil, err
	}
	if q.target.qualifier != "" {
		return 0, nil, fmt.Errorf("%w: $LATEST version cannot be deleted without deleting the function", ErrInvalid)
	}
	s.mu.Lock()
	delete(s.functions, q.target.name)
	s.mu.Unlock()
	f.pool.close(fmt.Errorf("%w: %s", ErrNotFound, q.target.name))
	if err := s.folder.remove(q.target.name); err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, nil
}
