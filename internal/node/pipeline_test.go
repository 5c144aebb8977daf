package node

import (
	"testing"

	"hydrant/internal/stream"
)

// Batches that are decompressed grow, so they are small before it, whatever a function wants.
func TestBatchesAreSmallerWhereTheyAreDecompressed(t *testing.T) {
	decompression := stream.Processor{Type: stream.DecompressionProcessor, Parameters: []stream.ProcessorParameter{{ParameterName: "CompressionFormat", ParameterValue: "GZIP"}}}
	function := func(mb string) stream.Processor {
		return stream.Processor{Type: stream.LambdaProcessor, Parameters: []stream.ProcessorParameter{
			{ParameterName: "LambdaArn", ParameterValue: functionARN}, {ParameterName: "BufferSizeInMBs", ParameterValue: mb}, {ParameterName: "BufferIntervalInSeconds", ParameterValue: "60"},
		}}
	}
	for _, tt := range []struct {
		processors []stream.Processor
		want       int // bytes
	}{
		{nil, 1 << 20},
		{[]stream.Processor{function("3")}, 3 << 20},
		{[]stream.Processor{decompression}, 256 << 10},
		{[]stream.Processor{decompression, function("3")}, 256 << 10},
		{[]stream.Processor{decompression, function("0.2")}, 209_715},
	} {
		n := newPlant(t, func(data string) (string, string) { return "Ok", data }).Node
		p, err := n.pipeline(&stream.Definition{S3: &stream.S3Destination{Processing: &stream.ProcessingConfiguration{Enabled: true, Processors: tt.processors}}})
		if err != nil || p.Bytes != tt.want || len(p.Steps) != len(tt.processors) {
			t.Errorf("%v: batches of %d bytes, %d steps, %v; want %d", tt.processors, p.Bytes, len(p.Steps), err, tt.want)
		}
	}
}
