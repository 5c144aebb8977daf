package simulation

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// streamLife is the stream of a name, through all its incarnations. Guarded by world.mu
// but for number, name and gluing.
type streamLife struct {
	number uint32
	name   string
	gluing *gluing // nil: its records are single ones
	table  *schema // nil: it does not convert
	epoch  int     // how often it was created
	doomed int     // incarnations up to this one were deleted: what they held may be discarded
	backed bool    // a backup was asked for and granted
	tags   int     // how many tags its prefixes had; each version of it has another

	partitioned bool // its incarnation is
	layouts     []*layout

	emptyAcked, emptyUnknown uint64 // empty records that clients sent
}

// compressions are those that streams are given, the most usual ones more often.
var compressions = []string{"GZIP", "UNCOMPRESSED", "GZIP", "UNCOMPRESSED", "ZIP", "Snappy", "HADOOP_SNAPPY"}

// compression draws that of a stream's objects. Rows compress themselves.
func (u ruler) compression(s *streamLife) string {
	c := compressions[u.r.IntN(len(compressions))]
	if s.table != nil {
		return "UNCOMPRESSED"
	}
	return c
}

// partitions draws whether a stream has some: each has whose records are taken apart, and none
// that converts.
func (u ruler) partitions(s *streamLife) bool {
	drawn := u.w.plan.chance.partitions && u.r.IntN(3) > 0
	return (drawn || s.gluing != nil) && s.table == nil
}

// prefix is where the stream's objects lie.
func (s *streamLife) prefix() string { return s.name + "/" }

// nextPrefix is where the objects of the stream's next version lie, and of no other.
func (s *streamLife) nextPrefix() string {
	s.tags++
	return fmt.Sprintf("%st%d/", s.prefix(), s.tags)
}

// backups is where the backups of all streams lie, by the streams' own prefixes.
const backups = "backup/"

// ruler creates and deletes streams.
type ruler struct{ *sender }

// rule creates the streams, says so, and changes, deletes and creates some until ctx ends.
func (w *world) rule(ctx context.Context, made chan<- struct{}) {
	u := ruler{w.sender("streams")}
	for _, s := range w.streams {
		u.widen(s)
		u.create(s)
	}
	close(made)
	for w.plan.chance.changes() && w.sleep(ctx, u.calm()) {
		s := w.streams[u.r.IntN(len(w.streams))]
		if !w.plan.chance.deletion || u.r.IntN(3) > 0 {
			u.change(s)
			continue
		}
		u.delete(s)
		if !w.sleep(ctx, time.Duration(u.r.IntN(30))*time.Second) || u.r.IntN(5) == 0 {
			return
		}
		u.create(s)
	}
}

// calm is how long it is until the next change. Partitions come and go fast, and so do changes
// where there are some.
func (u ruler) calm() time.Duration {
	if u.w.plan.chance.partitions {
		return time.Duration(2+u.r.IntN(90)) * time.Second
	}
	return time.Duration(30+u.r.IntN(300)) * time.Second
}

// partitionMBs is the size of the buffers of partitions, at creation or later. Where they shrink,
// what is open has become too large for one object.
func (u ruler) partitionMBs(later bool) int {
	switch {
	case !u.w.plan.heavy:
		return 1 + u.r.IntN(3)
	case later:
		return 1
	}
	return 3
}

// changes reports whether streams are changed at all.
func (c chances) changes() bool { return c.deletion || c.update || c.encryption }

// change updates the stream's destination or its encryption.
func (u ruler) change(s *streamLife) {
	c := u.w.plan.chance
	switch {
	case c.encryption && (!c.update || u.r.IntN(2) == 0):
		u.encrypt(s)
	case c.update:
		u.update(s)
	}
}

