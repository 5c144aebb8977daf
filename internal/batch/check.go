package batch

import (
	"regexp"
	"strings"
	"time"
	_ "time/tzdata" // the zones must be there on every machine
	"unicode/utf16"
)

// MaxEvaluated is how many characters an evaluated prefix may have.
const MaxEvaluated = 512

// maxEvaluatedBytes keeps keys within the 1,024 bytes that S3 allows, whatever alphabet the
// prefix is written in: the longest suffix has 260.
const maxEvaluatedBytes = 1024 - 260

// longestType is the longest error-output-type of a stream to S3 (spec section 4.6).
const longestType = "format-conversion-failed"

const (
	dataMember  = "Prefix"
	errorMember = "ErrorOutputPrefix"
)

// CheckPrefixes checks the prefixes of an S3 destination in the order of spec section 4.8,
// rules 2 to 9, and its time zone; empty strings stand for absent members. dynamic says
// that dynamic partitioning is enabled. Every error is a *PrefixError with AWS's message.
func CheckPrefixes(data, failed, zone string, dynamic bool) error {
	d, err := split(data)
	if err != nil {
		return err
	}
	f, err := split(failed)
	if err != nil {
		return err
	}
	for _, p := range []prefix{d, f} {
		if err := p.checkNamespaces(); err != nil {
			return err
		}
	}
	loc, err := loadZone(zone)
	if err != nil {
		return err
	}
	if err := d.compile(dataMember, loc); err != nil {
		return err
	}
	if err := f.compile(errorMember, loc); err != nil {
		return err
	}
	if err := checkUse(d, f, dynamic); err != nil {
		return err
	}
	return checkEvaluated(d, f, loc)
}

// checkUse is rules 5 to 8: which expressions may stand where.
func checkUse(d, f prefix, dynamic bool) error {
	switch {
	case d.has(nsFirehose, errorOutputType):
		return prefixError("Prefix must not contain any occurrence of !{firehose:error-output-type}")
	case d.expressions() && len(f) == 0:
		return prefixError("ErrorOutputPrefix cannot be null or empty when Prefix contains expressions")
	case len(f) > 0 && !f.has(nsFirehose, errorOutputType):
		return prefixError("ErrorOutputPrefix must contain at least one occurrence of !{firehose:error-output-type}")
	case f.partitioned():
		return prefixError("Dynamic Partitioning Namespaces can't be part of an error prefix expression")
	case d.partitioned() && !dynamic:
		return prefixError("Dynamic Partitioning Namespaces can only be part of a prefix expression when Dynamic Partitioning is enabled.")
	case dynamic && !d.partitioned():
		return prefixError("S3 Prefix should contain Dynamic Partitioning namespaces when Dynamic Partitioning is enabled")
	}
	return nil
}

// checkEvaluated is rule 9, where texts are longest, so that a prefix that passes fits on
// every day of the year. The implicit time path does not count.
func checkEvaluated(d, f prefix, zone *time.Location) error {
	for _, m := range widest(zone) {
		if err := checkLength(d.append(nil, m, "", [16]byte{}), "prefix"); err != nil {
			return err
		}
		if err := checkLength(f.append(nil, m, longestType, [16]byte{}), errorMember); err != nil {
			return err
		}
	}
	return nil
}

func checkLength(evaluated []byte, member string) error {
	if len(utf16.Encode([]rune(string(evaluated)))) > MaxEvaluated {
		return prefixError("Length of evaluated %s cannot be greater than %d", member, MaxEvaluated)
	}
	if len(evaluated) > maxEvaluatedBytes {
		return prefixError("Length of evaluated %s cannot be greater than %d bytes in UTF-8", member, maxEvaluatedBytes)
	}
	return nil
}

// zoneName is what the API takes for a CustomTimeZone (spec section 4.5).
var zoneName = regexp.MustCompile(`^[a-zA-Z/_]{1,50}$`)

// loadZone finds a zone of the IANA database; empty means UTC. Names that Go, or the
// machine's copy of the database, knows besides are refused.
func loadZone(name string) (*time.Location, error) {
	if name == "" || name == "UTC" {
		return time.UTC, nil
	}
	switch top, _, _ := strings.Cut(name, "/"); top {
	case "Local", "localtime", "posix", "posixrules", "right", "Factory":
		return nil, unknownZone(name)
	}
	if !zoneName.MatchString(name) {
		return nil, unknownZone(name)
	}
	loc, err := time.LoadLocation(name)
	if err != nil { // the database has no such name; it has no other way to fail
		return nil, unknownZone(name)
	}
	return loc, nil
}

func unknownZone(name string) error {
	return prefixError("CustomTimeZone %s is not a known time zone", name)
}
