package conversion

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
)

// partitioned is a destination whose rows lie in folders by their k.
func partitioned(name string) *types.ExtendedS3DestinationConfiguration {
	d := destination(name, openX(), toParquet(types.ParquetCompressionSnappy))
	d.Prefix = aws.String(name + "/k=!{partitionKeyFromQuery:k}/")
	d.DynamicPartitioningConfiguration = &types.DynamicPartitioningConfiguration{Enabled: aws.Bool(true)}
	d.ProcessingConfiguration = &types.ProcessingConfiguration{Enabled: aws.Bool(true), Processors: []types.Processor{{
		Type: types.ProcessorTypeMetadataExtraction, Parameters: []types.ProcessorParameter{
			{ParameterName: types.ProcessorParameterNameMetadataExtractionQuery, ParameterValue: aws.String("{k:.k}")},
			{ParameterName: types.ProcessorParameterNameJsonParsingEngine, ParameterValue: aws.String("JQ-1.6")},
		},
	}}}
	return d
}

// Rows land once, each in the folder of its key, and misfits once in the error output, however
// often the node is killed.
func TestAKilledNodeConvertsPartitions(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.table("p", "id int, k int")
	s.stream("p", partitioned("p"))
	const batch, rounds, folders, odd = 500, 4, 5, 100
	var want, misfits []string
	for id := range batch * rounds {
		k := id % folders
		if id%odd == odd-1 {
			misfits = append(misfits, fmt.Sprintf(`{"id":"no %d","k":%d}`, id, k))
			continue
		}
		want = append(want, fmt.Sprintf(`k=%d {"id":%d,"k":%d}`, k, id, k))
	}
	for round := range rounds {
		var data []string
		for id := round * batch; id < (round+1)*batch; id++ {
			if id%odd == odd-1 {
				data = append(data, fmt.Sprintf(`{"id":"no %d","k":%d}`, id, id%folders))
				continue
			}
			data = append(data, fmt.Sprintf(`{"id":%d,"k":%d}`, id, id%folders))
		}
		s.put("p", data...)
		time.Sleep(time.Duration(rand.IntN(1500)) * time.Millisecond)
		if round < rounds-1 {
			s.killed()
		}
	}
	s.settled("p")
	var rows []string
	for _, o := range s.objects("p/") {
		folder, _, _ := strings.Cut(strings.TrimPrefix(o.key, "p/"), "/")
		for _, row := range theJudge().read(t, o.key, o.body).Rows {
			rows = append(rows, folder+" "+row)
		}
	}
	slices.Sort(rows)
	slices.Sort(want)
	if !slices.Equal(rows, want) {
		t.Errorf("%d rows, %d different ones, want %d", len(rows), len(slices.Compact(slices.Clone(rows))), len(want))
	}
	var lines []string
	for _, m := range misfits {
		id := strings.Split(m, `"`)[3]
		lines = append(lines, misfit{m, "MalformedData", schema + `For input string: "` + id + `"`, 0}.line("p"))
	}
	slices.Sort(lines)
	if got := s.failures("p"); !slices.Equal(got, lines) {
		t.Errorf("the error output holds\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(lines, "\n"))
	}
	if l := s.ledger("p"); l.Delivered != uint64(len(want)) || l.Failed != uint64(len(misfits)) {
		t.Errorf("the ledger is %+v", l)
	}
}
