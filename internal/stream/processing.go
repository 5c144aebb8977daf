package stream

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
)

// The types of processors (spec section 5.1).
const (
	LambdaProcessor        = "Lambda"
	DecompressionProcessor = "Decompression"
	LogProcessor           = "CloudWatchLogProcessing"
	DeAggregationProcessor = "RecordDeAggregation"
	ExtractionProcessor    = "MetadataExtraction"
	DelimiterProcessor     = "AppendDelimiterToRecord"
)

// maxProcessors is how many processors a stream may have (spec section 11.1).
const maxProcessors = 5

// The defaults and limits of the Lambda processor (spec section 5.2).
const (
	defaultRetries       = "3"
	defaultLambdaMBs     = "1"
	defaultLambdaSeconds = "60"
	maxRetries           = 300
	minLambdaMBs         = 0.2
	maxLambdaMBs         = 3
	maxLambdaSeconds     = 900
)

// Parameter is the value of a processor's parameter; false if it was not given.
func (p *Processor) Parameter(name string) (string, bool) {
	for i := range p.Parameters {
		if p.Parameters[i].ParameterName == name {
			return p.Parameters[i].ParameterValue, true
		}
	}
	return "", false
}

// value is the parameter's value, or else.
func (p *Processor) value(name, otherwise string) string {
	if v, ok := p.Parameter(name); ok {
		return v
	}
	return otherwise
}

// Processes reports whether the destination's records go through processors first.
func (d *S3Destination) Processes() bool { return d.Processing != nil && d.Processing.Enabled }

// Find is the first processor of a type, nil if there is none or processing is disabled.
func (d *S3Destination) Find(kind string) *Processor {
	if !d.Processes() {
		return nil
	}
	for i := range d.Processing.Processors {
		if d.Processing.Processors[i].Type == kind {
			return &d.Processing.Processors[i]
		}
	}
	return nil
}

// Lambda is the Lambda processor with its parameters as numbers.
type Lambda struct {
	ARN      string
	Role     string
	Retries  int
	MBs      float64
	Interval int // seconds
}

// Lambda returns the parameters of a Lambda processor that has passed the checks.
func (p *Processor) Lambda() Lambda {
	l := Lambda{ARN: p.value("LambdaArn", ""), Role: p.value("RoleArn", "")}
	l.Retries, _ = strconv.Atoi(p.value("NumberOfRetries", defaultRetries))
	l.MBs, _ = strconv.ParseFloat(p.value("BufferSizeInMBs", defaultLambdaMBs), 64)
	l.Interval, _ = strconv.Atoi(p.value("BufferIntervalInSeconds", defaultLambdaSeconds))
	return l
}

// single are the types of which a stream has one at most. The spec says so of Lambda; of others
// the second one would do nothing, which nobody should find out from their data. A second
// AppendDelimiterToRecord is kept and does nothing, as with Firehose (section 5.1).
var single = []string{LambdaProcessor, ExtractionProcessor, DeAggregationProcessor, DecompressionProcessor, LogProcessor}

// check says whether the processors can be used together (spec section 2.13.6). dynamic says
// whether dynamic partitioning is enabled.
func (p *ProcessingConfiguration) check(dynamic bool) error {
	if n := len(p.Processors); n < 1 || n > maxProcessors {
		return refuse("A maximum of %d and a minimum of 1 processor needs to be supplied when processing is enabled.", maxProcessors)
	}
	for _, kind := range single {
		if p.count(kind) > 1 {
			return refuse("Cannot have more than 1 %s processor.", kind)
		}
	}
	for i := range p.Processors {
		if err := p.Processors[i].check(dynamic); err != nil {
			return err
		}
	}
	if p.count(LogProcessor) > 0 && p.count(DecompressionProcessor) == 0 {
		return refuse("CloudWatchLogProcessingProcessor can only be enabled with DecompressionProcessor")
	}
	return nil
}

func (p *ProcessingConfiguration) count(kind string) (n int) {
	for i := range p.Processors {
		if p.Processors[i].Type == kind {
			n++
		}
	}
	return n
}

