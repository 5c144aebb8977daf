package demo

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"time"
)

// shop is a source of made-up events: the click stream of a web shop. Visitors come, look
// around, fill a cart, and some of them buy; each event is a line of JSON.
type shop struct {
	left     int
	records  int
	now      func() time.Time
	r        *rand.Rand
	visitors []visitor
	buf      []byte
}

// visitor is somebody with the shop open.
type visitor struct {
	id      int
	session uint64
	country string
	agent   string
	stage   string // the last thing done
	product product
	cart    int // articles
	total   float64
}

type product struct {
	sku      string
	name     string
	category string
	price    float64
}

var products = []product{
	{"BK-1041", "Trail map of the Alps", "books", 18.90},
	{"BK-2207", "The patient gardener", "books", 24.00},
	{"EL-0310", "Wireless headphones", "electronics", 129.00},
	{"EL-0457", "USB-C charger 65 W", "electronics", 39.90},
	{"EL-0998", "E-reader, 7 inch", "electronics", 189.00},
	{"GA-0112", "Pruning shears", "garden", 32.50},
	{"GA-0420", "Tomato seeds, 5 kinds", "garden", 9.80},
	{"KI-1300", "Cast-iron pan, 28 cm", "kitchen", 74.00},
	{"KI-1311", "Espresso cups, set of 4", "kitchen", 28.60},
	{"KI-1502", "Chef's knife, 20 cm", "kitchen", 96.00},
	{"SP-0077", "Running socks, 3 pairs", "sports", 21.00},
	{"SP-0815", "Yoga mat, cork", "sports", 58.00},
}

var (
	countries = []string{"DE", "US", "JP", "BR", "IN", "FR", "NG", "GB", "CA", "SE"}
	referrers = []string{"search", "newsletter", "direct", "social", "partner"}
	queries   = []string{"gift for a gardener", "headphones", "knife", "running", "pan 28cm", "e-reader", "yoga"}
	agents    = []string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.1 Safari/605.1.15",
		"Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
		"ShopApp/8.4.1 (iPhone; iOS 18.1; Scale/3.00)",
	}
)

// stages say what a visitor does after what; the odds lie in how often a stage is listed.
var stages = map[string][]string{
	"arrive":      {"view", "view", "search"},
	"search":      {"view", "view", "view", "search", "leave"},
	"view":        {"view", "view", "search", "add_to_cart", "leave"},
	"add_to_cart": {"view", "view", "checkout", "checkout", "leave"},
	"checkout":    {"purchase", "purchase", "purchase", "view", "leave"},
	"purchase":    {"leave", "leave", "view"},
}

// openVisits is how many visitors there are at a time.
const openVisits = 250

func newShop(records int, now func() time.Time) *shop {
	return &shop{left: records, records: records, now: now, r: rand.New(rand.NewPCG(uint64(now().UnixNano()), 0))}
}

// Close has nothing to close.
func (s *shop) Close() error { return nil }

func (s *shop) size() (records, bytes int64) { return int64(s.records), 0 }

func (s *shop) next() ([]byte, error) {
	if s.left == 0 {
		return nil, io.EOF
	}
	s.left--
	s.buf = s.event(s.buf[:0], s.visit())
	return s.buf, nil
}

// visit lets one of the visitors go on, or a new one arrive, and returns who it was.
func (s *shop) visit() *visitor {
	if len(s.visitors) < openVisits {
		s.visitors = append(s.visitors, s.arrive())
		return &s.visitors[len(s.visitors)-1]
	}
	v := &s.visitors[s.r.IntN(len(s.visitors))]
	next := pick(s.r, stages[v.stage])
	if next == "leave" {
		*v = s.arrive()
		return v
	}
	v.stage = next
	switch next {
	case "view":
		v.product = pick(s.r, products)
	case "add_to_cart":
		v.cart++
		v.total += v.product.price
	}
	return v
}

func (s *shop) arrive() visitor {
	return visitor{
		id: 100_000 + s.r.IntN(900_000), session: s.r.Uint64(), country: pick(s.r, countries),
		agent: pick(s.r, agents), stage: "arrive",
	}
}

// event appends the line that tells what v did.
func (s *shop) event(b []byte, v *visitor) []byte {
	b = append(b, `{"time":"`...)
	b = s.now().UTC().AppendFormat(b, "2006-01-02T15:04:05.000000Z")
	b = fmt.Appendf(b, `","event":"%s","user":%d,"session":"%016x"`, v.stage, v.id, v.session)
	switch v.stage {
	case "arrive":
		b = fmt.Appendf(b, `,"page":"/","referrer":"%s"`, pick(s.r, referrers))
	case "search":
		b = fmt.Appendf(b, `,"page":"/search","query":"%s","results":%d`, pick(s.r, queries), s.r.IntN(40))
	case "view", "add_to_cart":
		p := v.product
		b = fmt.Appendf(b, `,"page":"/p/%s","product":{"sku":"%s","name":"%s","category":"%s","price":%.2f}`,
			p.sku, p.sku, p.name, p.category, p.price)
	case "checkout", "purchase":
		b = fmt.Appendf(b, `,"page":"/%s","cart":{"articles":%d,"total":%.2f,"currency":"EUR"}`, v.stage, v.cart, v.total)
	}
	b = fmt.Appendf(b, `,"country":"%s","agent":"%s","load_ms":`, v.country, v.agent)
	b = strconv.AppendInt(b, int64(40+s.r.ExpFloat64()*120), 10)
	if v.stage == "purchase" {
		v.cart, v.total = 0, 0
	}
	return append(b, "}\n"...)
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }
