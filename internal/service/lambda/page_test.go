package lambda

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Whatever the size of the pages, and though the item that a marker names has gone, all items
// are told once and in order.
func TestPagesTellAllItemsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{1,3}`), 0, 120, rapid.ID).Draw(t, "items")
		slices.Sort(items)
		most := rapid.IntRange(1, 60).Draw(t, "most")
		var told []string
		marker := ""
		for {
			q := &request{Request: httptest.NewRequest("GET", fmt.Sprintf("/?MaxItems=%d&Marker=%s", most, marker), nil)}
			page, next, err := paginate(q, items, func(s string) string { return s })
			if err != nil || len(page) > min(most, usualPage) {
				t.Fatalf("%d items, %v", len(page), err)
			}
			told = append(told, page...)
			if next == "" {
				break
			}
			marker = next
			if rapid.Bool().Draw(t, "the last one goes") {
				last := page[len(page)-1]
				items = slices.DeleteFunc(slices.Clone(items), func(s string) bool { return s == last })
			}
		}
		for _, item := range items {
			if !slices.Contains(told, item) {
				t.Errorf("%s is missing in %v", item, told)
			}
		}
		if !slices.IsSorted(told) || len(slices.Compact(slices.Clone(told))) != len(told) {
			t.Errorf("told %v", told)
		}
	})
}
