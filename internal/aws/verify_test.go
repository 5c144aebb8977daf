package aws

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

var sdkKey = sdk.Credentials{AccessKeyID: testID, SecretAccessKey: testSecret}

// requestsOfAllShapes are requests whose canonical form is easily got wrong.
func requestsOfAllShapes(t *testing.T) map[string]*http.Request {
	t.Helper()
	shapes := map[string]*http.Request{}
	for _, target := range []string{
		"/", "", "/bucket/key", "/bucket/a b", "/bucket/a%20b", "/bucket/a+b", "/bucket/a%2Bb", "/bucket/a%2Fb/c",
		"/bucket/%E2%82%AC%00", "/bucket//double", "/bucket/../up", "/bucket/./dot/", "/bucket/~_-.", "/bucket/!*'()",
		"/bucket/a:b@c$d&e=f;g,h", "/bucket/arn%3Aaws%3As3:::x", "/bucket/100%25", "/bucket/\u00e9",
		"/?list-type=2&prefix=a%2Fb&delimiter=/", "/b?uploads", "/b?uploads=", "/b?x=2&x=1&X=0", "/b?a=%20&b=+&c=%2B",
		"/b?k%20k=v~v&empty=&=noname", "/b?z&a&z=1&a=", "/b?q=a=b==", "/b?%E2%82%AC=1&utf=%C3%A9",
	} {
		r, err := http.NewRequest("GET", "http://localhost:4573"+target, nil)
		if err != nil {
			t.Fatal(err)
		}
		shapes["GET "+target] = r
	}
	for name, header := range map[string]http.Header{
		"repeated":  {"X-Amz-Meta-A": {"1", "2", "1"}},
		"spaces":    {"X-Amz-Meta-A": {"  a   b  c ", "   ", "d"}},
		"empty":     {"X-Amz-Meta-A": {""}},
		"quoted":    {"X-Amz-Meta-A": {`"a   b"`}},
		"many":      {"Content-Type": {"text/plain; charset=utf-8"}, "Content-Md5": {"x"}, "Cache-Control": {"no-cache"}, "X-Custom": {"y"}},
		"utf8":      {"X-Amz-Meta-A": {"\u20ac"}},
		"user":      {"User-Agent": {"not signed"}, "Expect": {"100-continue"}, "X-Amzn-Trace-Id": {"Root=1"}},
		"sdk":       {"Amz-Sdk-Request": {"attempt=1; max=3"}, "Amz-Sdk-Invocation-Id": {"id"}},
		"timestamp": {"Date": {"Thu, 15 Jan 2026 10:15:00 GMT"}},
	} {
		r, err := http.NewRequest("PUT", "http://[::1]:4573/b/k?x-id=PutObject", strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = header
		shapes["header "+name] = r
	}
	return shapes
}

func TestWhatTheSDKSignsIsAcceptedWhateverItsShape(t *testing.T) {
	for name, r := range requestsOfAllShapes(t) {
		for _, p := range []protocol{json11, s3Rest} {
			service := map[protocol]string{json11: "glue", s3Rest: "s3"}[p]
			r := r.Clone(context.Background())
			payload := hashOf("body")
			r.Header.Set("X-Amz-Content-Sha256", payload)
			signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = p == s3Rest })
			if err := signer.SignHTTP(context.Background(), sdkKey, r, payload, service, testRegion, testTime); err != nil {
				t.Fatal(err)
			}
			if err := verifyAs(t, arrived(t, r), p, service, payload); err != nil {
				t.Errorf("%s %s: %v", service, name, err)
			}
		}
	}
}

// verifyAs runs all checks of a request's signature.
func verifyAs(t *testing.T, r *http.Request, p protocol, service, payload string) error {
	t.Helper()
	w := newWorld(t)
	var c claim
	if refused := c.read(r); refused != nil {
		return p.error(refused)
	}
	if refused := w.verifier.inspect(r, &c, p, service); refused != nil {
		return p.error(refused)
	}
	_, err := w.verifier.compare(r, &c, p, payload)
	return err
}

func TestWhatTheSDKPresignsIsAcceptedWhateverItsShape(t *testing.T) {
	for name, r := range requestsOfAllShapes(t) {
		r := r.Clone(context.Background())
		q := r.URL.Query()
		q.Set("X-Amz-Expires", "60")
		r.URL.RawQuery = q.Encode()
		key := sdkKey
		signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
		uri, headers, err := signer.PresignHTTP(context.Background(), key, r, unsignedPayload, "s3", testRegion, testTime)
		if err != nil {
			t.Fatal(err)
		}
		got, err := http.NewRequest(r.Method, uri, nil)
		if err != nil {
			t.Fatal(err)
		}
		got.Header = headers
		got.ContentLength = r.ContentLength
		if err := verifyAs(t, arrived(t, got), s3Rest, "s3", unsignedPayload); err != nil {
			t.Errorf("%s: %v\n%s", name, err, uri)
		}
	}
}

