package aws

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxSkew is how far the time of a signature may be from ours, either way (spec firehose.md
// 1.6 rule 3).
const maxSkew = 15 * time.Minute

// maxExpiry is the longest that a presigned request may be good for.
const maxExpiry = 7 * 24 * time.Hour

// claim is what a request says about its signature, taken apart, and the key it names.
type claim struct {
	credential                  string // ACCESSKEY/DAY/REGION/SERVICE/aws4_request
	id, day, region, service    string // its parts
	headers, signature, isoDate string
	date                        time.Time
	token                       string
	presigned                   bool
	expires                     time.Duration // presigned only
	key                         Key
}

// scope returns DAY/REGION/SERVICE/aws4_request.
func (c *claim) scope() string { return c.credential[len(c.id)+1:] }

// verifier checks signatures. It is safe for many goroutines.
type verifier struct {
	region      string
	credentials Credentials
	now         func() time.Time
	keys        keyCache
}

// read takes a request's signature apart, header or query form. It knows only the grammar;
// verifier.inspect judges the content. The credential's parts are filled in as soon as they
// are known, also when something else is amiss.
func (c *claim) read(r *http.Request) *refusal {
	authorization := r.Header.Get("Authorization")
	_, query := rawTarget(r)
	presigned := strings.Contains(query, "X-Amz-Signature=") || strings.Contains(query, "X-Amz-Algorithm=")
	switch {
	case authorization != "" && presigned:
		return refuse(twoSignatures, "Only one auth mechanism allowed; only the X-Amz-Algorithm "+
			"query parameter or the Authorization header should be specified")
	case presigned:
		return c.readQuery(query)
	case authorization == "":
		return refuse(noSignature, "")
	}
	return c.readHeader(r, authorization)
}

// readHeader reads AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=….
func (c *claim) readHeader(r *http.Request, authorization string) *refusal {
	c.token = r.Header.Get("X-Amz-Security-Token")
	if rest, ok := strings.CutPrefix(authorization, algorithm+" "); ok {
		for part := range strings.SplitSeq(rest, ",") {
			name, value, _ := strings.Cut(strings.Trim(part, " "), "=")
			switch name {
			case "Credential":
				c.credential = value
			case "SignedHeaders":
				c.headers = value
			case "Signature":
				c.signature = value
			}
		}
	}
	date := r.Header.Get("X-Amz-Date")
	if date == "" {
		date = r.Header.Get("Date")
	}
	if c.credential != "" {
		if err := c.readCredential(); err != nil {
			return err
		}
	}
	if c.credential == "" || c.signature == "" || c.headers == "" || date == "" {
		return refuse(badSignature, missingParts(c, date, authorization))
	}
	return c.readDate(date)
}

// missingParts words what an Authorization header lacks. The header itself is given as its
// hash, as AWS does, so that it does not end up in logs.
func missingParts(c *claim, date, authorization string) string {
	var b strings.Builder
	for _, part := range [...]struct{ name, value string }{
		{"Credential", c.credential}, {"Signature", c.signature}, {"SignedHeaders", c.headers},
	} {
		if part.value == "" {
			fmt.Fprintf(&b, "Authorization header requires '%s' parameter. ", part.name)
		}
	}
	if date == "" {
		b.WriteString("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ")
	}
	sum := sha256.Sum256([]byte(authorization))
	b.WriteString("(Hashed with SHA-256 and encoded with Base64) Authorization=")
	return b.String() + base64.StdEncoding.EncodeToString(sum[:])
}

// readQuery reads the parameters of a presigned request.
func (c *claim) readQuery(query string) *refusal {
	c.presigned = true
	values, err := amzParameters(query)
	if err != nil {
		return refuse(badQuery, err.Error())
	}
	if values["X-Amz-Algorithm"] != algorithm {
		return refuse(badQuery, "X-Amz-Algorithm only supports \""+algorithm+"\"")
	}
	for _, name := range [...]string{"Credential", "Date", "Expires", "SignedHeaders", "Signature"} {
		if values["X-Amz-"+name] == "" {
			return refuse(badQuery, "The query string must include X-Amz-"+name)
		}
	}
	c.credential, c.headers = values["X-Amz-Credential"], values["X-Amz-SignedHeaders"]
	c.signature, c.token = values["X-Amz-Signature"], values["X-Amz-Security-Token"]
	if err := c.readCredential(); err != nil {
		return err
	}
	seconds, err := strconv.ParseUint(values["X-Amz-Expires"], 10, 32)
	c.expires = time.Duration(seconds) * time.Second
	if err != nil || seconds == 0 || c.expires > maxExpiry {
		return refuse(badQuery, "X-Amz-Expires must be between 1 and 604800 seconds")
	}
	return c.readDate(values["X-Amz-Date"])
}

// amzParameters returns the X-Amz parameters of a raw query, the first of each name.
func amzParameters(query string) (map[string]string, error) {
	values := make(map[string]string)
	for part := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(part, "=")
		if _, known := values[name]; known || !strings.HasPrefix(name, "X-Amz-") {
			continue
		}
		v, err := url.QueryUnescape(value)
		if err != nil {
			return nil, fmt.Errorf("the query parameter %s cannot be read", name)
		}
		values[name] = v
	}
	return values, nil
}

