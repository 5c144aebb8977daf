package conversion

import (
	"os"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"

	"hydrant/e2e/server"
)

// memoryEnv says how many MB of JSON go through a node of little memory; without it none do,
// since they take a minute or more.
const memoryEnv = "HYDRANT_MEMORY_MB"

// envMB reads a number of MB, and skips the test if there is none.
func envMB(t *testing.T, name string) int64 {
	t.Helper()
	mb, err := strconv.Atoi(os.Getenv(name))
	if err != nil || mb < 1 {
		t.Skipf("%s is not set to a number of MB", name)
	}
	return int64(mb) * 1_000_000
}

// Buffers of 64 MB become objects within the --memory setting, which is smaller than what two
// streams buffer: HYDRANT_MEMORY_MB=260 go test -run Memory -v ./e2e/conversion
func TestLargeBuffersKeepToTheMemorySetting(t *testing.T) {
	bytes := envMB(t, memoryEnv)
	for setting, limit := range map[string]int64{"128MiB": 128 << 20, "256MiB": 256 << 20} {
		t.Run(setting, func(t *testing.T) {
			s := openWith(t, server.Options{Args: []string{"--memory", setting}})
			outputs := map[string]*output{"p": toParquet(types.ParquetCompressionSnappy), "o": toORC(types.OrcCompressionSnappy)}
			for name, out := range outputs {
				s.table(name, wideTable)
				d := destination(name, openX(), out)
				d.BufferingHints = &types.BufferingHints{IntervalInSeconds: aws.Int32(900), SizeInMBs: aws.Int32(64)}
				s.stream(name, d)
			}
			l := &load{t: t, client: s.firehose(), streams: []string{"p", "o"}}
			l.run(bytes / int64(len(l.streams)))
			for name := range outputs {
				s.settled(name)
			}
			peak, err := s.server.Peak()
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("--memory %s: %d MB of JSON, the node held at most %d MiB", setting, l.bytes.Load()/1_000_000, peak>>20)
			if peak >= limit {
				t.Errorf("the node held %d bytes, %d MiB more than it was allowed", peak, (peak-limit)>>20)
			}
			rows := s.checkLarge("p/", "o/")
			if rows != l.rows.Load() {
				t.Errorf("%d rows of %d", rows, l.rows.Load())
			}
		})
	}
}

// checkLarge reads all objects of some prefixes and returns how many rows they hold. Large ones
// must have several row groups or stripes.
func (s *scene) checkLarge(prefixes ...string) (rows int64) {
	s.t.Helper()
	const large = 10 << 20
	seen := 0
	for _, prefix := range prefixes {
		for _, o := range s.objects(prefix) {
			v := theJudge().count(s.t, o.key, o.body)
			s.t.Logf("%s: %d MB, %d rows, %d groups", prefix, len(o.body)/1_000_000, v.Count, v.Groups)
			rows += int64(v.Count)
			if len(o.body) < large {
				continue
			}
			if seen++; v.Groups < 2 {
				s.t.Errorf("object %s of %d bytes has %d groups of rows", o.key, len(o.body), v.Groups)
			}
		}
	}
	if seen < len(prefixes) {
		s.t.Errorf("%d objects are large", seen)
	}
	return rows
}
