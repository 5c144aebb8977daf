package firehose

import (
	"strings"
	"unicode/utf8"
)

// sample has texts that fit and break a pattern. They grow where they have an ellipsis, by
// as many times pad as their length asks for.
type sample struct {
	fits, breaks string
	pad          string // "" is "a"
	short        string // has fewer characters than any shape with this pattern allows
	shortFits    bool   // short fits nevertheless
}

// samples are of all patterns of the model, so the matchers are tried with them, too.
var samples = map[string]sample{
	"":                {fits: "…"},
	`[a-zA-Z0-9_.-]+`: {fits: "…", breaks: "a b"},
	`[a-zA-Z0-9-]+`:   {fits: "…", breaks: "a.b"},
	`[0-9]+`:          {fits: "…", pad: "1", breaks: "1a"},
	`^(?!aws:)[\p{L}\p{Z}\p{N}_.:\/=+\-@%]*$`: {fits: "é 1/…", breaks: "aws:x", shortFits: true},
	`^[\p{L}\p{Z}\p{N}_.:\/=+\-@%]*$`:         {fits: "aws:…", breaks: "a?"},
	`^\S+$`:                                   {fits: "\u00a0…", breaks: "a\vb"},
	`^(?!\s*$).+`:                             {fits: " a…", breaks: " \t"},
	`[\.\-_/#A-Za-z0-9]*`:                     {fits: "/aws/…", breaks: "a b"},
	`[^:*]*`:                                  {fits: "…", breaks: "a:b"},
	`^(|\.[0-9a-z!\-_.*'()]+)$`:               {fits: ".a…", breaks: "json"},
	`^$|[a-zA-Z/_]+`:                          {fits: "Asia/…", breaks: "UTC+1"},
	`[\u0001-\uFFFF]*`:                        {fits: "…", pad: "é", breaks: "😀", shortFits: true},
	`[a-zA-Z0-9\.\_]+`:                        {fits: "…", breaks: "a-b"},
	`[a-zA-Z0-9\\._\\-]+`:                     {fits: `\…`, breaks: "a b"},

	`arn:.*`:                      {fits: "arn:…", breaks: "a"},
	`arn:.*:s3:::[\w\.\-]{1,255}`: {fits: "arn:…:s3:::logs", breaks: "arn:aws:s3:::"},
	`arn:.*:iam::\d{12}:role/[a-zA-Z_0-9+=,.@\-_/]+`:                           {fits: "arn:…:iam::123456789012:role/fh", breaks: "arn:aws:iam::1:role/fh"},
	`arn:.*:kms:[a-zA-Z0-9\-]+:\d{12}:(key|alias)/[a-zA-Z_0-9+=,.@\-_/]+`:      {fits: "arn:…:kms:us-east-1:123456789012:key/k", breaks: "arn:aws:kms:us-east-1:123456789012:k"},
	`arn:.*:kinesis:[a-zA-Z0-9\-]+:\d{12}:stream/[a-zA-Z0-9_.-]+`:              {fits: "arn:…:kinesis:us-east-1:123456789012:stream/k", breaks: "arn:aws:kinesis:us-east-1:123456789012:k"},
	`arn:.*:es:[a-zA-Z0-9\-]+:\d{12}:domain/[a-z][-0-9a-z]{2,27}`:              {fits: "arn:…:es:us-east-1:123456789012:domain/logs", breaks: "arn:aws:es:us-east-1:123456789012:domain/1"},
	`arn:.*:glue:.*:\d{12}:catalog(?:(/[a-z0-9_-]+){1,2})?`:                    {fits: "arn:…:glue:us-east-1:123456789012:catalog/a/b", breaks: "arn:aws:glue:us-east-1:123456789012:catalog/a/b/c"},
	`arn:.*:secretsmanager:[a-zA-Z0-9\-]+:\d{12}:secret:[a-zA-Z0-9\-/_+=.@!]+`: {fits: "arn:…:secretsmanager:us-east-1:123456789012:secret:s", breaks: "arn:aws:secretsmanager:us-east-1:123456789012:secret:"},
	`https:.*`:   {fits: "https:…", breaks: "http://a"},
	`https://.*`: {fits: "https://…", breaks: "http://a"},
	`s3:\/\/.*`:  {fits: "s3://…", breaks: "s3:/a"},

	`jdbc:(redshift|postgresql)://((?!-)[A-Za-z0-9-]{1,63}(?<!-)\.)+(redshift(-serverless)?)\.([a-zA-Z0-9\.\-]+):\d{1,5}/[a-zA-Z0-9_$-]+`: {
		fits: "jdbc:redshift://c.us-east-1.redshift.a…:5439/dev", breaks: "jdbc:redshift://-c.redshift.amazonaws.com:5439/dev"},
	`.+?\.snowflakecomputing\.com`: {fits: "a….snowflakecomputing.com", breaks: "….snowflakecomputing.org", short: ".snowflakecomputing.com"},
	`([a-zA-Z0-9\-\_]+\.){2,3}vpce\.[a-zA-Z0-9\-]*\.vpce-svc\-[a-zA-Z0-9\-]{17}$`: {
		fits: "a.b.vpce.….vpce-svc-12345678901234567", breaks: "a.vpce.….vpce-svc-12345678901234567", short: "a.b.vpce"},
	`^(?:[A-Za-z0-9+\/]{4})*(?:[A-Za-z0-9+\/]{2}==|[A-Za-z0-9+\/]{3}=)?$`: {
		fits: "…", pad: "MII+", breaks: "…M", short: "MII=", shortFits: true},
}

// text is a text of at least n characters that fits.
func (s sample) text(n int64) string { return s.grown(s.fits, n) }

// wrong is a text of at least n characters that breaks the pattern.
func (s sample) wrong(n int64) string { return s.grown(s.breaks, n) }

func (s sample) grown(template string, n int64) string {
	pad := s.pad
	if pad == "" {
		pad = "a"
	}
	length := int64(utf8.RuneCountInString(strings.Replace(template, "…", "", 1)))
	unit := int64(utf8.RuneCountInString(pad))
	return strings.Replace(template, "…", strings.Repeat(pad, int((max(n-length, 0)+unit-1)/unit)), 1)
}
