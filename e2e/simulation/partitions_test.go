package simulation

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// value is a member of a record that is to be a partition key.
type value struct {
	raw  string // in JSON; empty: the record does not have it
	key  string // as a key; empty: it cannot be one
	text bool
}

// keys are what a record has for partition keys. The zero one is of a record that is no JSON.
type keys struct {
	json bool
	k    value // for the query
	u    int   // for the query, always good
	f    value // for the function, which hands it on

	misfit string // what stands in u's place; empty: u
}

// members are those of the record.
func (k keys) members() string {
	s := `,"u":` + cmp.Or(k.misfit, fmt.Sprint(k.u))
	if k.f.raw != "" {
		s += `,"f":` + k.f.raw
	}
	if k.k.raw != "" {
		s += `,"k":` + k.k.raw
	}
	return s
}

// drawKeys draws those of a record, of which few are of no use.
func drawKeys(r *rand.Rand, most int) keys {
	k := keys{json: true, k: drawValue(r, most), u: r.IntN(1000), f: drawValue(r, most/4+1)}
	if !k.f.text { // a function's keys are texts
		k.f = value{}
	}
	return k
}

func drawValue(r *rand.Rand, most int) value {
	switch n := r.IntN(60); n {
	case 0:
		return value{}
	case 1, 2, 3, 4:
		return value{raw: []string{"null", `["a"]`, `{"a":"b"}`, "[]"}[n-1]}
	case 5:
		return value{raw: `""`, text: true}
	case 6:
		return value{raw: `"bell\u0007"`, text: true}
	case 7:
		return value{raw: `"` + strings.Repeat("long", 300) + `"`, text: true}
	case 8:
		return value{raw: "12.5", key: "12.5"}
	case 9:
		return value{raw: "true", key: "true"}
	}
	n := r.IntN(most)
	s := fmt.Sprintf("p%d", n)
	switch {
	case n%7 == 3:
		s = "deep/" + s
	case n%11 == 4:
		s = "é " + s
	}
	return value{raw: `"` + s + `"`, key: s, text: true}
}

// query is one of jq that makes keys, and what it makes of a record: an empty key is none.
type query struct {
	text  string
	names []string
	make  func(keys) []string
}

var queries = []query{
	{`{k:.k}`, []string{"k"}, func(k keys) []string { return []string{k.k.key} }},
	{`{k:.k,u:.u}`, []string{"k", "u"}, func(k keys) []string { return []string{k.k.key, fmt.Sprint(k.u)} }},
	{`{m:(.u%3),k:.k}`, []string{"m", "k"}, func(k keys) []string { return []string{fmt.Sprint(k.u % 3), k.k.key} }},
	{`{up:(.k|ascii_upcase)}`, []string{"up"}, func(k keys) []string {
		if !k.k.text {
			return []string{""}
		}
		return []string{strings.Map(func(c rune) rune {
			if 'a' <= c && c <= 'z' {
				c -= 'a' - 'A'
			}
			return c
		}, k.k.key)}
	}},
}

// The namespaces of a prefix. The zero one is that of text.
const (
	fromQuery    = "partitionKeyFromQuery"
	fromFunction = "partitionKeyFromLambda"
	byTime       = "timestamp"
	byChance     = "firehose"
)

// segment is a part of a prefix.
type segment struct{ namespace, value string }

// randomChars is how long a random string is.
const randomChars = 11

// moments are the patterns of timestamps, and how Go writes them.
var moments = map[string]string{
	"yyyy/MM/dd/HH": "2006/01/02/15", "yyyy-MM-dd-HH-mm": "2006-01-02-15-04", "yyyy-MM-dd'T'HH-mm-ss": "2006-01-02T15-04-05",
}

// layout is where a version of a stream puts its objects.
type layout struct {
	tag      string // begins all its keys, and those of no other version
	epoch    int    // the incarnation
	after    int    // its number is higher
	segments []segment
	query    *query // nil: none
	function bool   // makes keys
	split    string // the type of sub-records; empty: records stay whole
}

// partitioned reports whether its records are partitioned.
func (l *layout) partitioned() bool { return len(l.segments) > 0 }

