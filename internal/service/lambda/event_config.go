package lambda

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Limits and defaults of how calls that nobody waits for are retried.
const (
	maxRetries  = 2
	minEventAge = 60          // seconds
	maxEventAge = 6 * 60 * 60 // seconds
)

// eventConfig is how the asynchronous calls of a version or alias are retried.
type eventConfig struct {
	Modified time.Time
	Retries  *int `json:",omitzero"` // after the function has failed
	Age      *int `json:",omitzero"` // seconds after which a call is given up
}

func (c *eventConfig) retries() int {
	if c.Retries == nil {
		return maxRetries
	}
	return *c.Retries
}

func (c *eventConfig) age() time.Duration {
	if c.Age == nil {
		return maxEventAge * time.Second
	}
	return time.Duration(*c.Age) * time.Second
}

// eventConfig finds what holds for calls with a qualifier.
func (f *function) eventConfig(qualifier string) eventConfig { return f.Events[whole(qualifier)] }

// whole is the qualifier, or what stands for none.
func whole(qualifier string) string {
	if qualifier == "" {
		return latest
	}
	return qualifier
}

type eventConfigInput struct {
	MaximumRetryAttempts     *int
	MaximumEventAgeInSeconds *int
	DestinationConfig        *struct{ OnSuccess, OnFailure struct{ Destination string } }
}

func (in *eventConfigInput) check() error {
	var v violations
	v.number("maximumRetryAttempts", in.MaximumRetryAttempts, 0, maxRetries)
	v.number("maximumEventAgeInSeconds", in.MaximumEventAgeInSeconds, minEventAge, maxEventAge)
	if err := v.err(); err != nil {
		return err
	}
	if d := in.DestinationConfig; d != nil && (d.OnSuccess.Destination != "" || d.OnFailure.Destination != "") {
		return fmt.Errorf("%w: results of asynchronous calls are sent nowhere by this server; leave the destinations out", ErrInvalid)
	}
	return nil
}

// eventConfigOutput is an eventConfig as the API tells it.
type eventConfigOutput struct {
	LastModified             float64 // seconds
	FunctionArn              string
	MaximumRetryAttempts     *int `json:",omitzero"`
	MaximumEventAgeInSeconds *int `json:",omitzero"`
	DestinationConfig        jsontext.Value
}

func (s *Service) tellEventConfig(name, qualifier string, c eventConfig) *eventConfigOutput {
	return &eventConfigOutput{
		LastModified: float64(c.Modified.UnixMilli()) / 1000, FunctionArn: s.arnOf(target{name, whole(qualifier)}),
		MaximumRetryAttempts: c.Retries, MaximumEventAgeInSeconds: c.Age,
		DestinationConfig: jsontext.Value(`{"OnSuccess":{},"OnFailure":{}}`),
	}
}

// putEventConfig serves PutFunctionEventInvokeConfig: what it leaves out is the default.
func (s *Service) putEventConfig(q *request) (int, any, error) {
	return s.setEventConfig(q, "PutFunctionEventInvokeConfig", func(_ eventConfig, in *eventConfigInput) eventConfig {
		return eventConfig{Retries: in.MaximumRetryAttempts, Age: in.MaximumEventAgeInSeconds}
	})
}

// updateEventConfig serves UpdateFunctionEventInvokeConfig: what it leaves out stays.
func (s *Service) updateEventConfig(q *request) (int, any, error) {
	return s.setEventConfig(q, "UpdateFunctionEventInvokeConfig", func(c eventConfig, in *eventConfigInput) eventConfig {
		if in.MaximumRetryAttempts != nil {
			c.Retries = in.MaximumRetryAttempts
		}
		if in.MaximumEventAgeInSeconds != nil {
			c.Age = in.MaximumEventAgeInSeconds
		}
		return c
	})
}

func (s *Service) setEventConfig(q *request, action string, do func(eventConfig, *eventConfigInput) eventConfig) (int, any, error) {
	if err := s.allow(q, action); err != nil {
		return 0, nil, err
	}
	var in eventConfigInput
	if err := q.decode(&in); err != nil {
		return 0, nil, err
	}
	if err := in.check(); err != nil {
		return 0, nil, err
	}
	var c eventConfig
	_, err := s.edit(q, "", func(f *function) error {
		if _, err := s.deployed(f, q.target, 0); err != nil {
			return err
		}
		c = do(f.eventConfig(q.target.qualifier), &in)
		c.Modified = s.opt.Now().UTC()
		if f.Events = maps.Clone(f.Events); f.Events == nil {
			f.Events = make(map[string]eventConfig)
		}
		f.Events[whole(q.target.qualifier)] = c
		return s.folder.write(q.target.name, &f.stored)
	})
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, s.tellEventConfig(q.target.name, q.target.qualifier, c), nil
}

// noEventConfig says that there is none.
func (s *Service) noEventConfig(t target) error {
	return answer("ResourceNotFoundException", http.StatusNotFound,
		"The function "+s.arnOf(target{t.name, whole(t.qualifier)})+" doesn't have an EventInvokeConfig")
}

// getEventConfig serves GetFunctionEventInvokeConfig.
func (s *Service) getEventConfig(q *request) (int, any, error) {
	d, err := s.lookAt(q, "GetFunctionEventInvokeConfig")
	if err != nil {
		return 0, nil, err
	}
	c, ok := d.function.Events[whole(q.target.qualifier)]
	if !ok {
		return 0, nil, s.noEventConfig(q.target)
	}
	return http.StatusOK, s.tellEventConfig(q.target.name, q.target.qualifier, c), nil
}

// deleteEventConfig serves DeleteFunctionEventInvokeConfig.
func (s *Service) deleteEventConfig(q *request) (int, any, error) {
	if err := s.allow(q, "DeleteFunctionEventInvokeConfig"); err != nil {
		return 0, nil, err
	}
	_, err := s.edit(q, "", func(f *function) error {
		qualifier := whole(q.target.qualifier)
		if _, ok := f.Events[qualifier]; !ok {
			return s.noEventConfig(q.target)
		}
		f.Events = maps.Clone(f.Events)
		delete(f.Events, qualifier)
		return s.folder.write(q.target.name, &f.stored)
	})
	return http.StatusNoContent, nil, err
}

// listEventConfigs serves ListFunctionEventInvokeConfigs.
func (s *Service) listEventConfigs(q *request) (int, any, error) {
	f, err := s.look(q, "ListFunctionEventInvokeConfigs")
	if err != nil {
		return 0, nil, err
	}
	page, next, err := paginate(q, slices.Sorted(maps.Keys(f.Events)), func(name string) string { return name })
	if err != nil {
		return 0, nil, err
	}
	configs := []*eventConfigOutput{}
	for _, qualifier := range page {
		configs = append(configs, s.tellEventConfig(q.target.name, qualifier, f.Events[qualifier]))
	}
	return http.StatusOK, struct {
		FunctionEventInvokeConfigs []*eventConfigOutput
		NextMarker                 string `json:",omitempty"`
	}{configs, next}, nil
}
