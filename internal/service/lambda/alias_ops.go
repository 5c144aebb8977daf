package lambda

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
)

type aliasInput struct {
	Name            string
	FunctionVersion *string
	Description     *string
	RoutingConfig   *routing
	RevisionID      string `json:"RevisionId"`
}

// decodeAlias reads and checks what can be checked without the function.
func (q *request) decodeAlias() (*aliasInput, error) {
	var in aliasInput
	if err := q.decode(&in); err != nil {
		return nil, err
	}
	var v violations
	v.text("description", in.Description, maxDescription)
	return &in, v.err()
}

// createAlias serves CreateAlias.
func (s *Service) createAlias(q *request) (int, any, error) {
	if err := s.allowWhole(q, "CreateAlias"); err != nil {
		return 0, nil, err
	}
	in, err := q.decodeAlias()
	if err != nil {
		return 0, nil, err
	}
	var v violations
	if len(in.Name) > 128 || !aliasForm.MatchString(in.Name) {
		v.add("name", clip(in.Name), `Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)`)
	}
	if in.FunctionVersion == nil {
		v.add("functionVersion", "null", "Member must not be null")
	}
	if err := v.err(); err != nil {
		return 0, nil, err
	}
	a := alias{AliasArn: s.arnOf(target{q.target.name, in.Name}), Name: in.Name}
	_, err = s.edit(q, "", func(f *function) error {
		if _, taken := f.Aliases[a.Name]; taken {
			return answer("ResourceConflictException", http.StatusConflict, "Alias already exists: "+a.AliasArn)
		}
		if len(f.Aliases) >= maxAliases {
			return fmt.Errorf("%w: a function may have %d aliases", ErrInvalid, maxAliases)
		}
		return s.setAlias(f, &a, in)
	})
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, &a, nil
}

// setAlias changes an alias as a request says, and stores the function with it.
func (s *Service) setAlias(f *function, a *alias, in *aliasInput) error {
	set(&a.FunctionVersion, in.FunctionVersion)
	set(&a.Description, in.Description)
	if in.RoutingConfig != nil {
		a.RoutingConfig = in.RoutingConfig
	}
	if err := s.checkAlias(f, a); err != nil {
		return err
	}
	a.RevisionID = newID()
	f.Aliases = maps.Clone(f.Aliases)
	if f.Aliases == nil {
		f.Aliases = make(map[string]alias)
	}
	f.Aliases[a.Name] = *a
	return s.folder.write(f.Configuration.FunctionName, &f.stored)
}

// alias finds the alias that a request names.
func (s *Service) alias(q *request, f *function) (alias, error) {
	name := q.PathValue("alias")
	a, ok := f.Aliases[name]
	if !ok {
		return alias{}, answer("ResourceNotFoundException", http.StatusNotFound,
			"Cannot find alias arn: "+s.arn(q.target.name)+":"+clip(name))
	}
	return a, nil
}

// getAlias serves GetAlias.
func (s *Service) getAlias(q *request) (int, any, error) {
	f, err := s.look(q, "GetAlias")
	if err != nil {
		return 0, nil, err
	}
	a, err := s.alias(q, f)
	return http.StatusOK, &a, err
}

// updateAlias serves UpdateAlias.
func (s *Service) updateAlias(q *request) (int, any, error) {
	if err := s.allowWhole(q, "UpdateAlias"); err != nil {
		return 0, nil, err
	}
	in, err := q.decodeAlias()
	if err != nil {
		return 0, nil, err
	}
	var a alias
	_, err = s.edit(q, "", func(f *function) error {
		if a, err = s.alias(q, f); err != nil {
			return err
		}
		if in.RevisionID != "" && in.RevisionID != a.RevisionID {
			return fmt.Errorf("%w: alias %s", ErrRevision, a.Name)
		}
		return s.setAlias(f, &a, in)
	})
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, &a, nil
}

// deleteAlias serves DeleteAlias. That it is gone already is fine.
func (s *Service) deleteAlias(q *request) (int, any, error) {
	if err := s.allowWhole(q, "DeleteAlias"); err != nil {
		return 0, nil, err
	}
	name := q.PathValue("alias")
	_, err := s.edit(q, "", func(f *function) error {
		if _, ok := f.Aliases[name]; !ok {
			return nil
		}
		f.forget(name)
		f.Aliases = maps.Clone(f.Aliases)
		delete(f.Aliases, name)
		return s.folder.write(q.target.name, &f.stored)
	})
	return http.StatusNoContent, nil, err
}

// listAliases serves ListAliases. A marker is the name of the last alias told.
func (s *Service) listAliases(q *request) (int, any, error) {
	f, err := s.look(q, "ListAliases")
	if err != nil {
		return 0, nil, err
	}
	names := slices.Sorted(maps.Keys(f.Aliases))
	if number := q.URL.Query().Get("FunctionVersion"); number != "" {
		names = f.aliasesOf(number)
	}
	names, next, err := paginate(q, names, func(name string) string { return name })
	if err != nil {
		return 0, nil, err
	}
	aliases := []alias{}
	for _, name := range names {
		aliases = append(aliases, f.Aliases[name])
	}
	return http.StatusOK, struct {
		Aliases    []alias
		NextMarker string `json:",omitempty"`
	}{aliases, next}, nil
}