func (p *Processor) check(dynamic bool) error {
	switch p.Type {
	case LambdaProcessor:
		return p.checkLambda()
	case DecompressionProcessor:
		if p.value("CompressionFormat", "") != "GZIP" {
			return refuse("CompressionFormat has to be GZIP")
		}
	case LogProcessor:
		if v := strings.ToLower(p.value("DataMessageExtraction", "")); v != "true" && v != "false" {
			return refuse("Invalid parameter value for DataMessageExtraction. Allowed values are True and False.")
		}
	case DeAggregationProcessor:
		return p.checkDeAggregation(dynamic)
	case ExtractionProcessor:
		return p.checkExtraction(dynamic)
	}
	return nil
}

func (p *Processor) checkLambda() error {
	if p.value("LambdaArn", "") == "" {
		return refuse("LambdaArn is required when Lambda processor is used.")
	}
	if n, err := strconv.Atoi(p.value("NumberOfRetries", defaultRetries)); err != nil || n < 0 || n > maxRetries {
		return refuse("Number of retries for lambda must be between 0 and %d.", maxRetries)
	}
	_, size := p.Parameter("BufferSizeInMBs")
	_, interval := p.Parameter("BufferIntervalInSeconds")
	if size != interval {
		return refuse("Both BufferSizeInMBs and BufferIntervalInSeconds are required to configure buffering for lambda processor.")
	}
	mb, err := strconv.ParseFloat(p.value("BufferSizeInMBs", defaultLambdaMBs), 64)
	if err != nil || !(mb >= minLambdaMBs && mb <= maxLambdaMBs) {
		return refuse("BufferSizeInMBs for lambda processor must be between 0.2 and 3.")
	}
	if s, err := strconv.Atoi(p.value("BufferIntervalInSeconds", defaultLambdaSeconds)); err != nil || s < 0 || s > maxLambdaSeconds {
		return refuse("BufferIntervalInSeconds for lambda processor must be between 0 and %d.", maxLambdaSeconds)
	}
	return nil
}

// onlyPartitioned are the words for a processor that needs dynamic partitioning.
const onlyPartitioned = "class com.amazonaws.services.firehose.internal.model.%sProcessor can only be present when Dynamic Partitioning is enabled."

func (p *Processor) checkDeAggregation(dynamic bool) error {
	switch p.value("SubRecordType", "") {
	case "JSON":
	case "DELIMITED":
		if d, err := base64.StdEncoding.DecodeString(p.value("Delimiter", "")); err != nil || len(d) == 0 {
			return refuse("Delimiter should be present for DELIMITED")
		}
	default:
		return refuse("SubRecordType has to be one of JSON, DELIMITED")
	}
	if !dynamic {
		return refuse(onlyPartitioned, p.Type)
	}
	return nil
}

func (p *Processor) checkExtraction(dynamic bool) error {
	if p.value("JsonParsingEngine", "") != "JQ-1.6" {
		return refuse("MetaDataExtraction JSON Parsing Engine has to be one of JQ-1.6")
	}
	if !dynamic {
		return refuse(onlyPartitioned, p.Type)
	}
	return nil
}

// stored is the configuration as Describe shows it: the parameters of the Lambda processor
// in their order and with their defaults, those of AppendDelimiterToRecord dropped (spec
// sections 5.2, 5.6). role is that of the destination. What is disabled stays as it came.
func (p *ProcessingConfiguration) stored(role string) *ProcessingConfiguration {
	if p == nil || !p.Enabled {
		return p
	}
	out := &ProcessingConfiguration{Enabled: true, Processors: slices.Clone(p.Processors)}
	for i := range out.Processors {
		one := &out.Processors[i]
		switch one.Type {
		case LambdaProcessor:
			one.Parameters = []ProcessorParameter{
				{"LambdaArn", one.value("LambdaArn", "")},
				{"NumberOfRetries", one.value("NumberOfRetries", defaultRetries)},
				{"RoleArn", one.value("RoleArn", role)},
				{"BufferSizeInMBs", one.value("BufferSizeInMBs", defaultLambdaMBs)},
				{"BufferIntervalInSeconds", one.value("BufferIntervalInSeconds", defaultLambdaSeconds)},
			}
		case DelimiterProcessor:
			one.Parameters = []ProcessorParameter{}
		}
	}
	return out
}
