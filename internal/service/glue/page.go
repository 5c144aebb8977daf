package glue

import (
	"context"
	"encoding/base64"
	"strings"

	"hydrant/internal/record"
)

// pager is embedded in inputs of operations that list.
type pager struct {
	NextToken  string
	MaxResults *int
}

func (p *pager) checkPage(v *violations, most int) {
	v.number("maxResults", p.MaxResults, 1, most)
	v.text("nextToken", p.NextToken, 0, 2*maxKeyBytes, anyText)
}

// more is embedded in answers that list.
type more struct {
	NextToken string `json:",omitempty"`
}

// token makes the token that stands for all behind a key: the end of the key, encoded so
// that nobody relies on it.
func token(prefix, key string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strings.TrimPrefix(key, prefix)))
}

// list collects from the states below a prefix what follows the token: what take makes of
// each, unless that is nil. It ends where the page is full, in number or in bytes.
func list[T any](ctx context.Context, s *Service, prefix string, p *pager, usual int, take func(record.State) (*T, error)) ([]T, more, error) {
	if p.MaxResults != nil {
		usual = *p.MaxResults
	}
	after, err := base64.RawURLEncoding.DecodeString(p.NextToken)
	if err != nil {
		return nil, more{}, errToken
	}
	all, size, last, full := []T{}, 0, "", false
	err = s.opt.Log.States(ctx, prefix, func(st record.State) error {
		if p.NextToken != "" && st.Key <= prefix+string(after) {
			return nil
		}
		item, err := take(st)
		if err != nil || item == nil {
			return err
		}
		if full = len(all) == usual || len(all) > 0 && size+len(st.Value) > maxPageBytes; full {
			return record.ErrStop
		}
		all, size, last = append(all, *item), size+len(st.Value), st.Key
		return nil
	})
	if err != nil || !full {
		return all, more{}, err
	}
	return all, more{token(prefix, last)}, nil
}
