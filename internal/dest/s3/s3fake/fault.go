package s3fake

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"maps"
	"net/http"
	"time"
)

// Operation is an S3 operation by its name in the API.
type Operation string

// The operations that the fake knows.
const (
	PutObject      Operation = "PutObject"
	GetObject      Operation = "GetObject"
	HeadObject     Operation = "HeadObject"
	DeleteObject   Operation = "DeleteObject"
	ListObjects    Operation = "ListObjectsV2"
	CreateBucket   Operation = "CreateBucket"
	HeadBucket     Operation = "HeadBucket"
	CreateUpload   Operation = "CreateMultipartUpload"
	UploadPart     Operation = "UploadPart"
	CompleteUpload Operation = "CompleteMultipartUpload"
	AbortUpload    Operation = "AbortMultipartUpload"
	ListUploads    Operation = "ListMultipartUploads"
)

// Op is one request.
type Op struct {
	Operation   Operation
	Bucket, Key string
	Upload      string // id, where the request has one
	Part        int
	Bytes       int // of the body
	N           int // counts requests that are alike but for their body, from 1
}

// Kind is what a fault does.
type Kind string

// The kinds of faults.
const (
	KindPass       Kind = "pass"
	KindRefuse     Kind = "refuse"
	KindDoThenFail Kind = "do then fail"
	KindDoThenDrop Kind = "do then drop"
	KindDropBefore Kind = "drop before"
	KindDelay      Kind = "delay"
	KindDoLater    Kind = "do later"
)

// Fault is what happens to a request. The functions below make them.
type Fault struct {
	Kind   Kind
	Status int
	Code   string
	After  time.Duration
}

// Pass answers plainly.
func Pass() Fault { return Fault{Kind: KindPass} }

// Refuse answers with an error and does nothing. A status of 200 sends the error in the
// body of a success, as S3 may for CompleteMultipartUpload.
func Refuse(status int, code string) Fault {
	return Fault{Kind: KindRefuse, Status: status, Code: code}
}

// DoThenFail does what was asked and answers with an error.
func DoThenFail(status int) Fault {
	return Fault{Kind: KindDoThenFail, Status: status, Code: "InternalError"}
}

// DoThenDrop does what was asked and drops the connection instead of answering.
func DoThenDrop() Fault { return Fault{Kind: KindDoThenDrop} }

// DropBefore drops the connection and does nothing.
func DropBefore() Fault { return Fault{Kind: KindDropBefore} }

// Delay waits before it does what was asked. Nothing happens if the client hangs up first.
func Delay(d time.Duration) Fault { return Fault{Kind: KindDelay, After: d} }

// DoLater answers with an error at once and does what was asked after d, as a store that
// had it in a queue. ApplyLate hastens it.
func DoLater(d time.Duration) Fault {
	return Fault{Kind: KindDoLater, After: d, Status: http.StatusServiceUnavailable, Code: "SlowDown"}
}

// SetFault has rule decide about every request from now on; nil lets all pass. The rule is
// called by one goroutine at a time and must not call the fake.
func (f *Fake) SetFault(rule func(Op) Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if rule == nil {
		rule = func(Op) Fault { return Pass() }
	}
	f.fault = rule
}

// Fired returns how often each kind of fault has happened.
func (f *Fake) Fired() map[Kind]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.fired)
}

// Chaos returns a rule that picks one of the faults in so many of a thousand requests. What
// happens to a request follows from the seed and the request alone, whatever order they
// come in.
func Chaos(seed uint64, perMille int, faults ...Fault) func(Op) Fault {
	return func(op Op) Fault {
		h := fnv.New64a()
		_ = binary.Write(h, binary.BigEndian, seed) // a hash takes everything
		fmt.Fprintf(h, "%s\x00%s\x00%s\x00%d\x00%d", op.Operation, op.Bucket, op.Key, op.Part, op.N)
		dice := mix(h.Sum64())
		if len(faults) == 0 || int(dice%1000) >= perMille {
			return Pass()
		}
		return faults[dice/1000%uint64(len(faults))]
	}
}

// mix spreads the bits of a hash whose inputs differ in their last bytes (splitmix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// decide counts the request and asks the rule.
func (f *Fake) decide(op Op) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.received += int64(op.Bytes)
	kin := op
	kin.Bytes = 0
	f.seen[kin]++
	op.N = f.seen[kin]
	fault := f.fault(op)
	f.fired[fault.Kind]++
	return fault
}

// later remembers what to do, and does it after d unless ApplyLate comes first.
func (f *Fake) later(d time.Duration, do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := len(f.late)
	f.late = append(f.late, do)
	time.AfterFunc(d, func() {
		if do := f.takeLate(i); do != nil {
			do()
		}
	})
}

func (f *Fake) takeLate(i int) func() {
	f.mu.Lock()
	defer f.mu.Unlock()
	do := f.late[i]
	f.late[i] = nil
	return do
}

// ApplyLate does now what DoLater has put off, in the order of the requests, and returns
// how many there were.
func (f *Fake) ApplyLate() (n int) {
	f.mu.Lock()
	all := len(f.late)
	f.mu.Unlock()
	for i := range all {
		if do := f.takeLate(i); do != nil {
			do()
			n++
		}
	}
	return n
}
