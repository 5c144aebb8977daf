package stream

import "fmt"

// Refusal says why a configuration cannot be a stream's. Message is for the client, who
// gets it word for word as an InvalidArgumentException (spec section 2.13).
type Refusal struct {
	Message string
	Code    string // another one than InvalidArgumentException
}

// Error is the message.
func (r *Refusal) Error() string { return r.Message }

func refuse(format string, args ...any) error {
	return &Refusal{Message: fmt.Sprintf(format, args...)}
}

// Unsupported refuses an option that exists but is not built. It is never accepted and
// ignored, so that nobody finds out from their data.
func Unsupported(option string) error {
	return refuse("%s is not supported by this version of Hydrant.", option)
}

// Rules are the judges of what a stream's configuration names and this room does not know.
// The texts of their errors are the messages that clients get.
type Rules struct {
	// Prefixes judges the prefixes and the time zone of an S3 destination by the rules of spec
	// section 4.8.
	Prefixes func(prefix, errorPrefix, zone string, dynamicPartitioning bool) error
	// PrefixKeys are the partition keys that a prefix names, from the query and from a function.
	PrefixKeys func(prefix string) (queried, function []string)
	// Query returns the keys that a MetadataExtractionQuery yields; nil if each record can
	// yield others.
	Query func(query string) ([]string, error)
	// Deserializer judges the options of the one that is given.
	Deserializer func(d *Deserializer) error
	// Table looks for the table that a conversion takes its columns from.
	Table func(s *SchemaConfiguration) error
	// SmallBuffers lifts the least sizes and ages of buffers with format conversion or dynamic
	// partitioning.
	SmallBuffers bool
	// Account is the one that streams and their roles are of.
	Account string
}

// Check makes the semantic checks of CreateDeliveryStream (spec section 2.3, steps 3 and
// 4), in the order of the spec. It assumes that c satisfies the constraints of its shapes.
// Errors are Refusals.
func (c *Configuration) Check(rules *Rules) error {
	if err := c.checkOneDestination(); err != nil {
		return err
	}
	if err := c.checkSource(); err != nil {
		return err
	}
	if err := c.checkEncryption(); err != nil {
		return err
	}
	if err := c.checkBuilt(); err != nil {
		return err
	}
	if c.S3 != nil {
		return c.S3.legacy().check(rules)
	}
	return c.ExtendedS3.check(rules)
}

// others names the unbuilt destinations that were given.
func (o *OtherDestinations) others() []string {
	var names []string
	for _, d := range []struct {
		given *given
		name  string
	}{
		{o.Redshift, "RedshiftDestinationConfiguration"},
		{o.Elasticsearch, "ElasticsearchDestinationConfiguration"},
		{o.OpenSearch, "AmazonopensearchserviceDestinationConfiguration"},
		{o.OpenSearchServerless, "AmazonOpenSearchServerlessDestinationConfiguration"},
		{o.Splunk, "SplunkDestinationConfiguration"},
		{o.HTTPEndpoint, "HttpEndpointDestinationConfiguration"},
		{o.Snowflake, "SnowflakeDestinationConfiguration"},
		{o.Iceberg, "IcebergDestinationConfiguration"},
	} {
		if d.given != nil {
			names = append(names, d.name)
		}
	}
	return names
}

func (c *Configuration) checkOneDestination() error {
	n := len(c.others())
	switch {
	case c.S3 != nil && c.ExtendedS3 != nil && n == 0:
		return refuse("Exactly one of S3DestinationConfiguration or ExtendedS3DestinationConfiguration must be specified.")
	case c.S3 != nil && c.ExtendedS3 != nil:
		n += 2
	case c.S3 != nil || c.ExtendedS3 != nil:
		n++
	}
	if n != 1 {
		return refuse("Exactly one destination configuration is supported for a Firehose")
	}
	return nil
}

