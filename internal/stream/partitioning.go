package stream

import "slices"

// minLargeMBs is the least size of a buffer with format conversion or dynamic partitioning
// (spec section 3.2), and largeMBs the size when none is given.
const (
	minLargeMBs = 64
	largeMBs    = 128
)

// minPartitionSeconds is the least age of a partition's buffer: there is no zero buffering
// (spec section 7.1).
const minPartitionSeconds = 60

// partitions reports whether dynamic partitioning is enabled.
func (c *S3Configuration) partitions() bool { return c.Partitioning != nil && c.Partitioning.Enabled }

// Partitions reports whether dynamic partitioning is enabled.
func (d *S3Destination) Partitions() bool { return d.Partitioning != nil && d.Partitioning.Enabled }

// find is the first processor of a type, nil if there is none or processing is disabled.
func (c *S3Configuration) find(kind string) *Processor {
	d := S3Destination{Processing: c.Processing}
	return d.Find(kind)
}

// sizeInMBs is the size of the buffers, given or by default.
func (c *S3Configuration) sizeInMBs() int {
	if c.converts() || c.partitions() {
		return or(c.BufferingHints.SizeInMBs, largeMBs)
	}
	return or(c.BufferingHints.SizeInMBs, defaultSizeInMBs)
}

// checkQuery says whether query and prefix name the same keys (spec section 7.1).
func (c *S3Configuration) checkQuery(rules *Rules) error {
	p := c.find(ExtractionProcessor)
	if p == nil {
		return nil
	}
	made, err := rules.Query(p.value("MetadataExtractionQuery", ""))
	if err != nil {
		return &Refusal{Message: err.Error()}
	}
	named, _ := rules.PrefixKeys(or(c.Prefix, ""))
	for _, key := range made {
		if !slices.Contains(named, key) {
			return refuse("MetaDataExtraction JQ Query can't contain keys that are not present in the S3 Prefix expression")
		}
	}
	if made == nil {
		return nil
	}
	for _, key := range named {
		if !slices.Contains(made, key) { // the spec has no words for it
			return refuse("S3 Prefix expression can't contain the partition key %s, which the MetaDataExtraction JQ Query does not yield", key)
		}
	}
	return nil
}

// checkPartitioning makes the checks of spec section 7.1. Where the spec knows no words, those
// here are like the ones that it knows.
func (c *S3Configuration) checkPartitioning(rules *Rules) error {
	if !c.partitions() {
		return nil
	}
	if c.sizeInMBs() < minLargeMBs && !rules.SmallBuffers {
		return refuse("BufferingHints.SizeInMBs must be at least %d when Dynamic Partitioning is enabled.", minLargeMBs)
	}
	if or(c.BufferingHints.IntervalInSeconds, defaultIntervalInSeconds) < minPartitionSeconds && !rules.SmallBuffers {
		return refuse("BufferingHints.IntervalInSeconds must be at least %d when Dynamic Partitioning is enabled.", minPartitionSeconds)
	}
	query, function := c.find(ExtractionProcessor) != nil, c.find(LambdaProcessor) != nil
	if !query && !function {
		return refuse("A MetadataExtraction or Lambda processor is required when Dynamic Partitioning is enabled.")
	}
	queried, fromFunction := rules.PrefixKeys(or(c.Prefix, ""))
	switch {
	case len(queried) > 0 && !query:
		return refuse("partitionKeyFromQuery can only be part of a prefix expression when a MetadataExtraction processor is present.")
	case len(fromFunction) > 0 && !function:
		return refuse("partitionKeyFromLambda can only be part of a prefix expression when a Lambda processor is present.")
	case len(queried)+len(fromFunction) > maxPartitionKeys:
		return refuse("S3 Prefix expression can't contain more than %d partition keys", maxPartitionKeys)
	}
	return nil
}

// maxPartitionKeys is how many keys a prefix may have (spec section 7.5).
const maxPartitionKeys = 50

// partitionRetrySeconds is shown as the duration of the retries of partitions when none was
// given (spec sections 2.3, 7.1). Hydrant keeps what it cannot deliver, whatever it says.
const partitionRetrySeconds = 300

// stored is the configuration as Describe shows it. What is disabled stays as it came.
func (p *DynamicPartitioningOptions) stored() *DynamicPartitioningOptions {
	if p == nil || !p.Enabled || p.RetryOptions != nil && p.RetryOptions.DurationInSeconds != nil {
		return p
	}
	return &DynamicPartitioningOptions{Enabled: true, RetryOptions: &RetryOptions{DurationInSeconds: new(partitionRetrySeconds)}}
}