// The signatures here were made by botocore 1.43.11, which normalises paths as the
// specification says and the Go SDK does not.
func TestWhatBotocoreSignsIsAccepted(t *testing.T) {
	for _, c := range botocoreSignatures {
		r := httptest.NewRequest("GET", "/", nil)
		r.RequestURI = c.target
		r.Host = "localhost:4573"
		r.Header.Set("X-Amz-Date", "20260115T101500Z")
		headers := "host;x-amz-date"
		if c.service == "s3" {
			r.Header.Set("X-Amz-Content-Sha256", emptyHash)
			headers = "host;x-amz-content-sha256;x-amz-date"
		}
		r.Header.Set("Authorization", fmt.Sprintf("%s Credential=%s/20260115/us-east-1/%s/aws4_request,SignedHeaders=%s,Signature=%s",
			algorithm, testID, c.service, headers, c.signature))
		p := json11
		if c.service == "s3" {
			p = s3Rest
		}
		if err := verifyAs(t, r, p, c.service, emptyHash); err != nil {
			t.Errorf("%s %s: %v", c.service, c.target, err)
		}
	}
}

func TestOurSignerSignsAsTheSDKDoes(t *testing.T) {
	for _, target := range []string{"/", "/b/a%20b%2Fc?list-type=2&prefix=x%2Fy", "/b/k?uploads"} {
		for _, service := range []string{"s3", "firehose"} {
			ours, err := http.NewRequest("PUT", "http://localhost:4573"+target, nil)
			if err != nil {
				t.Fatal(err)
			}
			ours.Header.Set("Content-Type", "application/json")
			ours.Header.Set("X-Amz-Meta-B", "x   y")
			if service == "s3" {
				ours.Header.Set("X-Amz-Content-Sha256", emptyHash)
			}
			theirs := ours.Clone(context.Background())
			NewSigner(testID, testSecret, "token", service, testRegion).Sign(ours, emptyHash, testTime)
			key := sdkKey
			key.SessionToken = "token"
			signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = service == "s3" })
			if err := signer.SignHTTP(context.Background(), key, theirs, emptyHash, service, testRegion, testTime); err != nil {
				t.Fatal(err)
			}
			if a, b := ours.Header.Get("Authorization"), theirs.Header.Get("Authorization"); a != b {
				t.Errorf("%s %s:\n%s\n%s", service, target, a, b)
			}
		}
	}
}

func TestARequestChangedAnywhereIsRefused(t *testing.T) {
	body := `{"DeliveryStreamName":"clicks"}`
	original := func() *http.Request {
		r := putRequest(body)
		r.Header.Set("X-Amz-Meta", "a")
		return signed(r, "firehose", hashOf(body))
	}
	changes := map[string]func(r *http.Request){
		"method":        func(r *http.Request) { r.Method = "PUT" },
		"path":          func(r *http.Request) { r.RequestURI = "/x" },
		"query":         func(r *http.Request) { r.RequestURI = "/?a=b" },
		"host":          func(r *http.Request) { r.Host = "localhost" },
		"target":        func(r *http.Request) { r.Header.Set("X-Amz-Target", "Firehose_20150804.PutRecordBatch") },
		"content type":  func(r *http.Request) { r.Header.Set("Content-Type", "application/json") },
		"header added":  func(r *http.Request) { r.Header.Add("X-Amz-Meta", "b") },
		"header gone":   func(r *http.Request) { r.Header.Del("X-Amz-Meta") },
		"date":          func(r *http.Request) { r.Header.Set("X-Amz-Date", "20260115T101501Z") },
		"body":          func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(strings.ToUpper(body))) },
		"declared hash": func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", hashOf("other")) },
		"true hash":     func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", unsignedPayload) },
		"signature":     replace("Signature=", "Signature=0"),
		"signed list":   replace("content-type;host", "host"),
	}
	w := newWorld(t)
	if rec := w.ask(original()); rec.Code != 200 {
		t.Fatalf("unchanged: %d %s", rec.Code, rec.Body)
	}
	for name, change := range changes {
		r := original()
		change(r)
		code, message := jsonError(t, w.ask(r))
		if name == "method" || name == "path" {
			// The order of the checks: the target comes before the signature.
			if name == "method" && code != "UnknownOperationException" {
				t.Errorf("%s: %s", name, code)
			}
			continue
		}
		if code != "InvalidSignatureException" || message != mismatchText {
			t.Errorf("%s: %s %s", name, code, message)
		}
	}
	r := original()
	signature := r.Header.Get("Authorization")
	for i := len(signature) - 64; i < len(signature); i++ {
		flipped := []byte(signature)
		flipped[i] ^= 1
		r := original()
		r.Header.Set("Authorization", string(flipped))
		if code, _ := jsonError(t, w.ask(r)); code != "InvalidSignatureException" {
			t.Errorf("digit %d changed: %s", i, code)
		}
	}
}

