package orc

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"unicode/utf8"

	"hydrant/internal/column"
)

// decimalText is a decimal without zeros at the end of its fraction.
func decimalText(v *big.Int, scale int) string {
	digits := new(big.Int).Abs(v).String()
	if len(digits) <= scale {
		digits = strings.Repeat("0", scale-len(digits)+1) + digits
	}
	text := digits[:len(digits)-scale]
	if fraction := strings.TrimRight(digits[len(digits)-scale:], "0"); fraction != "" {
		text += "." + fraction
	}
	if v.Sign() < 0 {
		text = "-" + text
	}
	return text
}

// checkStats checks a ColumnStatistics against the values.
func (f *orcFile) checkStats(id int, stats parsed, present []bool, vals values) error {
	v, err := stats.uints(1, 10)
	if err != nil {
		return err
	}
	if nulls := len(vals) < len(present); v[0] != len(vals) || v[1] != int(bit(nulls)) {
		return fmt.Errorf("%d values, nulls %d; not %d, %v", v[0], v[1], len(vals), nulls)
	}
	number := map[column.Kind]int{column.Boolean: 5, column.TinyInt: 2, column.SmallInt: 2, column.Int: 2, column.BigInt: 2,
		column.Float: 3, column.Double: 3, column.String: 4, column.Varchar: 4, column.Char: 4, column.Binary: 8,
		column.Decimal: 6, column.Date: 7, column.Timestamp: 9, column.List: 12, column.Map: 12}[f.kind(id)]
	for other := range stats {
		if other != 1 && other != 10 && other != 11 && other != number {
			return fmt.Errorf("typed message %d in place of %d", other, number)
		}
	}
	if number == 0 {
		return nil
	}
	if len(stats[number]) != 1 {
		return errors.New("no typed message")
	}
	typed, err := parse(stats[number][0].bytes)
	if err != nil {
		return err
	}
	return f.checkTyped(id, typed, vals)
}

func (f *orcFile) checkTyped(id int, typed parsed, vals values) error {
	switch f.kind(id) {
	case column.Boolean:
		trues := uint64(0)
		for _, v := range vals {
			trues += uint64(v.(int64))
		}
		if got := typed.unpack(1); !slices.Equal(got, []uint64{trues}) {
			return fmt.Errorf("%v are true, not %d", got, trues)
		}
		return nil
	case column.Date:
		return checkBounds(typed, vals, []int{1, 2}, func(u uint64) int64 { return unzigzag(u) })
	case column.TinyInt, column.SmallInt, column.Int, column.BigInt:
		return checkIntStats(typed, vals)
	case column.List, column.Map:
		return checkListStats(typed, vals)
	case column.Float, column.Double:
		return checkFloatStats(typed, vals)
	case column.Decimal:
		return checkDecimalStats(typed, vals, f.scale(id))
	case column.Timestamp:
		return checkTimeStats(typed, vals)
	case column.Binary:
		return checkSum(typed, vals, 1)
	}
	if err := checkSum(typed, vals, 3); err != nil {
		return err
	}
	return checkTextStats(typed, vals)
}

// checkBounds checks the least and the largest of numbers.
func checkBounds(typed parsed, vals values, numbers []int, convert func(uint64) int64) error {
	if len(vals) == 0 {
		if typed.has(numbers[0]) || typed.has(numbers[1]) {
			return errors.New("bounds of no values")
		}
		return nil
	}
	low, high := vals[0].(int64), vals[0].(int64)
	for _, v := range vals {
		low, high = min(low, v.(int64)), max(high, v.(int64))
	}
	got, err := typed.uints(numbers...)
	if err != nil || convert(uint64(got[0])) != low || convert(uint64(got[1])) != high {
		return fmt.Errorf("bounds %v, not %d and %d: %w", got, low, high, err)
	}
	return nil
}

