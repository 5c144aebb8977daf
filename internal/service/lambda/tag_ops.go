package lambda

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"unicode/utf8"
)

// Limits of tags.
const (
	maxTags     = 50
	maxTagName  = 128
	maxTagValue = 256
)

func checkTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return fmt.Errorf("%w: a function may have %d tags", ErrInvalid, maxTags)
	}
	for name, value := range tags {
		n := utf8.RuneCountInString(name)
		if n < 1 || n > maxTagName || utf8.RuneCountInString(value) > maxTagValue || strings.HasPrefix(name, "aws:") {
			return fmt.Errorf("%w: %s is no tag", ErrInvalid, clip(name))
		}
	}
	return nil
}

// listTags serves ListTags.
func (s *Service) listTags(q *request) (int, any, error) {
	f, err := s.look(q, "ListTags")
	if err != nil {
		return 0, nil, err
	}
	tags := f.Tags
	if tags == nil {
		tags = map[string]string{}
	}
	return http.StatusOK, map[string]any{"Tags": tags}, nil
}

// tag serves TagResource.
func (s *Service) tag(q *request) (int, any, error) {
	if err := s.allowWhole(q, "TagResource"); err != nil {
		return 0, nil, err
	}
	var in struct{ Tags map[string]string }
	if err := q.decode(&in); err != nil {
		return 0, nil, err
	}
	return s.retag(q, func(tags map[string]string) { maps.Copy(tags, in.Tags) })
}

// untag serves UntagResource.
func (s *Service) untag(q *request) (int, any, error) {
	if err := s.allowWhole(q, "UntagResource"); err != nil {
		return 0, nil, err
	}
	return s.retag(q, func(tags map[string]string) {
		for _, name := range q.URL.Query()["tagKeys"] {
			delete(tags, name)
		}
	})
}

// retag changes a copy of the tags.
func (s *Service) retag(q *request, do func(map[string]string)) (int, any, error) {
	_, err := s.edit(q, "", func(f *function) error {
		tags := make(map[string]string)
		maps.Copy(tags, f.Tags)
		do(tags)
		if err := checkTags(tags); err != nil {
			return err
		}
		f.Tags = tags
		return s.folder.write(q.target.name, &f.stored)
	})
	return http.StatusNoContent, nil, err
}
