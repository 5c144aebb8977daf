package lambda

import (
	"fmt"
	"net/http"
)

// putConcurrency serves PutFunctionConcurrency: how many calls a function may have at once.
// None stops it.
func (s *Service) putConcurrency(q *request) (int, any, error) {
	if err := s.allowWhole(q, "PutFunctionConcurrency"); err != nil {
		return 0, nil, err
	}
	var in struct{ ReservedConcurrentExecutions *int }
	if err := q.decode(&in); err != nil {
		return 0, nil, err
	}
	if in.ReservedConcurrentExecutions == nil || *in.ReservedConcurrentExecutions < 0 {
		return 0, nil, fmt.Errorf("%w: ReservedConcurrentExecutions must be 0 or more", ErrInvalid)
	}
	if err := s.reserve(q, in.ReservedConcurrentExecutions); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, concurrency{*in.ReservedConcurrentExecutions}, nil
}

// getConcurrency serves GetFunctionConcurrency.
func (s *Service) getConcurrency(q *request) (int, any, error) {
	f, err := s.look(q, "GetFunctionConcurrency")
	if err != nil {
		return 0, nil, err
	}
	if f.Reserved == nil {
		return http.StatusOK, struct{}{}, nil
	}
	return http.StatusOK, concurrency{*f.Reserved}, nil
}

// deleteConcurrency serves DeleteFunctionConcurrency.
func (s *Service) deleteConcurrency(q *request) (int, any, error) {
	if err := s.allowWhole(q, "DeleteFunctionConcurrency"); err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, s.reserve(q, nil)
}

func (s *Service) reserve(q *request, n *int) error {
	f, err := s.edit(q, "", func(f *function) error {
		f.Reserved = n
		return s.folder.write(q.target.name, &f.stored)
	})
	if err == nil {
		f.share.limit(n)
	}
	return err
}
