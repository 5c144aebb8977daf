package aws

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// A signature is over the canonical request (spec neighbours.md 10.6):
//
//	METHOD \n URI \n QUERY \n (name:value \n)* \n SIGNED;HEADERS \n PAYLOAD
//
// The functions here write its parts. They work on the raw request target: once a path is
// decoded, a%2Fb and a/b are the same and the signature of one of them is lost.

// rawTarget returns path and query as they were sent. A request of our own, not yet sent,
// has no RequestURI and gives what will be sent.
func rawTarget(r *http.Request) (path, query string) {
	if !strings.HasPrefix(r.RequestURI, "/") {
		return r.URL.EscapedPath(), r.URL.RawQuery
	}
	path, query, _ = strings.Cut(r.RequestURI, "?")
	return path, query
}

// canonicalPaths returns the forms of a raw path that a client may have signed, the
// specified one first. The others are what clients that skip a step of the specification
// sign: the Go SDK does not normalise, and some S3 clients leave characters such as + as
// they are. All of them say no less than the raw path itself.
func canonicalPaths(p protocol, raw string) [2]string {
	if raw == "" {
		raw = "/"
	}
	if raw == "/" {
		return [2]string{raw, raw}
	}
	if p == s3Rest {
		return [2]string{string(appendRecoded(nil, raw, "/", false)), raw}
	}
	return [2]string{encodeAgain(normalised(raw)), encodeAgain(raw)}
}

// normalised drops empty and dot segments.
func normalised(path string) string {
	var out []string
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case "", ".":
		case "..":
			out = out[:max(0, len(out)-1)]
		default:
			out = append(out, segment)
		}
	}
	if strings.HasSuffix(path, "/") && len(out) > 0 {
		out = append(out, "")
	}
	return "/" + strings.Join(out, "/")
}

// encodeAgain encodes an already encoded path, percent signs and all.
func encodeAgain(path string) string {
	dst := make([]byte, 0, len(path)+16)
	for i := range len(path) {
		if path[i] == '/' {
			dst = append(dst, '/')
		} else {
			dst = appendEncoded(dst, path[i])
		}
	}
	return string(dst)
}

const upperHex = "0123456789ABCDEF"

// appendEncoded appends c as it is if it is unreserved, else as %XX.
func appendEncoded(dst []byte, c byte) []byte {
	if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '.' || c == '_' || c == '~' {
		return append(dst, c)
	}
	return append(dst, '%', upperHex[c>>4], upperHex[c&15])
}

// appendRecoded decodes s and encodes it in the canonical way. Bytes in keep stay as they
// are where they were not encoded; plus says that + is a space. A percent sign that begins
// no %XX stands for itself.
func appendRecoded(dst []byte, s, keep string, plus bool) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '%' && i+2 < len(s) && unhex(s[i+1]) < 16 && unhex(s[i+2]) < 16:
			dst = appendEncoded(dst, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
		case c == '+' && plus:
			dst = append(dst, "%20"...)
		case strings.IndexByte(keep, c) >= 0:
			dst = append(dst, c)
		default:
			dst = appendEncoded(dst, c)
		}
	}
	return dst
}

// unhex returns the value of a hexadecimal digit, 255 for anything else.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}

// appendQuery appends the canonical form of a raw query, without X-Amz-Signature if presigned.
func appendQuery(dst []byte, raw string, presigned bool) []byte {
	if raw == "" {
		return dst
	}
	type pair struct{ name, value string }
	var pairs []pair
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		p := pair{string(appendRecoded(nil, name, "", true)), string(appendRecoded(nil, value, "", true))}
		if presigned && p.name == "X-Amz-Signature" {
			continue
		}
		pairs = append(pairs, p)
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.value, b.value))
	})
	for i, p := range pairs {
		if i > 0 {
			dst = append(dst, '&')
		}
		dst = append(append(append(dst, p.name...), '='), p.value...)
	}
	return dst
}

// canonicalKeys saves finding out how net/http spells the usual signed headers.
var canonicalKeys = map[string]string{
	"accept-encoding":              "Accept-Encoding",
	"amz-sdk-invocation-id":        "Amz-Sdk-Invocation-Id",
	"amz-sdk-request":              "Amz-Sdk-Request",
	"content-encoding":             "Content-Encoding",
	"content-md5":                  "Content-Md5",
	"content-type":                 "Content-Type",
	"x-amz-content-sha256":         "X-Amz-Content-Sha256",
	"x-amz-date":                   "X-Amz-Date",
	"x-amz-decoded-content-length": "X-Amz-Decoded-Content-Length",
	"x-amz-sdk-checksum-algorithm": "X-Amz-Sdk-Checksum-Algorithm",
	"x-amz-security-token":         "X-Amz-Security-Token",
	"x-amz-target":                 "X-Amz-Target",
	"x-amz-trailer":                "X-Amz-Trailer",
	"x-amz-user-agent":             "X-Amz-User-Agent",
}

// headerKey returns how net/http spells a lower-case header name.
func headerKey(name string) string {
	if key, ok := canonicalKeys[name]; ok {
		return key
	}
	return http.CanonicalHeaderKey(name)
}

// appendHeaders appends the canonical headers and the blank line behind them. Headers that
// net/http keeps elsewhere are taken from there.
func appendHeaders(dst []byte, r *http.Request, signed string) []byte {
	for name := range strings.SplitSeq(signed, ";") {
		dst = append(append(dst, name...), ':')
		values := r.Header[headerKey(name)]
		switch {
		case name == "host":
			dst = appendTrimmed(dst, hostOf(r))
		case name == "content-length" && values == nil && r.ContentLength >= 0:
			dst = strconv.AppendInt(dst, r.ContentLength, 10)
		case name == "transfer-encoding" && values == nil:
			dst = appendValues(dst, r.TransferEncoding)
		default:
			dst = appendValues(dst, values)
		}
		dst = append(dst, '\n')
	}
	return append(dst, '\n')
}

// appendValues appends the values of one header, joined by commas.
func appendValues(dst []byte, values []string) []byte {
	for i, v := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendTrimmed(dst, v)
	}
	return dst
}

// hostOf returns the Host header as received, its port too, or as it will be sent.
func hostOf(r *http.Request) string {
	if r.Host == "" {
		return r.URL.Host
	}
	return r.Host
}

// appendTrimmed appends a header value without outer blanks, and with inner runs of spaces
// made one.
func appendTrimmed(dst []byte, v string) []byte {
	v = strings.Trim(v, " \t")
	for {
		run := strings.Index(v, "  ")
		if run < 0 {
			return append(dst, v...)
		}
		dst = append(dst, v[:run+1]...)
		v = strings.TrimLeft(v[run:], " ")
	}
}

// headersToSign lists what Signer signs.
func headersToSign(h http.Header) string {
	names := []string{"host"}
	for key := range h {
		if name := strings.ToLower(key); name == "content-type" || isAmz(key) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ";")
}

// isAmz says whether a header is one of AWS's own, which are part of what a request means.
func isAmz(key string) bool {
	return len(key) > len("x-amz-") && strings.EqualFold(key[:len("x-amz-")], "x-amz-")
}