// readCredential takes the credential apart.
func (c *claim) readCredential() *refusal {
	var parts [5]string
	n := 0
	for part := range strings.SplitSeq(c.credential, "/") {
		if n < len(parts) {
			parts[n] = part
		}
		n++
	}
	if n != len(parts) || parts[0] == "" {
		return refuse(badSignature, "Credential must have exactly 5 slash-delimited elements, "+
			"e.g. keyid/date/region/service/term, got '"+clip(c.credential)+"'")
	}
	c.id, c.day, c.region, c.service = parts[0], parts[1], parts[2], parts[3]
	if parts[4] != terminator {
		return refuse(badScope, "Credential should be scoped with a valid terminator: '"+
			terminator+"', not '"+clip(parts[4])+"'.")
	}
	return nil
}

// readDate reads the date and compares it with that of the scope. A Date header may also
// have HTTP's form; what was signed is then the ISO form of it.
func (c *claim) readDate(date string) *refusal {
	t, err := time.Parse(isoBasic, date)
	c.isoDate = date
	if err != nil && !c.presigned {
		t, err = http.ParseTime(date)
		c.isoDate = t.UTC().Format(isoBasic)
	}
	if err != nil {
		return refuse(badSignature, "Date must be in ISO-8601 'basic format'. Got '"+clip(date)+
			"'. See http://en.wikipedia.org/wiki/ISO_8601")
	}
	c.date = t
	if day := c.isoDate[:len(isoDay)]; c.day != day {
		return refuse(badScope, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '"+
			clip(c.day)+"' != '"+day+"', from '"+clip(date)+"'.")
	}
	return nil
}

// clip bounds what of a request is repeated in an answer.
func clip(s string) string {
	const enough = 200
	if len(s) <= enough {
		return s
	}
	return s[:enough] + "…"
}

// inspect checks all of a claim that needs neither body nor signature: scope, key, session,
// time, and that enough is signed.
func (v *verifier) inspect(r *http.Request, c *claim, p protocol, service string) *refusal {
	if c.service != service {
		return refuse(badScope, "Credential should be scoped to correct service: '"+service+"'.")
	}
	if c.region != v.region {
		return refuse(badScope, "Credential should be scoped to a valid Region, not '"+clip(c.region)+
			"'. The region of this server is '"+v.region+"'.", Field{"Region", v.region})
	}
	key, ok := v.credentials.Lookup(c.id)
	if !ok {
		return refuse(unknownKey, "", Field{"AWSAccessKeyId", clip(c.id)})
	}
	c.key = key
	now := v.now()
	// Comparing hides how much of the token was right; a key without a session has an
	// empty token, which no token fits.
	if subtle.ConstantTimeCompare([]byte(c.token), []byte(key.Token)) != 1 {
		return refuse(badToken, "")
	}
	if !key.Expires.IsZero() && !now.Before(key.Expires) {
		return refuse(expiredToken, "")
	}
	if err := c.inTime(now); err != nil {
		return err
	}
	return c.covers(r, p)
}

// inTime checks the claim's date against ours.
func (c *claim) inTime(now time.Time) *refusal {
	iso := func(t time.Time) string { return t.UTC().Format(isoBasic) }
	const skew = "15 min.)"
	if early := now.Add(maxSkew); c.date.After(early) {
		return refuse(skewed, "Signature not yet current: "+c.isoDate+" is still later than "+
			iso(early)+" ("+iso(now)+" + "+skew, c.skewFields(now)...)
	}
	if c.presigned {
		if end := c.date.Add(c.expires); now.After(end) {
			return refuse(expired, "Signature expired: "+iso(end)+" is now earlier than "+iso(now)+".",
				Field{"X-Amz-Expires", strconv.Itoa(int(c.expires / time.Second))},
				Field{"Expires", end.UTC().Format(time.RFC3339)}, Field{"ServerTime", now.UTC().Format(time.RFC3339)})
		}
		return nil
	}
	if late := now.Add(-maxSkew); c.date.Before(late) {
		return refuse(skewed, "Signature expired: "+c.isoDate+" is now earlier than "+
			iso(late)+" ("+iso(now)+" - "+skew, c.skewFields(now)...)
	}
	return nil
}

// skewFields are what S3 adds to RequestTimeTooSkewed.
func (c *claim) skewFields(now time.Time) []Field {
	return []Field{
		{"RequestTime", c.isoDate},
		{"ServerTime", now.UTC().Format(time.RFC3339)},
		{"MaxAllowedSkewMilliseconds", strconv.FormatInt(maxSkew.Milliseconds(), 10)},
	}
}

// covers checks that the headers that must be signed are: host for all services, and for
// S3 every x-amz header there is. The list has to be sorted, as the specification wants it,
// so that counting suffices.
func (c *claim) covers(r *http.Request, p protocol) *refusal {
	host, amz, last := false, 0, ""
	for name := range strings.SplitSeq(c.headers, ";") {
		if name <= last || name != strings.ToLower(name) {
			return refuse(badSignature, "SignedHeaders must be lower-case names in ascending order.")
		}
		last = name
		host = host || name == "host"
		if isAmz(name) && r.Header[headerKey(name)] != nil {
			amz++
		}
	}
	if !host {
		return refuse(headersUnsigned, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
			Field{"HeadersNotSigned", "host"})
	}
	if p != s3Rest {
		return nil
	}
	for key := range r.Header {
		if isAmz(key) {
			amz--
		}
	}
	if amz < 0 {
		return refuse(headersUnsigned, "", Field{"HeadersNotSigned", c.unsigned(r)})
	}
	return nil
}

// unsigned names an x-amz header that is not signed.
func (c *claim) unsigned(r *http.Request) string {
	signed := make(map[string]bool)
	for name := range strings.SplitSeq(c.headers, ";") {
		signed[name] = true
	}
	for key := range r.Header {
		if name := strings.ToLower(key); isAmz(key) && !signed[name] {
			return name
		}
	}
	return ""
}

// errSignature says that a signature is not the one that the key makes.
var errSignature = errors.New("signature does not match")

// compare checks the signature over the headers and the payload's hash or mode. It returns
// the key for the signatures of the chunks that may follow.
func (v *verifier) compare(r *http.Request, c *claim, p protocol, payload string) (*signingKey, error) {
	path, query := rawTarget(r)
	key := v.keys.get(c, c.key.Secret)
	forms := canonicalPaths(p, path)
	for i, form := range forms {
		if i > 0 && form == forms[0] {
			break
		}
		what := signable{
			path: form, query: query, presigned: c.presigned, headers: c.headers,
			payload: payload, date: c.isoDate, scope: c.scope(),
		}
		signature := what.sign(r, key)
		if subtle.ConstantTimeCompare(signature[:], []byte(c.signature)) == 1 {
			v.keys.keep(c, key)
			return key, nil
		}
	}
	return nil, errSignature
}
