package serde

import (
	"bytes"
	"time"
)

// zones remembers the zones that texts have named, so that each is loaded once.
type zones map[string]*time.Location

// Bounds of names, and of how many are remembered; the database has some 600.
const (
	maxZones    = 1024
	maxZoneName = 50
)

// shortZones are the names that Joda reads as the letter z, and their zones.
var shortZones = map[string]string{
	"UT": "UTC", "UTC": "UTC", "GMT": "UTC",
	"EST": "America/New_York", "EDT": "America/New_York", "CST": "America/Chicago", "CDT": "America/Chicago",
	"MST": "America/Denver", "MDT": "America/Denver", "PST": "America/Los_Angeles", "PDT": "America/Los_Angeles",
}

// find is the zone of a name, or nil.
func (z *zones) find(name []byte) *time.Location {
	if loc, ok := (*z)[string(name)]; ok {
		return loc
	}
	if *z == nil || len(*z) >= maxZones {
		*z = zones{}
	}
	loc, err := time.LoadLocation(string(name))
	if err != nil || string(name) == "Local" {
		loc = nil
	}
	(*z)[string(name)] = loc
	return loc
}

// takeZone takes an offset or the name of a zone.
func (f *fields) takeZone(p *jodaPart, z *zones, text []byte) (rest []byte, ok bool) {
	if p.letter == 'Z' && (p.count < 3 || len(text) > 0 && !isLetter(text[0])) {
		return f.takeOffset(text)
	}
	size := 0
	for size < len(text) && zoneByte(text[size]) {
		size++
	}
	if size == 0 || size > maxZoneName {
		return text, false
	}
	if p.letter == 'z' {
		long, known := shortZones[string(text[:size])]
		if !known {
			return text, false
		}
		f.zone = z.find([]byte(long))
	} else if f.zone = z.find(text[:size]); f.zone == nil {
		return f.takeOffset(text)
	}
	return text[size:], f.zone != nil
}

func zoneByte(c byte) bool {
	return isLetter(c) || c-'0' <= 9 || c == '/' || c == '_' || c == '-' || c == '+'
}

// takeOffset takes Z or ±HH[[:]mm[[:]ss]].
func (f *fields) takeOffset(text []byte) (rest []byte, ok bool) {
	if len(text) == 0 {
		return text, false
	}
	if text[0]|0x20 == 'z' {
		f.offset = 0
		return text[1:], true
	}
	if text[0] != '+' && text[0] != '-' {
		return text, false
	}
	hours, rest, ok := pairOf(text[1:], 23)
	if !ok {
		return text, false
	}
	offset := hours * 3600
	colon := bytes.HasPrefix(rest, []byte(":"))
	for unit := 60; unit > 0; unit /= 60 {
		next := rest
		if colon && len(next) > 0 && next[0] == ':' {
			next = next[1:]
		}
		value, behind, ok := pairOf(next, 59)
		if !ok {
			break
		}
		offset, rest = offset+value*unit, behind
	}
	if text[0] == '-' {
		offset = -offset
	}
	f.offset = offset
	return rest, true
}

// pairOf takes two digits up to a maximum.
func pairOf(text []byte, most int) (value int, rest []byte, ok bool) {
	value, next, ok := few(text, 0, 2)
	if !ok || next != 2 || value > most {
		return 0, text, false
	}
	return value, text[2:], true
}

// toUTC is the second of a wall clock's time in the zone. Where clocks were put back it is
// the earlier of two; where they were put forward there is none, as in Joda.
func (f *fields) toUTC(wall int64) (int64, bool) {
	if f.zone == nil {
		if f.offset == unset {
			return wall, true
		}
		return wall - int64(f.offset), true
	}
	_, before := time.Unix(wall-secondsOfDay, 0).In(f.zone).Zone()
	_, behind := time.Unix(wall+secondsOfDay, 0).In(f.zone).Zone()
	for _, offset := range []int{max(before, behind), min(before, behind)} {
		seconds := wall - int64(offset)
		if _, real := time.Unix(seconds, 0).In(f.zone).Zone(); real == offset {
			return seconds, true
		}
	}
	return 0, false
}