// checkSource says whether type and source configurations fit (spec section 2.13.3).
func (c *Configuration) checkSource() error {
	source := c.source()
	if c.Kinesis != nil && source != Kinesis {
		return refuse("KinesisSourceStreamConfig is only applicable for KinesisStreamAsSource stream type")
	}
	switch {
	case source == Kinesis && c.Kinesis == nil:
		return refuse("KinesisSourceStreamConfig is mandatory for KinesisStreamAsSource stream type.")
	case source == MSK && c.MSK == nil:
		return refuse("MSKSourceConfig is mandatory for MSK as Source stream type.")
	case source == Database && c.Iceberg == nil:
		return refuse("IcebergDestinationConfiguration must be specified for Database as Source.")
	}
	return nil
}

// checkEncryption says whether the stream can have encryption of its own, if that is asked
// for; EncryptionInput.Check judges the key.
func (c *Configuration) checkEncryption() error {
	if c.Encryption == nil {
		return nil
	}
	if s := c.source(); s != DirectPut && s != Database {
		return ErrNoEncryption
	}
	return nil
}

// checkBuilt refuses sources and destinations that are legal but not built.
func (c *Configuration) checkBuilt() error {
	switch {
	case c.source() != DirectPut:
		return Unsupported("DeliveryStreamType " + string(c.source()))
	case c.MSK != nil:
		return Unsupported("MSKSourceConfiguration")
	case c.Database != nil:
		return Unsupported("DatabaseSourceConfiguration")
	}
	if names := c.others(); len(names) > 0 {
		return Unsupported(names[0])
	}
	return nil
}

// check makes the checks of one S3 destination.
func (c *S3Configuration) check(rules *Rules) error {
	if err := rules.Prefixes(or(c.Prefix, ""), or(c.ErrorOutputPrefix, ""), or(c.CustomTimeZone, ""), c.partitions()); err != nil {
		return &Refusal{Message: err.Error()}
	}
	for _, check := range []func(*Rules) error{
		c.checkObjectEncryption, c.checkLogging, c.checkBackup, c.checkProcessing, c.checkConversion, c.checkPartitioning,
	} {
		if err := check(rules); err != nil {
			return err
		}
	}
	return nil
}

func (c *S3Configuration) checkObjectEncryption(*Rules) error {
	e := c.Encryption
	if e == nil {
		return nil
	}
	if (e.NoEncryptionConfig != nil) == (e.KMSEncryptionConfig != nil) {
		return refuse("Exactly one of NoEncryptionConfig or KMSEncryptionConfig must be specified")
	}
	return nil
}

func (c *S3Configuration) checkLogging(*Rules) error {
	if c.Logging == nil || !c.Logging.Enabled {
		return nil
	}
	if or(c.Logging.LogGroupName, "") == "" {
		return refuse("CloudWatch Log Group Name is required if CloudWatch Logging is enabled")
	}
	if or(c.Logging.LogStreamName, "") == "" { // the spec has these words by analogy only
		return refuse("CloudWatch Log Stream Name is required if CloudWatch Logging is enabled")
	}
	return nil
}

// minBackupSeconds is the shortest interval of a backup (spec sections 3.2, 3.3).
const minBackupSeconds = 60

// checkBackup judges the backup's destination by the rules of any other, also while it is
// not enabled: an update may enable it by its mode alone.
func (c *S3Configuration) checkBackup(rules *Rules) error {
	if c.S3Backup == nil {
		if or(c.S3BackupMode, BackupDisabled) == BackupEnabled {
			return refuse("S3 backup destination configuration is required when enabling S3 backup.")
		}
		return nil
	}
	if or(c.S3Backup.BufferingHints.IntervalInSeconds, defaultIntervalInSeconds) < minBackupSeconds {
		return refuse("BufferingHints.IntervalInSeconds must be at least %d for S3 backup.", minBackupSeconds)
	}
	return c.S3Backup.legacy().check(rules)
}

func (c *S3Configuration) checkProcessing(rules *Rules) error {
	if c.Processing == nil || !c.Processing.Enabled {
		return nil
	}
	if err := c.Processing.check(c.partitions()); err != nil {
		return err
	}
	return c.checkQuery(rules)
}