func checkIntStats(typed parsed, vals values) error {
	sum := new(big.Int)
	for _, v := range vals {
		sum.Add(sum, big.NewInt(v.(int64)))
	}
	switch {
	case !typed.has(3):
		// Sums in another order may overflow where the whole does not.
		if spread := new(big.Int); len(vals) == 0 || spread.Abs(sum).IsInt64() && !hugeInts(vals) {
			return errors.New("the sum is missing")
		}
	case !sum.IsInt64() || unzigzag(typed[3][0].value) != sum.Int64():
		return fmt.Errorf("the sum is not %s", sum)
	}
	return checkBounds(typed, vals, []int{1, 2}, unzigzag)
}

// hugeInts reports whether sums of some of the values may overflow.
func hugeInts(vals values) bool {
	total := 0.0
	for _, v := range vals {
		total += math.Abs(float64(v.(int64)))
	}
	return total >= math.MaxInt64
}

func checkListStats(typed parsed, vals values) error {
	var total int64
	for _, v := range vals {
		total += v.(int64)
	}
	if typed.has(3) != (total > 0) || total > 0 && int64(typed[3][0].value) != total {
		return fmt.Errorf("%v elements, not %d", typed[3], total)
	}
	return checkBounds(typed, vals, []int{1, 2}, func(u uint64) int64 { return int64(u) })
}

func checkFloatStats(typed parsed, vals values) error {
	sum, low, high := 0.0, math.Inf(1), math.Inf(-1)
	for _, v := range vals {
		d := math.Float64frombits(v.(uint64))
		sum, low, high = sum+d, min(low, d), max(high, d)
	}
	got, err := typed.uint(3)
	if err != nil {
		return err
	}
	told := math.Float64frombits(uint64(got))
	if math.IsNaN(sum) != math.IsNaN(told) || math.Abs(told-sum) > 1e-9*math.Max(math.Abs(sum), absSum(vals)) {
		return fmt.Errorf("sum %v, not %v", told, sum)
	}
	if len(vals) == 0 || math.IsNaN(sum) {
		return nil
	}
	bounds, err := typed.uints(1, 2)
	if err != nil || math.Float64frombits(uint64(bounds[0])) != low || math.Float64frombits(uint64(bounds[1])) != high {
		return fmt.Errorf("bounds %v, not %v and %v: %w", bounds, low, high, err)
	}
	return nil
}

func absSum(vals values) (sum float64) {
	for _, v := range vals {
		sum += math.Abs(math.Float64frombits(v.(uint64)))
	}
	return sum
}

// unscaled is the number that a decimal's text tells, without the point.
func unscaled(text string, scale int) *big.Int {
	whole, fraction, _ := strings.Cut(text, ".")
	v, ok := new(big.Int).SetString(whole+fraction+strings.Repeat("0", scale-len(fraction)), 10)
	if !ok {
		panic(text)
	}
	return v
}

func checkDecimalStats(typed parsed, vals values, scale int) error {
	if len(vals) == 0 {
		if len(typed) != 1 || string(typed[3][0].bytes) != "0" {
			return fmt.Errorf("statistics of no values: %v", typed)
		}
		return nil
	}
	low, high, sum := unscaled(vals[0].(string), scale), unscaled(vals[0].(string), scale), new(big.Int)
	long := 0
	for _, v := range vals {
		n := unscaled(v.(string), scale)
		sum.Add(sum, n)
		long = max(long, len(v.(string)))
		if n.Cmp(low) < 0 {
			low = n
		} else if n.Cmp(high) > 0 {
			high = n
		}
	}
	toldLow, toldHigh := string(typed[1][0].bytes), string(typed[2][0].bytes)
	if toldLow != decimalText(low, scale) || toldHigh != decimalText(high, scale) {
		return fmt.Errorf("bounds %s, %s, not %s, %s", toldLow, toldHigh, low, high)
	}
	if typed.has(3) && string(typed[3][0].bytes) != decimalText(sum, scale) {
		return fmt.Errorf("sum %s, not %s", typed[3][0].bytes, sum)
	}
	if !typed.has(3) && long < 30 {
		return errors.New("the sum is missing")
	}
	return nil
}