// update gives the stream a version with a prefix of its own. Nobody else changes it, so
// another version than the one just seen is that of an earlier try.
func (u ruler) update(s *streamLife) {
	var version string
	u.until("look at "+s.name, "DescribeDeliveryStream", describe(s), func(a answer) bool {
		version = versionOf(a)
		return a.status == http.StatusOK
	})
	if s.partitioned {
		u.updatePartitions(s, version)
		return
	}
	compression := u.compression(s)
	prefix, size, interval := u.nextLayout(s, false, 0).tag, 1+u.r.IntN(3), []int{0, 1, 5, 30, 60}[u.r.IntN(5)]
	backup := ""
	if s.backed || u.w.plan.chance.backup && u.r.IntN(3) == 0 {
		backup = u.backup("S3BackupUpdate", prefix)
	}
	if u.w.plan.chance.processing && u.r.IntN(2) == 0 {
		backup += u.processing(u.r.IntN(3) > 0)
	}
	body := fmt.Appendf(nil, `{"DeliveryStreamName":%q,"CurrentDeliveryStreamVersionId":%q,"DestinationId":"destinationId-000000000001",`+
		`"ExtendedS3DestinationUpdate":{"Prefix":%q,"CompressionFormat":%q,"BufferingHints":{"SizeInMBs":%d,"IntervalInSeconds":%d}%s}}`,
		s.name, version, prefix, compression, size, interval, backup)
	u.until("update "+s.name, "UpdateDestination", body, func(a answer) bool {
		return a.status == http.StatusOK || a.code == "ConcurrentModificationException"
	})
	if strings.Contains(backup, "S3BackupMode") {
		u.granted(s)
	}
	u.w.story.happened("stream updated", "%s to %s, %s, %d MiB, %d s", s.name, prefix, compression, size, interval)
}

// updatePartitions gives a partitioned stream other buffers, and mostly a prefix and processors
// of its own.
func (u ruler) updatePartitions(s *streamLife, version string) {
	more, prefix, backup := "", "", ""
	if u.r.IntN(4) > 0 {
		after, err := strconv.Atoi(version)
		if err != nil {
			u.w.t.Errorf("version %q of %s: %v", version, s.name, err)
		}
		l := u.nextLayout(s, true, after)
		prefix = l.prefix()
		if s.backed || u.w.plan.chance.backup && u.r.IntN(3) == 0 {
			backup = u.backup("S3BackupUpdate", l.tag)
		}
		more = fmt.Sprintf(`,"Prefix":%q`, prefix) + u.processors(s, l) + backup
	}
	if u.r.IntN(2) == 0 {
		more += fmt.Sprintf(`,"CompressionFormat":%q`, compressions[u.r.IntN(len(compressions))])
	}
	body := fmt.Appendf(nil, `{"DeliveryStreamName":%q,"CurrentDeliveryStreamVersionId":%q,"DestinationId":"destinationId-000000000001",`+
		`"ExtendedS3DestinationUpdate":{"BufferingHints":{"SizeInMBs":%d,"IntervalInSeconds":%d}%s}}`,
		s.name, version, u.partitionMBs(true), []int{0, 1, 5, 30, 60}[u.r.IntN(5)], more)
	u.until("update "+s.name, "UpdateDestination", body, func(a answer) bool {
		return a.status == http.StatusOK || a.code == "ConcurrentModificationException"
	})
	if backup != "" {
		u.granted(s)
	}
	u.w.story.happened("partitioned stream updated", "%s to %s", s.name, prefix)
}

// backup asks for a backup beside the objects of a prefix.
func (u ruler) backup(member, prefix string) string {
	return fmt.Sprintf(`,"S3BackupMode":"Enabled",%q:{"RoleARN":"arn:aws:iam::000000000000:role/simulation","BucketARN":"arn:aws:s3:::%s",`+
		`"Prefix":%q,"CompressionFormat":%q,"BufferingHints":{"SizeInMBs":%d,"IntervalInSeconds":%d}}`,
		member, bucket, backups+prefix, compressions[u.r.IntN(len(compressions))], 1+u.r.IntN(3), 60+u.r.IntN(60))
}

// granted notes that the stream has the backup that was asked for.
func (u ruler) granted(s *streamLife) {
	u.w.mu.Lock()
	defer u.w.mu.Unlock()
	if !s.backed {
		s.backed = true
		u.w.story.happened("backup begun", "of %s", s.name)
	}
}

// encrypt turns the stream's encryption on or off.
func (u ruler) encrypt(s *streamLife) {
	op := []string{"StartDeliveryStreamEncryption", "StopDeliveryStreamEncryption"}[u.r.IntN(2)]
	u.until(op+" "+s.name, op, describe(s), func(a answer) bool {
		return a.status == http.StatusOK || a.code == "ResourceInUseException" || a.code == "LimitExceededException"
	})
	u.w.story.happened("encryption: "+op, "%s", s.name)
}

