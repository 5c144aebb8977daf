package lambda

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
)

type concurrency struct {
	ReservedConcurrentExecutions int
}

type getOutput struct {
	Configuration *Configuration
	Code          location
	Tags          map[string]string `json:",omitempty"`
	Concurrency   *concurrency      `json:",omitzero"`
}

// getFunction serves GetFunction.
func (s *Service) getFunction(q *request) (int, any, error) {
	d, err := s.lookAt(q, "GetFunction")
	if err != nil {
		return 0, nil, err
	}
	f := d.function
	out := getOutput{Configuration: &d.config, Code: s.locate(q, d), Tags: f.Tags}
	if f.Reserved != nil {
		out.Concurrency = &concurrency{*f.Reserved}
	}
	return http.StatusOK, out, nil
}

// getConfiguration serves GetFunctionConfiguration.
func (s *Service) getConfiguration(q *request) (int, any, error) {
	d, err := s.lookAt(q, "GetFunctionConfiguration")
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, &d.config, nil
}

// lookAt returns what a request is about, by its qualifier, if the caller may see it.
func (s *Service) lookAt(q *request, action string) (*deployment, error) {
	if err := s.allow(q, action); err != nil {
		return nil, err
	}
	return s.resolve(q.target)
}

// look returns the function that a request is about, if the caller may see it.
func (s *Service) look(q *request, action string) (*function, error) {
	if err := s.allowWhole(q, action); err != nil {
		return nil, err
	}
	return s.find(q.target)
}

// usualPage is how many functions, versions or aliases a page has at most.
const usualPage = 50

// paginate returns the page of a list that a request asks for, and the marker of the next
// one. Keys are in ascending order. A marker is the key of the last item told, encoded so
// that nobody relies on that.
func paginate[T any](q *request, all []T, key func(T) string) (page []T, next string, err error) {
	query := q.URL.Query()
	most := usualPage
	if text := query.Get("MaxItems"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 10_000 {
			return nil, "", fmt.Errorf("%w: MaxItems must be between 1 and 10000", ErrInvalid)
		}
		most = min(n, usualPage)
	}
	after, err := base64.RawURLEncoding.DecodeString(query.Get("Marker"))
	if err != nil {
		return nil, "", fmt.Errorf("%w: Marker is none of this server's", ErrInvalid)
	}
	page = []T{}
	for _, item := range all {
		if len(after) > 0 && key(item) <= string(after) {
			continue
		}
		if len(page) == most {
			return page, base64.RawURLEncoding.EncodeToString([]byte(key(page[most-1]))), nil
		}
		page = append(page, item)
	}
	return page, "", nil
}

// listFunctions serves ListFunctions: of each function $LATEST, or with FunctionVersion=ALL
// all versions.
func (s *Service) listFunctions(q *request) (int, any, error) {
	if err := q.caller.Authorize(q.Context(), "lambda:ListFunctions", "*"); err != nil {
		return 0, nil, err
	}
	which := q.URL.Query().Get("FunctionVersion")
	if which != "" && which != "ALL" {
		return 0, nil, fmt.Errorf("%w: FunctionVersion can only be ALL", ErrInvalid)
	}
	var all []*Configuration
	for _, f := range s.list() {
		if which == "ALL" {
			all = append(all, s.versionsOf(f)...)
		} else {
			all = append(all, &f.Configuration)
		}
	}
	page, next, err := paginate(q, all, versionKey)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, struct {
		Functions  []*Configuration
		NextMarker string `json:",omitempty"`
	}{page, next}, nil
}

// accountSettings serves GetAccountSettings.
func (s *Service) accountSettings(q *request) (int, any, error) {
	if err := q.caller.Authorize(q.Context(), "lambda:GetAccountSettings", "*"); err != nil {
		return 0, nil, err
	}
	size, functions := s.usage()
	return http.StatusOK, map[string]any{
		"AccountLimit": map[string]int64{
			"TotalCodeSize": maxStored, "CodeSizeUnzipped": maxUnzipped, "CodeSizeZipped": maxZip,
			"ConcurrentExecutions": accountConcurrency, "UnreservedConcurrentExecutions": accountConcurrency,
		},
		"AccountUsage": map[string]int64{"TotalCodeSize": size, "FunctionCount": int64(functions)},
	}, nil
}

// accountConcurrency is AWS's quota, which tools expect to be told. What holds here is the
// number of workers of each version.
const accountConcurrency = 1000
