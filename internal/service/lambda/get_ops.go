package lambda

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
)

// location is where code is. There is no way to fetch it from here.
type location struct {
	RepositoryType string
	Location       string
}

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
	f, err := s.look(q, "GetFunction")
	if err != nil {
		return 0, nil, err
	}
	out := getOutput{Configuration: &f.Configuration, Code: location{RepositoryType: "S3"}, Tags: f.Tags}
	if f.Reserved != nil {
		out.Concurrency = &concurrency{*f.Reserved}
	}
	return http.StatusOK, out, nil
}

// getConfiguration serves GetFunctionConfiguration.
func (s *Service) getConfiguration(q *request) (int, any, error) {
	f, err := s.look(q, "GetFunctionConfiguration")
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, &f.Configuration, nil
}

// look returns the function that a request is about, if the caller may see it.
func (s *Service) look(q *request, action string) (*function, error) {
	if err := s.allow(q, action); err != nil {
		return nil, err
	}
	return s.find(q.target)
}

// usualPage is how many functions a page has at most.
const usualPage = 50

type listOutput struct {
	Functions  []*Configuration
	NextMarker string `json:",omitempty"`
}

// listFunctions serves ListFunctions. A marker is the name of the last function told,
// encoded so that nobody relies on that.
func (s *Service) listFunctions(q *request) (int, any, error) {
	if err := q.caller.Authorize(q.Context(), "lambda:ListFunctions", "*"); err != nil {
		return 0, nil, err
	}
	query := q.URL.Query()
	most := usualPage
	if text := query.Get("MaxItems"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 10_000 {
			return 0, nil, fmt.Errorf("%w: MaxItems must be between 1 and 10000", ErrInvalid)
		}
		most = min(n, usualPage)
	}
	after, err := base64.RawURLEncoding.DecodeString(query.Get("Marker"))
	if err != nil {
		return 0, nil, fmt.Errorf("%w: Marker is none of this server's", ErrInvalid)
	}
	out := listOutput{Functions: []*Configuration{}}
	for _, f := range s.list() {
		name := f.Configuration.FunctionName
		if name <= string(after) {
			continue
		}
		if len(out.Functions) == most {
			last := out.Functions[most-1].FunctionName
			out.NextMarker = base64.RawURLEncoding.EncodeToString([]byte(last))
			break
		}
		out.Functions = append(out.Functions, &f.Configuration)
	}
	return http.StatusOK, out, nil
}

// listVersions serves ListVersionsByFunction. There is one version of each function.
func (s *Service) listVersions(q *request) (int, any, error) {
	f, err := s.look(q, "ListVersionsByFunction")
	if err != nil {
		return 0, nil, err
	}
	c := f.Configuration
	c.FunctionArn += ":" + latest
	return http.StatusOK, map[string]any{"Versions": []*Configuration{&c}}, nil
}
