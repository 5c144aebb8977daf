package s3

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// conditions are the preconditions of a request (RFC 9110 section 13, and the S3 API's
// pages on conditional requests).
type conditions struct {
	match, noneMatch                string
	modifiedSince, unmodifiedSince  time.Time
	hasModified, hasUnmodifiedSince bool
}

// readConditions reads the headers whose names begin with prefix: empty, or that of a
// copy's source. Dates that cannot be read are as if not there.
func readConditions(h http.Header, prefix string) conditions {
	c := conditions{match: h.Get(prefix + "If-Match"), noneMatch: h.Get(prefix + "If-None-Match")}
	var err error
	if c.modifiedSince, err = http.ParseTime(h.Get(prefix + "If-Modified-Since")); err == nil {
		c.hasModified = true
	}
	if c.unmodifiedSince, err = http.ParseTime(h.Get(prefix + "If-Unmodified-Since")); err == nil {
		c.hasUnmodifiedSince = true
	}
	return c
}

// forReading checks the conditions of a read. NotModified says that the client has the
// object already.
func (c *conditions) forReading(info *Info) error {
	modified := info.Modified.Truncate(time.Second)
	switch {
	case c.match != "" && !matchesTag(c.match, info.ETag):
		return with(errPreconditionFailed, "Condition", "If-Match")
	case c.match == "" && c.hasUnmodifiedSince && modified.After(c.unmodifiedSince):
		return with(errPreconditionFailed, "Condition", "If-Unmodified-Since")
	case c.noneMatch != "" && matchesTag(c.noneMatch, info.ETag):
		return errNotModified
	case c.noneMatch == "" && c.hasModified && !modified.After(c.modifiedSince):
		return errNotModified
	}
	return nil
}

// forCopying checks the conditions on a copy's source, where nothing is NotModified.
func (c *conditions) forCopying(info *Info) error {
	if err := c.forReading(info); err != nil {
		return errPreconditionFailed
	}
	return nil
}

// forWriting checks the conditions of a write against what it replaces, nil for nothing.
func (c *conditions) forWriting(current *Info) error {
	switch {
	case c.match != "" && current == nil:
		return errNoSuchKey
	case c.match != "" && !matchesTag(c.match, current.ETag):
		return with(errPreconditionFailed, "Condition", "If-Match")
	case c.noneMatch != "" && current != nil && matchesTag(c.noneMatch, current.ETag):
		return with(errPreconditionFailed, "Condition", "If-None-Match")
	}
	return nil
}

// readWriteConditions reads the conditions of a write. Like S3 it knows If-None-Match only
// with a star.
func readWriteConditions(h http.Header) (conditions, error) {
	c := conditions{match: h.Get("If-Match"), noneMatch: h.Get("If-None-Match")}
	if c.noneMatch != "" && c.noneMatch != "*" {
		return c, unimplemented("If-None-Match other than *")
	}
	return c, nil
}

// matchesTag reports whether a list of quoted ETags, or a star, has the tag.
func matchesTag(list, tag string) bool {
	for entry := range strings.SplitSeq(list, ",") {
		if entry = strings.TrimSpace(entry); entry == "*" || unquote(entry) == tag {
			return true
		}
	}
	return false
}

// unquote takes the quotes off an ETag.
func unquote(tag string) string { return strings.Trim(strings.TrimPrefix(tag, "W/"), `"`) }

// byteRange is a stretch of an object.
type byteRange struct {
	offset, size int64
}

// contentRange is the range as the header Content-Range has it.
func (b byteRange) contentRange(total int64) string {
	return "bytes " + strconv.FormatInt(b.offset, 10) + "-" + strconv.FormatInt(b.offset+b.size-1, 10) + "/" + strconv.FormatInt(total, 10)
}

// readRange reads a Range header for an object of the given size. ok is false for one that
// S3 ignores: another unit, several ranges, or no sense.
func readRange(header string, size int64) (r byteRange, ok bool, err error) {
	spec, found := strings.CutPrefix(header, "bytes=")
	first, last, dash := strings.Cut(strings.TrimSpace(spec), "-")
	if !found || !dash {
		return byteRange{}, false, nil
	}
	unsatisfiable := with(with(errInvalidRange, "RangeRequested", header), "ActualObjectSize", strconv.FormatInt(size, 10))
	if first == "" {
		n, valid := position(last)
		if !valid {
			return byteRange{}, false, nil
		}
		if n == 0 || size == 0 {
			return byteRange{}, false, unsatisfiable
		}
		n = min(n, size)
		return byteRange{size - n, n}, true, nil
	}
	from, valid := position(first)
	to := size - 1
	if valid && last != "" {
		to, valid = position(last)
		valid = valid && to >= from
	}
	if !valid {
		return byteRange{}, false, nil
	}
	if from >= size {
		return byteRange{}, false, unsatisfiable
	}
	return byteRange{from, min(to, size-1) - from + 1}, true, nil
}

// position reads a number of a range: digits only. One too large for any object is the
// largest.
func position(s string) (int64, bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 1<<63 - 1, true
	}
	return n, true
}