func (u ruler) create(s *streamLife) {
	u.w.mu.Lock()
	s.epoch++
	s.backed = false
	u.w.mu.Unlock()
	compression := u.compression(s)
	size, interval := 1+u.r.IntN(3), []int{0, 1, 5, 30, 60}[u.r.IntN(5)]
	l, backup := u.nextLayout(s, u.partitions(s), 0), ""
	if u.w.plan.chance.backup && u.r.IntN(2) == 0 {
		backup = u.backup("S3BackupConfiguration", l.tag)
	}
	more, prefix := backup, l.prefix()
	if s.table != nil {
		more += u.converting(s)
	}
	if l.partitioned() {
		if size = u.partitionMBs(false); u.w.plan.heavy {
			interval = 60
		}
		more += partitioning + u.processors(s, l)
	} else if u.w.plan.chance.processing && u.r.IntN(3) > 0 {
		more += u.processing(true)
	}
	body := fmt.Appendf(nil, `{"DeliveryStreamName":%q,"ExtendedS3DestinationConfiguration":{`+
		`"RoleARN":"arn:aws:iam::000000000000:role/simulation","BucketARN":"arn:aws:s3:::%s","Prefix":%q,`+
		`"ErrorOutputPrefix":"failed/!{firehose:error-output-type}/","CompressionFormat":%q,"BufferingHints":{"SizeInMBs":%d,"IntervalInSeconds":%d}%s}}`,
		s.name, bucket, prefix, compression, size, interval, more)
	u.until("create "+s.name, "CreateDeliveryStream", body, func(a answer) bool {
		return a.status == http.StatusOK || a.code == "ResourceInUseException"
	})
	u.until("wait for "+s.name, "DescribeDeliveryStream", describe(s), func(a answer) bool {
		return a.status == http.StatusOK && status(a) == "ACTIVE"
	})
	if backup != "" {
		u.granted(s)
	}
	u.w.story.happened("stream created", "%s to %s, %s, %d MiB, %d s", s.name, prefix, compression, size, interval)
	if l.partitioned() {
		u.w.story.count("stream partitioned", 1)
	}
	if l.split != "" {
		u.w.story.count("stream taking records apart: "+l.split, 1)
	}
}

func (u ruler) delete(s *streamLife) {
	u.w.mu.Lock()
	s.doomed = s.epoch
	u.w.mu.Unlock()
	u.until("delete "+s.name, "DeleteDeliveryStream", describe(s), func(a answer) bool {
		return a.status == http.StatusOK || a.code == "ResourceNotFoundException" || a.code == "ResourceInUseException"
	})
	u.until("wait for the end of "+s.name, "DescribeDeliveryStream", describe(s), func(a answer) bool {
		return a.code == "ResourceNotFoundException"
	})
	u.w.story.happened("stream deleted", "%s", s.name)
}

func describe(s *streamLife) []byte { return fmt.Appendf(nil, `{"DeliveryStreamName":%q}`, s.name) }

// description is what is read of DescribeDeliveryStream's answer.
type description struct {
	DeliveryStreamDescription struct{ DeliveryStreamStatus, VersionId string }
}

func read(a answer) (d description) {
	if err := json.Unmarshal(a.body, &d); err != nil {
		d.DeliveryStreamDescription.DeliveryStreamStatus = fmt.Sprintf("unreadable description %q", a.body)
	}
	return d
}

func status(a answer) string { return read(a).DeliveryStreamDescription.DeliveryStreamStatus }

func versionOf(a answer) string { return read(a).DeliveryStreamDescription.VersionId }

// patience is how long a control operation may take, restarts and outages included.
const patience = 8 * time.Hour

// until repeats a request until its answer is the one wanted.
func (u ruler) until(what, op string, body []byte, done func(answer) bool) {
	for begin := time.Now(); ; time.Sleep(time.Second) {
		ok, last := false, answer{}
		u.ask(op, body, politely, func(a answer) { ok, last = a.heard && done(a), a })
		if ok {
			return
		}
		hopeless := last.code == "InvalidArgumentException" || last.code == "ValidationException"
		if hopeless || time.Since(begin) > patience {
			u.w.mu.Lock()
			u.w.books.fault("%s: not done after %s; the last answer was %d %s", what, time.Since(begin), last.status, last.body)
			u.w.mu.Unlock()
			return
		}
	}
}
