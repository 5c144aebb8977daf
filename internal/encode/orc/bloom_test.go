package orc

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"hydrant/internal/column"
)

// Of keys that were not added, those of another row group among them, a bloom filter has few
// more than it was made for.
func TestFalsePositivesOfBloomFilters(t *testing.T) {
	key := func(i int) []byte { return fmt.Appendf(nil, "key-%d", i) }
	b := single(t, "string", 20_000, func(v *column.Vector, i int) { v.Text(key(i)) })
	_, stripes := opened(t, write(t, b.Schema, Options{BloomColumns: []string{"a"}, BloomFPP: 0.05}, b))
	for g, filter := range stripes[0].columns[1].blooms {
		k, err := filter.uint(1)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for i := range 10_000 {
			found += int(bit(holds(filter[3][0].bytes, k, murmur(key(i+10_000*(1-g))))))
		}
		if found > 1000 || found == 0 {
			t.Errorf("group %d: %d of 10,000 are found", g, found)
		}
	}
}

// Zero is found whatever its sign, as readers look for either.
func TestBloomFiltersHaveBothZeros(t *testing.T) {
	b := single(t, "double", 1, func(v *column.Vector, _ int) { v.Float(0) })
	_, stripes := opened(t, write(t, b.Schema, Options{BloomColumns: []string{"a"}}, b))
	filter := stripes[0].columns[1].blooms[0]
	for _, zero := range []float64{0, math.Copysign(0, -1)} {
		if !holds(filter[3][0].bytes, 4, wang(int64(math.Float64bits(zero)))) {
			t.Errorf("%v is missing", zero)
		}
	}
}

// A bloom filter is made for all primitive columns below the one named, and for those only.
func TestColumnsOfBloomFilters(t *testing.T) {
	schema := mustType(t, "struct<a:int,b:boolean,c:struct<d:string,e:array<map<int,boolean>>>,f:bigint>")
	b := newMaker(3).batch(schema, 10)
	_, stripes := opened(t, write(t, schema, Options{BloomColumns: []string{"B", "C", "c.d"}}, b))
	var got []int
	for _, c := range stripes[0].columns {
		if c.bloomed {
			got = append(got, c.id)
		}
	}
	if want := []int{4, 7}; !slices.Equal(got, want) {
		t.Errorf("columns %v have a filter, want %v", got, want)
	}
}