// checkTimeStats checks bounds of timestamps. Where values were in the last second before
// 1970, which cannot be read back, they may be wider.
func checkTimeStats(typed parsed, vals values) error {
	if len(vals) == 0 {
		if len(typed) > 0 {
			return errors.New("bounds of no values")
		}
		return nil
	}
	low, high := vals[0].(moment), vals[0].(moment)
	for _, v := range vals {
		if m := v.(moment); m.before(low) {
			low = m
		} else if high.before(m) {
			high = m
		}
	}
	bounds, err := typed.uints(3, 4)
	if err != nil {
		return err
	}
	restLow, restHigh := 0, 999_999
	if typed.has(5) {
		restLow = int(typed[5][0].value) - 1
	}
	if typed.has(6) {
		restHigh = int(typed[6][0].value) - 1
	}
	toldLow, toldHigh := fromMillis(unzigzag(uint64(bounds[0])), restLow), fromMillis(unzigzag(uint64(bounds[1])), restHigh)
	lost := toldLow.seconds == -1 && toldLow.nanos > 0 && !low.before(toldLow)
	if toldLow != low && !lost || toldHigh != high {
		return fmt.Errorf("bounds %v and %v, not %v and %v", toldLow, toldHigh, low, high)
	}
	return nil
}

func fromMillis(ms int64, rest int) moment {
	s := ms / 1000
	if ms%1000 < 0 {
		s--
	}
	return moment{s, int32(ms-1000*s)*1e6 + int32(rest)}
}

func checkSum(typed parsed, vals values, number int) error {
	var sum int64
	for _, v := range vals {
		sum += int64(len(v.(string)))
	}
	got, err := typed.uint(number)
	if err != nil || unzigzag(uint64(got)) != sum {
		return fmt.Errorf("%d bytes, not %d: %w", unzigzag(uint64(got)), sum, err)
	}
	return nil
}

func checkTextStats(typed parsed, vals values) error {
	if len(vals) == 0 {
		if typed.has(1) || typed.has(2) || typed.has(4) || typed.has(5) {
			return errors.New("bounds of no values")
		}
		return nil
	}
	low, high := vals[0].(string), vals[0].(string)
	for _, v := range vals {
		low, high = min(low, v.(string)), max(high, v.(string))
	}
	if typed.has(1) == typed.has(4) || typed.has(2) && typed.has(5) {
		return errors.New("a bound beside what it bounds, or neither")
	}
	if typed.has(1) && string(typed[1][0].bytes) != low || typed.has(2) && string(typed[2][0].bytes) != high {
		return fmt.Errorf("bounds are not %.50q and %.50q", low, high)
	}
	if typed.has(4) {
		bound := string(typed[4][0].bytes)
		if len(low) <= maxBound || len(bound) > maxBound || len(bound) < maxBound-3 || !strings.HasPrefix(low, bound) || !utf8.ValidString(bound) {
			return fmt.Errorf("lower bound %.50q of %.50q", bound, low)
		}
	}
	if typed.has(5) {
		bound := string(typed[5][0].bytes)
		if len(high) <= maxBound || bound != boundAbove(high) || bound <= high {
			return fmt.Errorf("upper bound %.50q of %.50q", bound, high)
		}
	}
	if !typed.has(2) && !typed.has(5) && boundAbove(high) != "" {
		return fmt.Errorf("no upper bound of %.50q", high)
	}
	return nil
}

// boundAbove is the bound for a long text: as much as fits, its last character increased.
func boundAbove(text string) string {
	var runes []rune
	size := 0
	for _, r := range text {
		if size += utf8.RuneLen(r); size > maxBound {
			break
		}
		runes = append(runes, r)
	}
	for len(runes) > 0 && runes[len(runes)-1] == utf8.MaxRune {
		runes = runes[:len(runes)-1]
	}
	if len(runes) == 0 {
		return ""
	}
	last := &runes[len(runes)-1]
	if *last++; *last == 0xd800 {
		*last = 0xe000
	}
	return string(runes)
}
