package lambda

import (
	"runtime"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Configuration is what the API tells of a function, and what is kept of it on disk (spec
// neighbours.md 2.2). Members that mean nothing here are kept as they came.
type Configuration struct {
	FunctionName     string
	FunctionArn      string
	Runtime          string `json:",omitempty"`
	Role             string
	Handler          string `json:",omitempty"`
	CodeSize         int64
	Description      string
	Timeout          int // seconds
	MemorySize       int // MB
	LastModified     string
	CodeSha256       string // of the zip, base64
	Version          string
	VpcConfig        jsontext.Value `json:",omitzero"`
	DeadLetterConfig jsontext.Value `json:",omitzero"`
	Environment      *Environment   `json:",omitzero"`
	KMSKeyArn        string         `json:",omitempty"`
	TracingConfig    *Tracing
	RevisionID       string  `json:"RevisionId"`
	Layers           []Layer `json:",omitempty"`
	State            string
	LastUpdateStatus string
	PackageType      string
	Architectures    []string
	EphemeralStorage *Storage
	SnapStart        *SnapStart
	LoggingConfig    *Logging
}

// Environment is the variables that a function is given.
type Environment struct {
	Variables map[string]string `json:",omitempty"`
}

// Tracing says whether calls are traced. It is kept and means nothing here.
type Tracing struct{ Mode string }

// Layer is kept and means nothing here.
type Layer struct {
	Arn      string
	CodeSize int64
}

// Storage is how large a file may be that a function writes, MB.
type Storage struct{ Size int }

// SnapStart is kept and means nothing here.
type SnapStart struct {
	ApplyOn            string
	OptimizationStatus string
}

// Logging is where a function's log goes.
type Logging struct {
	LogFormat           string
	ApplicationLogLevel string `json:",omitempty"`
	SystemLogLevel      string `json:",omitempty"`
	LogGroup            string
}

// Defaults of AWS.
const (
	usualTimeout = 3   // seconds
	usualMemory  = 128 // MB
	usualStorage = 512 // MB
)

// complete fills in what was left out.
func (c *Configuration) complete() {
	if c.Timeout == 0 {
		c.Timeout = usualTimeout
	}
	if c.MemorySize == 0 {
		c.MemorySize = usualMemory
	}
	if c.TracingConfig == nil {
		c.TracingConfig = &Tracing{"PassThrough"}
	}
	if len(c.Architectures) == 0 {
		c.Architectures = []string{architecture()}
	}
	if c.EphemeralStorage == nil {
		c.EphemeralStorage = &Storage{usualStorage}
	}
	if c.SnapStart == nil {
		c.SnapStart = &SnapStart{ApplyOn: "None"}
	}
	c.SnapStart = &SnapStart{c.SnapStart.ApplyOn, "Off"} // versions share the former one
	if c.LoggingConfig == nil {
		c.LoggingConfig = &Logging{}
	}
	if c.LoggingConfig.LogFormat == "" {
		c.LoggingConfig.LogFormat = "Text"
	}
	if c.LoggingConfig.LogGroup == "" {
		c.LoggingConfig.LogGroup = "/aws/lambda/" + c.FunctionName
	}
	c.Version, c.State, c.LastUpdateStatus, c.PackageType = latest, "Active", "Successful", "Zip"
}

// architecture is that of this machine, in AWS's words.
func architecture() string {
	if runtime.GOARCH == "arm64" {
		return "arm64"
	}
	return "x86_64"
}

// limit is how long a call may take.
func (c *Configuration) limit() time.Duration { return time.Duration(c.Timeout) * time.Second }

// provided says whether the code brings its own runtime.
func (c *Configuration) provided() bool {
	return strings.HasPrefix(c.Runtime, "provided") || c.Runtime == "go1.x"
}

// stamp marks a change.
func (c *Configuration) stamp(now time.Time) {
	c.LastModified = now.UTC().Format("2006-01-02T15:04:05.000-0700")
	c.RevisionID = newID()
}
