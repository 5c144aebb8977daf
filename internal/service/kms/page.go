package kms

import (
	"encoding/base64"
	"slices"
	"strings"
)

// pager is embedded in inputs of operations that list.
type pager struct {
	Limit  *int
	Marker string
}

func (p *pager) checkPage(v *violations, most int) {
	v.number("limit", p.Limit, 1, most)
	v.text("marker", p.Marker, 0, 1024, nil)
}

// more is embedded in answers that list.
type more struct {
	NextMarker string `json:",omitempty"`
	Truncated  bool
}

// page cuts from all, sorted by its unique names, what follows the marker: the name of the
// last item told, encoded so that nobody relies on that.
func page[T any](p *pager, usual int, all []T, name func(T) string) ([]T, more, error) {
	if p.Limit != nil {
		usual = *p.Limit
	}
	slices.SortFunc(all, func(a, b T) int { return strings.Compare(name(a), name(b)) })
	if p.Marker != "" {
		last, err := base64.RawURLEncoding.DecodeString(p.Marker)
		if err != nil {
			return nil, more{}, answer("InvalidMarkerException", "Could not deserialize marker '%s'", clip(p.Marker))
		}
		i, found := slices.BinarySearchFunc(all, string(last), func(x T, last string) int {
			return strings.Compare(name(x), last)
		})
		if found {
			i++
		}
		all = all[i:]
	}
	if len(all) <= usual {
		return all, more{}, nil
	}
	last := name(all[usual-1])
	return all[:usual], more{NextMarker: base64.RawURLEncoding.EncodeToString([]byte(last)), Truncated: true}, nil
}
