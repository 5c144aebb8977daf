package stream

import "fmt"

// Refusal says why a configuration cannot be a stream's. Message is for the client, who
// gets it word for word as an InvalidArgumentException (spec section 2.13).
type Refusal struct{ Message string }

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

// PrefixChecker judges the prefixes and the time zone of an S3 destination by the rules of
// spec section 4.8. The text of its error is the message that the client gets.
type PrefixChecker func(prefix, errorPrefix, zone string, dynamicPartitioning bool) error

// Check makes the semantic checks of CreateDeliveryStream (spec section 2.3, steps 3 and
// 4), in the order of the spec. It assumes that c satisfies the constraints of its shapes.
// Errors are Refusals.
func (c *Configuration) Check(prefixes PrefixChecker) error {
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
		return c.S3.legacy().check(prefixes)
	}
	return c.ExtendedS3.check(prefixes)
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
func (c *S3Configuration) check(prefixes PrefixChecker) error {
	dynamic := c.Partitioning != nil && c.Partitioning.Enabled
	if err := prefixes(or(c.Prefix, ""), or(c.ErrorOutputPrefix, ""), or(c.CustomTimeZone, ""), dynamic); err != nil {
		return &Refusal{Message: err.Error()}
	}
	for _, check := range []func() error{
		c.checkObjectEncryption, c.checkLogging, func() error { return c.checkBackup(prefixes) },
		c.checkProcessing, c.checkConversion, c.checkPartitioning,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (c *S3Configuration) checkObjectEncryption() error {
	e := c.Encryption
	if e == nil {
		return nil
	}
	if (e.NoEncryptionConfig != nil) == (e.KMSEncryptionConfig != nil) {
		return refuse("Exactly one of NoEncryptionConfig or KMSEncryptionConfig must be specified")
	}
	return nil
}

func (c *S3Configuration) checkLogging() error {
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
func (c *S3Configuration) checkBackup(prefixes PrefixChecker) error {
	if c.S3Backup == nil {
		if or(c.S3BackupMode, BackupDisabled) == BackupEnabled {
			return refuse("S3 backup destination configuration is required when enabling S3 backup.")
		}
		return nil
	}
	if or(c.S3Backup.BufferingHints.IntervalInSeconds, defaultIntervalInSeconds) < minBackupSeconds {
		return refuse("BufferingHints.IntervalInSeconds must be at least %d for S3 backup.", minBackupSeconds)
	}
	return c.S3Backup.legacy().check(prefixes)
}

func (c *S3Configuration) checkProcessing() error {
	if c.Processing == nil || !c.Processing.Enabled {
		return nil
	}
	return c.Processing.check(c.Partitioning != nil && c.Partitioning.Enabled)
}

func (c *S3Configuration) checkConversion() error {
	if c.Conversion == nil || !or(c.Conversion.Enabled, true) {
		return nil
	}
	return Unsupported("DataFormatConversionConfiguration.Enabled: true")
}

func (c *S3Configuration) checkPartitioning() error {
	if c.Partitioning == nil || !c.Partitioning.Enabled {
		return nil
	}
	return Unsupported("DynamicPartitioningConfiguration.Enabled: true")
}
