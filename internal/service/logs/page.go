package logs

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
)

// pager is embedded in inputs of operations that describe.
type pager struct {
	Limit *int   `json:"limit"`
	Token string `json:"nextToken"`
}

func (p *pager) check(v *violations) {
	v.number("limit", p.Limit, 1, mostDescribed)
	v.text("nextToken", p.Token, 0, 4096, nil)
}

// mostDescribed is how many groups or streams an answer has, at most and usually.
const mostDescribed = 50

// cursor is what a listing is sorted by: a number, then a name.
type cursor struct {
	Number int64 `json:",omitzero"`
	Name   string
}

func (c cursor) compare(d cursor) int {
	return cmp.Or(cmp.Compare(c.Number, d.Number), strings.Compare(c.Name, d.Name))
}

// page sorts what was found and cuts out what follows the token: the last item told,
// encoded so that nobody relies on that. An empty next means that nothing is left.
func (p *pager) page(all []cursor, descending bool) (page []cursor, next string, err error) {
	order := cursor.compare
	if descending {
		order = func(a, b cursor) int { return b.compare(a) }
	}
	slices.SortFunc(all, order)
	if p.Token != "" {
		var last cursor
		text, err := base64.RawURLEncoding.DecodeString(p.Token)
		if err != nil || json.Unmarshal(text, &last) != nil {
			return nil, "", answer(invalid, "The specified nextToken is invalid.")
		}
		i, found := slices.BinarySearchFunc(all, last, order)
		if found {
			i++
		}
		all = all[i:]
	}
	limit := mostDescribed
	if p.Limit != nil {
		limit = *p.Limit
	}
	if len(all) <= limit {
		return all, "", nil
	}
	text, err := json.Marshal(all[limit-1])
	if err != nil {
		return nil, "", err
	}
	return all[:limit], base64.RawURLEncoding.EncodeToString(text), nil
}
