package blueprint

import "bytes"

// class is a set of ASCII characters, by bits.
type class uint16

const (
	digit    class = 1 << iota
	number         // digits and the dot
	space          // what \s matches
	moment         // of a date in an access log: what \w matches, colons, slashes
	hostname       // of a host in syslog
	program        // of a program in syslog
	header         // of a word in the header of RFC 5424: printable, no blank
	name           // of a name in structured data
	quoted         // for what a column of CSV needs quotes
)

// classes is for each byte the classes that it is in.
var classes = func() (t [256]class) {
	set := func(chars string, c class) {
		for _, b := range []byte(chars) {
			t[b] |= c
		}
	}
	const digits = "0123456789"
	const alnum = digits + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	set(digits, digit)
	set(digits+".", number)
	set(" \t\n\v\f\r", space)
	set(alnum+"_:/", moment)
	set(alnum+"._-", hostname)
	set(alnum+"._/%-", program)
	for b := byte('!'); b <= '~'; b++ {
		t[b] |= header
		if b != '=' && b != ']' && b != '"' {
			t[b] |= name
		}
	}
	set("\",\r\n", quoted)
	return t
}()

func is(b byte, c class) bool { return classes[b]&c != 0 }

// spanOf returns how many bytes at the front of s are in c.
func spanOf(s []byte, c class) int {
	i := 0
	for i < len(s) && classes[s[i]]&c != 0 {
		i++
	}
	return i
}

// spanNot returns how many bytes at the front of s are not in c.
func spanNot(s []byte, c class) int {
	i := 0
	for i < len(s) && classes[s[i]]&c == 0 {
		i++
	}
	return i
}

// cutClass takes from the front of s the bytes in c, one or more, that end stands behind.
func cutClass(s []byte, c class, end byte) (token, rest []byte, ok bool) {
	return cutAt(s, spanOf(s, c), end)
}

// cutText takes from the front of s what is no white space, one byte or more, and the space
// behind it.
func cutText(s []byte) (token, rest []byte, ok bool) {
	return cutAt(s, spanNot(s, space), ' ')
}

func cutAt(s []byte, n int, end byte) (token, rest []byte, ok bool) {
	if n == 0 || n == len(s) || s[n] != end {
		return nil, s, false
	}
	return s[:n], s[n+1:], true
}

// firstLine returns s up to its first LF or CR.
func firstLine(s []byte) []byte {
	if i := bytes.IndexByte(s, '\n'); i >= 0 {
		s = s[:i]
	}
	if i := bytes.IndexByte(s, '\r'); i >= 0 {
		s = s[:i]
	}
	return s
}

// trimLine returns s without one line break at its end.
func trimLine(s []byte) []byte {
	if n := len(s); n > 0 && s[n-1] == '\n' {
		s = s[:n-1]
	}
	if n := len(s); n > 0 && s[n-1] == '\r' {
		s = s[:n-1]
	}
	return s
}

// isDash reports whether s is the dash by which logs say that there is nothing.
func isDash(s []byte) bool { return len(s) == 1 && s[0] == '-' }
