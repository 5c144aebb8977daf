package stream

import (
	"errors"
	"slices"
	"strings"
)

// MaxTags is how many tags a stream may have (spec section 2.10).
const MaxTags = 50

// ErrTooManyTags: a stream would have more than MaxTags.
var ErrTooManyTags = errors.New("too many tags")

// SetTags adds tags and overwrites those of the same key, and says whether that changed
// anything. ErrTooManyTags: nothing was changed.
func (d *Definition) SetTags(tags []Tag) (changed bool, err error) {
	all := UniqueTags(slices.Concat(d.Tags, tags))
	if len(all) > MaxTags {
		return false, ErrTooManyTags
	}
	same := slices.EqualFunc(all, d.Tags, func(a, b Tag) bool {
		return a.Key == b.Key && (a.Value == nil) == (b.Value == nil) && or(a.Value, "") == or(b.Value, "")
	})
	d.Tags = all
	return !same, nil
}

// RemoveTags removes the tags of the keys, those there are, and says whether there were any.
func (d *Definition) RemoveTags(keys []string) (changed bool) {
	left := slices.DeleteFunc(slices.Clone(d.Tags), func(t Tag) bool { return slices.Contains(keys, t.Key) })
	changed = len(left) < len(d.Tags)
	d.Tags = left
	return changed
}

// TagsAfter returns up to limit tags whose keys come after the given one, in byte order of
// their keys, and whether more follow (spec section 2.11).
func (d *Definition) TagsAfter(key string, limit int) (tags []Tag, more bool) {
	sorted := slices.SortedFunc(slices.Values(d.Tags), func(a, b Tag) int { return strings.Compare(a.Key, b.Key) })
	for _, t := range sorted {
		if t.Key <= key {
			continue
		}
		if len(tags) == limit {
			return tags, true
		}
		tags = append(tags, t)
	}
	return tags, false
}
