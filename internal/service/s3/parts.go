package s3

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"hydrant/internal/aws"
)

// part is one part of an upload. All that is known of it is in the name of its file,
//
//	<number>.<sequence>.<bytes>.<tag in hex>[-0].<checksum algorithm>-<checksum in hex>
//
// with none in the place of a checksum, so that a part appears with its description at
// once. The sequence grows with each part that the upload is given: of two files of one
// number the later counts.
type part struct {
	number    int
	sequence  uint64
	size      int64
	tag       []byte
	quick     bool
	algorithm string
	sum       []byte
	modified  time.Time // of the file
}

func (p *part) etag() string { return etagOf(p.tag, p.quick) }

// checksum is the part's checksum, zero if it has none.
func (p *part) checksum() Checksum {
	d := digest{sum: p.sum}
	return d.checksum(p.algorithm)
}

// fileName is the name of the part's file.
func (p *part) fileName() string {
	sum := "none"
	if p.algorithm != "" {
		sum = p.algorithm + "-" + hex.EncodeToString(p.sum)
	}
	return fmt.Sprintf("%05d.%d.%d.%s.%s", p.number, p.sequence, p.size, p.etag(), sum)
}

// parsePart reads a file name back. It is false for the names of other files.
func parsePart(name string) (part, bool) {
	fields := strings.Split(name, ".")
	if len(fields) != 5 {
		return part{}, false
	}
	var p part
	var errs [5]error
	p.number, errs[0] = strconv.Atoi(fields[0])
	p.sequence, errs[1] = strconv.ParseUint(fields[1], 10, 64)
	p.size, errs[2] = strconv.ParseInt(fields[2], 10, 64)
	tag, quick := strings.CutSuffix(fields[3], "-0")
	p.quick = quick
	p.tag, errs[3] = hex.DecodeString(tag)
	if algorithm, sum, ok := strings.Cut(fields[4], "-"); ok {
		p.algorithm = algorithm
		p.sum, errs[4] = hex.DecodeString(sum)
		if h := aws.NewChecksum(algorithm); h == nil || h.Size() != len(p.sum) {
			return part{}, false
		}
	}
	if errors.Join(errs[:]...) != nil || p.number < 1 || p.number > maxParts || p.size < 0 || p.fileName() != name {
		return part{}, false
	}
	return p, true
}

// readParts returns the parts in an upload's folder by number, and the highest sequence.
func readParts(folder string) ([]part, uint64, error) {
	entries, err := os.ReadDir(folder)
	if isAbsent(err) {
		return nil, 0, errNoSuchUpload
	}
	if err != nil {
		return nil, 0, err
	}
	var parts []part
	var highest uint64
	for _, e := range entries {
		p, ok := parsePart(e.Name())
		if !ok {
			continue
		}
		file, err := e.Info()
		if isAbsent(err) {
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		p.modified = file.ModTime()
		highest = max(highest, p.sequence)
		parts = append(parts, p)
	}
	slices.SortFunc(parts, func(a, b part) int {
		if a.number != b.number {
			return a.number - b.number
		}
		if a.sequence > b.sequence {
			return -1
		}
		return 1
	})
	parts = slices.CompactFunc(parts, func(a, b part) bool { return a.number == b.number })
	return parts, highest, nil
}

// wantedPart is a part as CompleteMultipartUpload names it.
type wantedPart struct {
	number    int
	etag      string // without quotes
	algorithm string // of the checksum given; empty for none
	sum       string // base64
}

// chooseParts finds the wanted parts among those there are, and checks what S3 asks of them.
func chooseParts(have []part, wanted []wantedPart, smallest int64) ([]part, error) {
	if len(wanted) == 0 {
		return nil, errMalformedXML
	}
	for i := range wanted[1:] {
		if wanted[i+1].number <= wanted[i].number {
			return nil, errInvalidPartOrder
		}
	}
	out := make([]part, 0, len(wanted))
	for i, w := range wanted {
		at, ok := slices.BinarySearchFunc(have, w.number, func(p part, n int) int { return p.number - n })
		missing := with(with(errInvalidPart, "PartNumber", strconv.Itoa(w.number)), "ETag", w.etag)
		if !ok || have[at].etag() != w.etag {
			return nil, missing
		}
		p := have[at]
		if c := p.checksum(); w.algorithm != "" && c.Algorithm != "" && (c.Algorithm != w.algorithm || c.Value != w.sum) {
			return nil, missing
		}
		if i < len(wanted)-1 && p.size < smallest {
			return nil, with(with(with(errEntityTooSmall, "ProposedSize", strconv.FormatInt(p.size, 10)),
				"MinSizeAllowed", strconv.FormatInt(smallest, 10)), "PartNumber", strconv.Itoa(w.number))
		}
		out = append(out, p)
	}
	return out, nil
}

// runsOf sums up parts of one size that follow each other, with their numbers if those are
// needed.
func runsOf(parts []part, numbered bool) (runs []PartRun, total int64) {
	for _, p := range parts {
		total += p.size
		if n := len(runs) - 1; n >= 0 && runs[n].Size == p.size && (!numbered || runs[n].First+runs[n].Count == p.number) {
			runs[n].Count++
			continue
		}
		run := PartRun{Count: 1, Size: p.size}
		if numbered {
			run.First = p.number
		}
		runs = append(runs, run)
	}
	return runs, total
}