// drawLayout draws the prefix of a partitioned stream behind a tag.
func (p *plan) drawLayout(r *rand.Rand, tag string) *layout {
	if p.heavy {
		return &layout{tag: tag, query: &queries[0], segments: []segment{{value: tag + "k="}, {fromQuery, "k"}, {value: "/"}}}
	}
	l := &layout{tag: tag, function: p.chance.processing && r.IntN(2) == 0}
	var middle []segment
	if !l.function || r.IntN(3) > 0 {
		l.query = &queries[r.IntN(len(queries))]
		for _, name := range l.query.names {
			middle = append(middle, segment{fromQuery, name})
		}
	}
	if l.function {
		middle = append(middle, segment{fromFunction, "f"})
	}
	if r.IntN(2) == 0 {
		middle = append(middle, segment{byTime, []string{"yyyy/MM/dd/HH", "yyyy-MM-dd-HH-mm", "yyyy-MM-dd'T'HH-mm-ss"}[r.IntN(3)]})
	}
	if r.IntN(4) == 0 {
		middle = append(middle, segment{byChance, "random-string"})
	}
	r.Shuffle(len(middle), func(i, j int) { middle[i], middle[j] = middle[j], middle[i] })
	l.segments = []segment{{value: tag}}
	for _, s := range middle {
		l.segments = append(l.segments, segment{value: s.value[:1] + "="}, s, segment{value: "/"})
	}
	if r.IntN(8) == 0 {
		l.segments[len(l.segments)-1].value = "/no-folder-"
	}
	return l
}

// prefix is how it is asked for.
func (l *layout) prefix() string {
	if !l.partitioned() {
		return l.tag
	}
	var b strings.Builder
	for _, s := range l.segments {
		if s.namespace == "" {
			b.WriteString(s.value)
		} else {
			fmt.Fprintf(&b, "!{%s:%s}", s.namespace, s.value)
		}
	}
	return b.String()
}

// place is what a record's keys make of a partitioned layout: the text of each segment of a
// key; false if they make nothing.
func (l *layout) place(k keys) (texts []string, ok bool) {
	if !k.json && l.query != nil || l.function && k.f.key == "" {
		return nil, false
	}
	for _, s := range l.segments {
		text := s.value
		switch s.namespace {
		case fromQuery:
			text = l.query.make(k)[slices.Index(l.query.names, s.value)]
		case fromFunction:
			text = k.f.key
		}
		if text == "" {
			return nil, false
		}
		texts = append(texts, text)
	}
	return texts, true
}

// match holds the key of an object against what a record in it makes of its prefix. It returns
// the prefix without what is random, and what stands behind it.
func (l *layout) match(key string, n *note) (prefix, rest string, err error) {
	texts, ok := l.place(n.keys)
	if !ok {
		return "", "", fmt.Errorf("its keys %+v make no prefix of %s", n.keys, l.prefix())
	}
	rest = key
	for i, s := range l.segments {
		want := texts[i]
		switch s.namespace {
		case byTime:
			want = rest[:min(len(moments[s.value]), len(rest))]
			from, to := n.from.UTC().Format(moments[s.value]), n.to.UTC().Format(moments[s.value])
			if want < from || want > to {
				return "", "", fmt.Errorf("%q should be between %s and %s", want, from, to)
			}
		case byChance:
			want = rest[:min(randomChars, len(rest))]
			if len(want) < randomChars || strings.Trim(want, "0123456789abcdef") != "" {
				return "", "", fmt.Errorf("%q should be a random string", want)
			}
		}
		if rest, ok = strings.CutPrefix(rest, want); !ok {
			return "", "", fmt.Errorf("%q should begin with %q", rest, want)
		}
		if s.namespace == byChance {
			want = "*"
		}
		prefix += want
	}
	return prefix, rest, nil
}

// clockSlack is how much later than its answer a record of which nothing was heard may have
// arrived.
const clockSlack = time.Minute

// partitioning is the part of a configuration that asks for it, at creation.
const partitioning = `,"DynamicPartitioningConfiguration":{"Enabled":true,"RetryOptions":{"DurationInSeconds":300}}`

// extraction is the processor of a query.
func extraction(q *query) string {
	return fmt.Sprintf(`{"Type":"MetadataExtraction","Parameters":[{"ParameterName":"MetadataExtractionQuery","ParameterValue":%q},`+
		`{"ParameterName":"JsonParsingEngine","ParameterValue":"JQ-1.6"}]}`, q.text)
}

// nextLayout is that of the stream's next version.
func (u ruler) nextLayout(s *streamLife, partitioned bool, after int) *layout {
	u.w.mu.Lock()
	defer u.w.mu.Unlock()
	l := &layout{tag: s.nextPrefix()}
	if partitioned {
		l = u.w.plan.drawLayout(u.r, l.tag)
	}
	if g := s.gluing; g != nil {
		l.split = g.types[u.r.IntN(len(g.types))]
	}
	l.epoch, l.after = s.epoch, after
	s.partitioned = partitioned
	s.layouts = append(s.layouts, l)
	return l
}

// processors asks for what a partitioned layout needs.
func (u ruler) processors(s *streamLife, l *layout) string {
	var all []string
	if l.split != "" {
		all = append(all, s.gluing.taking(l.split))
	}
	if l.function || u.w.plan.chance.processing && u.r.IntN(3) == 0 {
		all = append(all, u.lambda())
	}
	if l.query != nil {
		all = append(all, extraction(l.query))
	}
	return fmt.Sprintf(`,"ProcessingConfiguration":{"Enabled":true,"Processors":[%s]}`, strings.Join(all, ","))
}
