package orc

import (
	"fmt"
	"slices"

	"hydrant/internal/column"
)

// whole is a column of a file as it was read: all entries, and the values of those present.
type whole struct {
	present []bool
	values  values
}

// readFile reads a file and checks whatever section 18 says.
func readFile(data []byte) (columns []whole, err error) {
	f, err := openFile(data)
	if err != nil {
		return nil, err
	}
	columns = make([]whole, len(f.types))
	for i := range f.stripes {
		st, err := f.stripe(i)
		if err != nil {
			return nil, fmt.Errorf("stripe %d: %w", i, err)
		}
		c := checker{f: f, st: st, number: i, columns: columns}
		if _, err := c.column(0, c.rowBorders()); err != nil {
			return nil, fmt.Errorf("stripe %d: %w", i, err)
		}
	}
	for id := range columns {
		stats, all := f.fileStats[id], columns[id]
		sum := 0
		for _, stripe := range f.stripeStats {
			sum += int(stripe[id][11][0].value)
		}
		if onDisk, err := stats.uint(11); err != nil || onDisk != sum {
			return nil, fmt.Errorf("%d bytes of column %d in the file, not %d: %w", onDisk, id, sum, err)
		}
		if err := f.checkStats(id, stats, all.present, all.values); err != nil {
			return nil, fmt.Errorf("statistics of column %d in the file: %w", id, err)
		}
	}
	return columns, nil
}

// checker checks a stripe.
type checker struct {
	f       *orcFile
	st      *orcStripe
	number  int
	columns []whole
}

// rowBorders are the rows where groups start, and the end.
func (c *checker) rowBorders() (borders []int) {
	for row := 0; row < c.st.rows; row += c.f.stride {
		borders = append(borders, row)
	}
	return append(borders, c.st.rows)
}

// column reads a column and those below it. The borders are the entries where row groups
// start, and the end. It returns the number of the column behind it.
func (c *checker) column(id int, entries []int) (next int, err error) {
	col, n := c.st.columns[id], entries[len(entries)-1]
	zeros := start
	present, err := c.f.readPresent(col, &zeros, n, true)
	if err != nil {
		return 0, fmt.Errorf("column %d, PRESENT: %w", id, err)
	}
	if col.streams[kindPresent] != nil && !slices.Contains(present, false) {
		return 0, fmt.Errorf("column %d has PRESENT without a null", id)
	}
	borders := make([]int, len(entries)) // of values
	for i, entry := range entries {
		borders[i] = countTrue(present[:entry])
	}
	zeros = start
	vals, err := c.f.readValues(col, &zeros, borders[len(borders)-1], true)
	if err != nil {
		return 0, fmt.Errorf("column %d: %w", id, err)
	}
	if err := c.groups(col, present, vals, entries, borders); err != nil {
		return 0, fmt.Errorf("column %d: %w", id, err)
	}
	if err := c.stripeStats(col, present, vals); err != nil {
		return 0, fmt.Errorf("column %d: %w", id, err)
	}
	all := &c.columns[id]
	all.present, all.values = append(all.present, present...), append(all.values, vals...)
	return c.children(id, vals, borders)
}

func countTrue(flags []bool) (n int) {
	for _, flag := range flags {
		n += int(bit(flag))
	}
	return n
}

// children reads what is below the values of a column.
func (c *checker) children(id int, vals values, borders []int) (next int, err error) {
	kind := c.f.kind(id)
	if kind != column.Struct {
		below := make([]int, len(borders))
		if kind == column.List || kind == column.Map {
			for i, border := range borders {
				for _, v := range vals[:border] {
					below[i] += int(v.(int64))
				}
			}
		}
		borders = below
	}
	next = id + 1
	for _, child := range c.f.types[id].unpack(2) {
		if int(child) != next {
			return 0, fmt.Errorf("column %d is numbered %d", next, child)
		}
		if next, err = c.column(next, borders); err != nil {
			return 0, err
		}
	}
	return next, nil
}

// groups reads each row group from its positions, and compares it with what was read in order.
func (c *checker) groups(col *orcColumn, present []bool, vals values, entries, borders []int) error {
	for g, group := range col.groups {
		positions := group.positions
		wantFlags, want := present[entries[g]:entries[g+1]], vals[borders[g]:borders[g+1]]
		flags, err := c.f.readPresent(col, &positions, len(wantFlags), false)
		if err != nil || !slices.Equal(flags, wantFlags) {
			return fmt.Errorf("PRESENT of group %d differs at %v: %w", g, group.positions, err)
		}
		got, err := c.f.readValues(col, &positions, len(want), false)
		if err != nil || !slices.Equal(got, want) {
			return fmt.Errorf("group %d differs at %v: %w", g, group.positions, err)
		}
		if len(positions) > 0 {
			return fmt.Errorf("group %d has positions %v, of which %v are left", g, group.positions, positions)
		}
		if err := c.f.checkStats(col.id, group.stats, wantFlags, want); err != nil {
			return fmt.Errorf("statistics of group %d: %w", g, err)
		}
		if col.bloomed {
			if err := c.f.checkBloom(col.id, col.blooms[g], want); err != nil {
				return fmt.Errorf("bloom filter of group %d: %w", g, err)
			}
		}
	}
	return nil
}

func (c *checker) stripeStats(col *orcColumn, present []bool, vals values) error {
	stats := c.f.stripeStats[c.number][col.id]
	if onDisk, err := stats.uint(11); err != nil || onDisk != col.onDisk {
		return fmt.Errorf("%d bytes on disk, not %d: %w", onDisk, col.onDisk, err)
	}
	return c.f.checkStats(col.id, stats, present, vals)
}

// holds reports whether a hash is in a bloom filter.
func holds(bits []byte, k int, hash uint64) bool {
	h1, h2 := int32(hash), int32(hash>>32)
	for i := int32(1); i <= int32(k); i++ {
		c := h1 + i*h2
		if c < 0 {
			c = ^c
		}
		at := int(c) % (8 * len(bits))
		if bits[at/8]>>(at%8)&1 == 0 {
			return false
		}
	}
	return true
}

// checkBloom checks that all values are in a bloom filter.
func (f *orcFile) checkBloom(id int, filter parsed, vals values) error {
	k, err := filter.uint(1)
	if err != nil {
		return err
	}
	for _, v := range vals {
		if !holds(filter[3][0].bytes, k, hashOf(v)) {
			return fmt.Errorf("%v is missing", v)
		}
	}
	return nil
}

// hashOf is the hash of a value that was read.
func hashOf(v any) uint64 {
	switch v := v.(type) {
	case int64:
		return wang(v)
	case uint64:
		return wang(int64(v))
	case moment:
		return wang(v.millis())
	}
	return murmur([]byte(v.(string)))
}