// replace changes the Authorization header.
func replace(from, to string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), from, to, 1))
	}
}

func TestRefusalsSayWhatAWSSays(t *testing.T) {
	for _, c := range []struct {
		name          string
		change        func(r *http.Request)
		code, message string
	}{
		{"no signature", func(r *http.Request) { r.Header.Del("Authorization") },
			"MissingAuthenticationTokenException", "Missing Authentication Token"},
		{"other scheme", func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") },
			"IncompleteSignatureException", "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. (Hashed with SHA-256 and encoded with Base64) Authorization=uTem/WB082UJMN2ajD6lH6UChGpTAddMJSx2iu923No="},
		{"no parts", func(r *http.Request) {
			r.Header.Set("Authorization", algorithm+" Credential=a/b")
			r.Header.Del("X-Amz-Date")
		}, "IncompleteSignatureException", "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'a/b'"},
		{"no date", func(r *http.Request) { r.Header.Del("X-Amz-Date") },
			"IncompleteSignatureException", "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "},
		{"odd date", func(r *http.Request) { r.Header.Set("X-Amz-Date", "yesterday") },
			"IncompleteSignatureException", "Date must be in ISO-8601 'basic format'. Got 'yesterday'. See http://en.wikipedia.org/wiki/ISO_8601"},
		{"key", replace(testID, "HYDRBBBBBBBBBBBBBBBB"),
			"UnrecognizedClientException", "The security token included in the request is invalid."},
		{"token nobody gave", func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "x") },
			"UnrecognizedClientException", "The security token included in the request is invalid."},
		{"region", replace("us-east-1", "eu-west-1"),
			"InvalidSignatureException", "Credential should be scoped to a valid Region, not 'eu-west-1'. The region of this server is 'us-east-1'."},
		{"service", replace("/firehose/", "/s3/"),
			"InvalidSignatureException", "Credential should be scoped to correct service: 'firehose'."},
		{"terminator", replace("aws4_request", "aws5_request"),
			"InvalidSignatureException", "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'."},
		{"day", replace("20260115", "20260114"),
			"InvalidSignatureException", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20260114' != '20260115', from '20260115T101500Z'."},
		{"host not signed", replace("host;", ""),
			"InvalidSignatureException", "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
		{"list not sorted", replace("content-type;host", "host;content-type"),
			"IncompleteSignatureException", "SignedHeaders must be lower-case names in ascending order."},
		{"two signatures", func(r *http.Request) { r.RequestURI = "/?X-Amz-Signature=1" },
			"IncompleteSignatureException", "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or the Authorization header should be specified"},
		{"unknown service", func(r *http.Request) {
			r.Header.Set("X-Amz-Target", "Kinesis_20131202.PutRecord")
			replace("/firehose/", "/kinesis/")(r)
		}, "InvalidSignatureException", "Credential should be scoped to a service of this server (firehose, s3), not 'kinesis'."},
		{"unknown operation", func(r *http.Request) { r.Header.Set("X-Amz-Target", "Firehose_20150804.putrecord") },
			"UnknownOperationException", ""},
		{"unknown operation without a signature", func(r *http.Request) {
			r.Header.Set("X-Amz-Target", "Firehose_20150804.putrecord")
			r.Header.Del("Authorization")
		}, "UnknownOperationException", ""},
		{"other API without a signature", func(r *http.Request) {
			r.Header.Set("X-Amz-Target", "Kinesis_20131202.PutRecord")
			r.Header.Del("Authorization")
		}, "UnknownOperationException", ""},
		{"neither target nor signature", func(r *http.Request) {
			r.Header.Del("X-Amz-Target")
			r.Header.Del("Authorization")
		}, "UnknownOperationException", ""},
		{"an action and no signature", func(r *http.Request) {
			r.Header = http.Header{}
			r.URL.RawQuery = "Action=PutRecord"
		}, "MissingAuthenticationTokenException", "Missing Authentication Token"},
	} {
		w := newWorld(t)
		r := signed(putRequest("{}"), "firehose", hashOf("{}"))
		c.change(r)
		rec := w.ask(r)
		code, message := jsonError(t, rec)
		if rec.Code != 400 || code != c.code || !strings.HasPrefix(message, c.message) || c.message == "" && message != "" {
			t.Errorf("%s: %d %s %q", c.name, rec.Code, code, message)
		}
	}
}

