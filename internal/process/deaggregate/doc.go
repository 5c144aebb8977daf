// Package deaggregate takes records apart that producers have made of several, to save
// requests (spec firehose.md sections 5.6 and 10.2).
//
//   - Part: what a record is taken apart into, a record of its own from then on.
//   - Deaggregation: the processor RecordDeAggregation, for records that are sequences of
//     JSON documents or have a delimiter between their parts.
//   - Aggregate: what the Kinesis Producer Library makes of many records. Only records of
//     Kinesis streams are looked at for being one, before everything else.
//
// The parts have the arrival time of their record and, as ids, its id with a dot and their
// number from 0. The numbers of one record have the same number of digits, three at least:
// ids sort as their parts stand, and none begins with another.
//
// Parts share the memory of their record.
package deaggregate

import (
	"bytes"
	"strconv"
)

// ids returns the ids of n parts, in memory that they share.
func ids(parent string, n int) []string {
	number := bytes.Repeat([]byte("0"), max(3, len(strconv.Itoa(n-1))))
	size := len(parent) + 1 + len(number)
	b := make([]byte, 0, n*size)
	for range n {
		b = append(append(append(b, parent...), '.'), number...)
		for k := len(number) - 1; k >= 0; k-- {
			if number[k]++; number[k] <= '9' {
				break
			}
			number[k] = '0' // carry
		}
	}
	all := string(b)
	out := make([]string, n)
	for i := range out {
		out[i] = all[i*size : (i+1)*size]
	}
	return out
}
