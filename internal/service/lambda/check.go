package lambda

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Limits of configurations (spec neighbours.md 2.2).
const (
	maxTimeout     = 900   // seconds
	minMemory      = 128   // MB
	maxMemory      = 10240 // MB
	minStorage     = 512   // MB
	maxStorage     = 10240 // MB
	maxHandler     = 128
	maxDescription = 256
	maxEnvironment = 4 << 10 // bytes of names and values
)

var (
	roleForm     = regexp.MustCompile(`^arn:(aws[a-zA-Z-]*):iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+$`)
	variableForm = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]+$`)
	groupForm    = regexp.MustCompile(`^[a-zA-Z0-9_./#-]{1,512}$`)
)

// settings are the members of a configuration that requests may set. Nil leaves what there is.
type settings struct {
	Role             *string
	Runtime          *string
	Handler          *string
	Description      *string
	Timeout          *int
	MemorySize       *int
	Environment      *Environment
	EphemeralStorage *Storage
	Layers           *[]string
	TracingConfig    *Tracing
	VpcConfig        jsontext.Value
	DeadLetterConfig jsontext.Value
	KMSKeyArn        *string
	LoggingConfig    *Logging
	SnapStart        *SnapStart
}

// violations are the broken constraints of a request.
type violations []string

func (v *violations) add(path string, value any, constraint string) {
	*v = append(*v, fmt.Sprintf("Value '%v' at '%s' failed to satisfy constraint: %s", value, path, constraint))
}

func (v *violations) number(path string, value *int, least, most int) {
	if value != nil && (*value < least || *value > most) {
		v.add(path, *value, fmt.Sprintf("Member must have value between %d and %d", least, most))
	}
}

func (v *violations) text(path string, value *string, most int) {
	if value != nil && utf8.RuneCountInString(*value) > most {
		v.add(path, clip(*value), fmt.Sprintf("Member must have length less than or equal to %d", most))
	}
}

func (v *violations) form(path string, value *string, form *regexp.Regexp) {
	if value != nil && !form.MatchString(*value) {
		v.add(path, clip(*value), "Member must satisfy regular expression pattern: "+form.String())
	}
}

func (v *violations) oneOf(path, value string, set ...string) {
	if !slices.Contains(set, value) {
		v.add(path, clip(value), "Member must satisfy enum value set: ["+strings.Join(set, ", ")+"]")
	}
}

func (v violations) err() error {
	if len(v) == 0 {
		return nil
	}
	s := "s"
	if len(v) == 1 {
		s = ""
	}
	return answer("ValidationException", http.StatusBadRequest,
		fmt.Sprintf("%d validation error%s detected: %s", len(v), s, strings.Join(v, "; ")))
}

// check looks at each setting by itself.
func (in *settings) check(v *violations) {
	v.form("role", in.Role, roleForm)
	v.text("runtime", in.Runtime, 64)
	v.text("handler", in.Handler, maxHandler)
	if in.Handler != nil && strings.ContainsAny(*in.Handler, " \t\r\n\x00") {
		v.add("handler", clip(*in.Handler), "Member must satisfy regular expression pattern: [^\\s]+")
	}
	v.text("description", in.Description, maxDescription)
	v.number("timeout", in.Timeout, 1, maxTimeout)
	v.number("memorySize", in.MemorySize, minMemory, maxMemory)
	if in.EphemeralStorage != nil {
		v.number("ephemeralStorage.size", &in.EphemeralStorage.Size, minStorage, maxStorage)
	}
	if in.TracingConfig != nil {
		v.oneOf("tracingConfig.mode", in.TracingConfig.Mode, "Active", "PassThrough")
	}
	if l := in.LoggingConfig; l != nil {
		if l.LogFormat != "" {
			v.oneOf("loggingConfig.logFormat", l.LogFormat, "JSON", "Text")
		}
		if l.LogGroup != "" {
			v.form("loggingConfig.logGroup", &l.LogGroup, groupForm)
		}
	}
}

// judge looks at what has an error of its own.
func (in *settings) judge() error {
	if in.Environment == nil {
		return nil
	}
	size := 0
	for name, value := range in.Environment.Variables {
		size += len(name) + len(value)
		switch {
		case reserved[name]:
			return fmt.Errorf("%w: Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: %s", ErrInvalid, name)
		case !variableForm.MatchString(name):
			return fmt.Errorf("%w: %s is no name of an environment variable", ErrInvalid, clip(name))
		case strings.ContainsRune(value, 0):
			return fmt.Errorf("%w: the environment variable %s holds a zero byte", ErrInvalid, name)
		}
	}
	if size > maxEnvironment {
		return fmt.Errorf("%w: Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit", ErrInvalid)
	}
	return nil
}

// apply changes a configuration.
func (in *settings) apply(c *Configuration) {
	set(&c.Role, in.Role)
	set(&c.Runtime, in.Runtime)
	set(&c.Handler, in.Handler)
	set(&c.Description, in.Description)
	set(&c.Timeout, in.Timeout)
	set(&c.MemorySize, in.MemorySize)
	set(&c.KMSKeyArn, in.KMSKeyArn)
	if in.Environment != nil {
		c.Environment = in.Environment
		if len(in.Environment.Variables) == 0 {
			c.Environment = nil
		}
	}
	if in.EphemeralStorage != nil {
		c.EphemeralStorage = in.EphemeralStorage
	}
	if in.Layers != nil {
		c.Layers = nil
		for _, arn := range *in.Layers {
			c.Layers = append(c.Layers, Layer{Arn: arn})
		}
	}
	if in.TracingConfig != nil {
		c.TracingConfig = in.TracingConfig
	}
	if in.VpcConfig != nil {
		c.VpcConfig = in.VpcConfig.Clone()
	}
	if in.DeadLetterConfig != nil {
		c.DeadLetterConfig = in.DeadLetterConfig.Clone()
	}
	if in.LoggingConfig != nil {
		c.LoggingConfig = in.LoggingConfig
	}
	if in.SnapStart != nil {
		c.SnapStart = in.SnapStart
	}
	c.complete()
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}