func TestTimesOutsideFifteenMinutesAreRefused(t *testing.T) {
	for _, c := range []struct {
		off     time.Duration
		message string
	}{
		{15 * time.Minute, ""},
		{-15 * time.Minute, ""},
		{15*time.Minute + time.Second, "Signature expired: 20260115T101500Z is now earlier than 20260115T101501Z (20260115T103001Z - 15 min.)"},
		{-15*time.Minute - time.Second, "Signature not yet current: 20260115T101500Z is still later than 20260115T101459Z (20260115T095959Z + 15 min.)"},
	} {
		w := newWorld(t)
		w.now = testTime.Add(c.off)
		rec := w.ask(signed(putRequest("{}"), "firehose", hashOf("{}")))
		if c.message == "" {
			if rec.Code != 200 {
				t.Errorf("%v: %s", c.off, rec.Body)
			}
			continue
		}
		if code, message := jsonError(t, rec); code != "InvalidSignatureException" || message != c.message {
			t.Errorf("%v: %s %s", c.off, code, message)
		}
	}
}

func TestADateHeaderServesInPlaceOfXAmzDate(t *testing.T) {
	r := httptest.NewRequest("POST", "http://h/", strings.NewReader("{}"))
	r.Header.Set("X-Amz-Target", "Firehose_20150804.PutRecord")
	r.Header.Set("Date", "Thu, 15 Jan 2026 10:15:00 GMT")
	what := signable{
		path: "/", headers: "date;host;x-amz-target", payload: hashOf("{}"),
		date: "20260115T101500Z", scope: "20260115/us-east-1/firehose/aws4_request",
	}
	signature := what.sign(r, newSigningKey(testSecret, "20260115", testRegion, "firehose"))
	r.Header.Set("Authorization", algorithm+" Credential="+testID+"/"+what.scope+",SignedHeaders="+what.headers+",Signature="+string(signature[:]))
	if rec := newWorld(t).ask(r); rec.Code != 200 {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

func TestSessionKeysNeedTheirTokenAndEnd(t *testing.T) {
	w := newWorld(t)
	w.keys["ASIA"] = Key{Secret: testSecret, Token: "right", Expires: testTime.Add(time.Hour), Owner: "user/alice"}
	w.do = func(_ context.Context, c *Call) error { c.Out = append(c.Out, c.ARN()...); return nil }
	ask := func(token Secret) *httptest.ResponseRecorder {
		r := putRequest("{}")
		NewSigner("ASIA", testSecret, token, "firehose", testRegion).Sign(r, hashOf("{}"), testTime)
		return w.ask(r)
	}
	if rec := ask("right"); rec.Code != 200 || rec.Body.String() != "arn:aws:iam::000000000000:user/alice" {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	for _, token := range []Secret{"", "wrong", "right "} {
		if code, _ := jsonError(t, ask(token)); code != "UnrecognizedClientException" {
			t.Errorf("token %q: %s", string(token), code)
		}
	}
	w.keys["ASIA"] = Key{Secret: testSecret, Token: "right", Expires: testTime}
	if code, message := jsonError(t, ask("right")); code != "ExpiredTokenException" || message != "The security token included in the request is expired" {
		t.Errorf("%s %s", code, message)
	}
}

func TestANewSecretReplacesTheOldAtOnce(t *testing.T) {
	w := newWorld(t)
	r := func() *http.Request { return signed(putRequest("{}"), "firehose", hashOf("{}")) }
	for range 2 {
		if rec := w.ask(r()); rec.Code != 200 {
			t.Fatal(rec.Body)
		}
	}
	w.keys[testID] = Key{Secret: "another", Owner: "root"}
	if code, _ := jsonError(t, w.ask(r())); code != "InvalidSignatureException" {
		t.Errorf("the old secret still signs: %s", code)
	}
	delete(w.keys, testID)
	if code, _ := jsonError(t, w.ask(r())); code != "UnrecognizedClientException" {
		t.Errorf("a removed key still signs: %s", code)
	}
}

func TestTheKeyCacheIsBoundedAndClosedToStrangers(t *testing.T) {
	w := newWorld(t)
	bad := signed(putRequest("{}"), "firehose", hashOf("other"))
	w.ask(bad)
	if n := len(w.verifier.keys.keys); n != 0 {
		t.Errorf("a wrong signature left %d keys", n)
	}
	for i := range maxSigningKeys + 10 {
		c := &claim{credential: fmt.Sprint(i)}
		w.verifier.keys.keep(c, newSigningKey("s", "d", "r", "s"))
	}
	if n := len(w.verifier.keys.keys); n > maxSigningKeys {
		t.Errorf("%d keys", n)
	}
}

func TestPresignedRequestsEnd(t *testing.T) {
	presign := func(service, payload, expires string, body []byte) *http.Request {
		r, err := http.NewRequest("POST", "http://localhost:4573/?X-Amz-Expires="+expires, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if service == "firehose" {
			r.URL.RawQuery += "&Action=PutRecord"
		}
		uri, headers, err := v4.NewSigner().PresignHTTP(context.Background(), sdkKey, r, payload, service, testRegion, testTime)
		if err != nil {
			t.Fatal(err)
		}
		r.URL, err = url.Parse(uri)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = headers
		return arrived(t, r)
	}
	for _, c := range []struct {
		expires string
		after   time.Duration
		code    string
	}{
		{"60", time.Minute, ""}, {"60", 61 * time.Second, "AccessDenied"}, {"604800", 7 * 24 * time.Hour, ""},
		{"604801", 0, "AuthorizationQueryParametersError"}, {"0", 0, "AuthorizationQueryParametersError"},
		{"-1", 0, "AuthorizationQueryParametersError"}, {"60", -15 * time.Minute, ""}, {"60", -16 * time.Minute, "RequestTimeTooSkewed"},
	} {
		w := newWorld(t)
		w.now = testTime.Add(c.after)
		rec := w.ask(presign("s3", unsignedPayload, c.expires, []byte("anything")))
		if c.code == "" && (rec.Code != 200 || rec.Body.String() != "anything") || !strings.Contains(rec.Body.String(), c.code) {
			t.Errorf("expires %s, after %v: %d %s", c.expires, c.after, rec.Code, rec.Body)
		}
	}
	w := newWorld(t)
	if rec := w.ask(presign("firehose", hashOf("{}"), "60", []byte("{}"))); rec.Code != 200 {
		t.Errorf("JSON, presigned: %s", rec.Body)
	}
	for _, payload := range []string{unsignedPayload, emptyHash} {
		if code, _ := jsonError(t, w.ask(presign("firehose", payload, "60", []byte("{}")))); code != "InvalidSignatureException" {
			t.Errorf("JSON body that was not signed (%s): %s", payload, code)
		}
	}
}

// Whatever a stranger sends as a signature is refused, in bounded words and without a panic.
func FuzzSignature(f *testing.F) {
	r := signed(putRequest("{}"), "firehose", hashOf("{}"))
	f.Add(r.Header.Get("Authorization"), "20260115T101500Z", "/")
	f.Add("", "", "/b/%2e%2E//k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a%2Fb%2Fc%2Fs3%2Faws4_request&X-Amz-Date=20260115T101500Z&X-Amz-Expires=1&X-Amz-SignedHeaders=host&X-Amz-Signature=0")
	f.Add(algorithm+" Credential=a/20260115/us-east-1/s3/aws4_request,SignedHeaders=;;,Signature=", "Thu, 15 Jan 2026 10:15:00 GMT", "/?&&=&%")
	w := newWorld(f)
	w.keys[testID] = Key{Secret: "another", Owner: "root"} // that no signature here was made with
	f.Fuzz(func(t *testing.T, authorization, date, target string) {
		r := putRequest("{}")
		r.RequestURI = target
		r.Header["Authorization"], r.Header["X-Amz-Date"] = []string{authorization}, []string{date}
		rec := w.ask(r)
		if rec.Code < 400 || rec.Body.Len() > 4096 {
			t.Fatalf("%d %s", rec.Code, rec.Body)
		}
		r.Header.Del("X-Amz-Target")
		if rec := w.ask(r); rec.Code < 400 {
			t.Fatalf("%d %s", rec.Code, rec.Body)
		}
	})
}

// A canonical text is its own canonical form.
func FuzzRecode(f *testing.F) {
	f.Add("/a%2Fb/%zz%4/+ \xff")
	f.Fuzz(func(t *testing.T, s string) {
		once := string(appendRecoded(nil, s, "/", false))
		if twice := string(appendRecoded(nil, once, "/", false)); twice != once {
			t.Fatalf("%q, then %q", once, twice)
		}
		query := string(appendQuery(nil, s, false))
		if again := string(appendQuery(nil, query, false)); again != query {
			t.Fatalf("%q, then %q", query, again)
		}
	})
}
