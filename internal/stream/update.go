package stream

import (
	"reflect"
	"time"
)

// Update is what UpdateDestination asks for, as it was sent (spec section 2.7).
type Update struct {
	Name          string    `json:"DeliveryStreamName"`
	Version       string    `json:"CurrentDeliveryStreamVersionId"`
	DestinationID string    `json:"DestinationId"`
	S3            *S3Update `json:"S3DestinationUpdate"`
	ExtendedS3    *S3Update `json:"ExtendedS3DestinationUpdate"`

	OtherUpdates
}

// OtherUpdates are the updates of destinations that are known but not built.
type OtherUpdates struct {
	Redshift             *given `json:"RedshiftDestinationUpdate"`
	Elasticsearch        *given `json:"ElasticsearchDestinationUpdate"`
	OpenSearch           *given `json:"AmazonopensearchserviceDestinationUpdate"`
	OpenSearchServerless *given `json:"AmazonOpenSearchServerlessDestinationUpdate"`
	Splunk               *given `json:"SplunkDestinationUpdate"`
	HTTPEndpoint         *given `json:"HttpEndpointDestinationUpdate"`
	Snowflake            *given `json:"SnowflakeDestinationUpdate"`
	Iceberg              *given `json:"IcebergDestinationUpdate"`
}

// S3Update is S3DestinationUpdate and ExtendedS3DestinationUpdate: what is absent stays.
type S3Update struct {
	RoleARN           *string                  `json:"RoleARN"`
	BucketARN         *string                  `json:"BucketARN"`
	Prefix            *string                  `json:"Prefix"`
	ErrorOutputPrefix *string                  `json:"ErrorOutputPrefix"`
	BufferingHints    BufferingInput           `json:"BufferingHints"`
	CompressionFormat *Compression             `json:"CompressionFormat"`
	Encryption        *EncryptionConfiguration `json:"EncryptionConfiguration"`
	Logging           LoggingUpdate            `json:"CloudWatchLoggingOptions"`

	Processing     *ProcessingUpdate        `json:"ProcessingConfiguration"`
	S3BackupMode   *BackupMode              `json:"S3BackupMode"`
	S3Backup       *S3Update                `json:"S3BackupUpdate"`
	Conversion     *ConversionConfiguration `json:"DataFormatConversionConfiguration"`
	Partitioning   *PartitioningUpdate      `json:"DynamicPartitioningConfiguration"`
	FileExtension  *string                  `json:"FileExtension"`
	CustomTimeZone *string                  `json:"CustomTimeZone"`
}

// LoggingUpdate is CloudWatchLoggingOptions in an update, merged member by member.
type LoggingUpdate struct {
	Enabled       *bool   `json:"Enabled"`
	LogGroupName  *string `json:"LogGroupName"`
	LogStreamName *string `json:"LogStreamName"`
}

// ProcessingUpdate replaces the processing; an absent Enabled keeps what it was.
type ProcessingUpdate struct {
	Enabled    *bool       `json:"Enabled"`
	Processors []Processor `json:"Processors"`
}

// PartitioningUpdate may change the retries of dynamic partitioning, and nothing else.
type PartitioningUpdate struct {
	Enabled      *bool         `json:"Enabled"`
	RetryOptions *RetryOptions `json:"RetryOptions"`
}

// Apply is d as the update leaves it, and whether anything has changed: only then there is a
// new version (spec section 2.7.1). now is the time of the change. Errors are Refusals.
func (u *Update) Apply(d *Definition, rules *Rules, now time.Time) (changed bool, err error) {
	with, err := u.destination()
	if err != nil {
		return false, err
	}
	merged, err := d.S3.with(with)
	if err != nil {
		return false, err
	}
	if err := merged.check(rules); err != nil {
		return false, err
	}
	s3 := merged.stored()
	if reflect.DeepEqual(s3, d.S3) {
		return false, nil
	}
	d.S3, d.Updated = s3, now.UTC()
	d.Version++
	return true, nil
}

// destination is the one update that was given.
func (u *Update) destination() (*S3Update, error) {
	others := u.named()
	switch {
	case u.S3 != nil && u.ExtendedS3 != nil:
		return nil, refuse("Exactly one of s3DestinationUpdate or extendedS3DestinationUpdate must be specified.")
	case u.S3 == nil && u.ExtendedS3 == nil && len(others) == 0:
		return nil, refuse("At least one destination or source configuration update must be provided")
	case len(others) > 1 || len(others) == 1 && (u.S3 != nil || u.ExtendedS3 != nil):
		return nil, refuse("Exactly one destination configuration is supported for a Firehose")
	case len(others) == 1 && (u.Redshift != nil || u.Splunk != nil): // a change that Firehose allows
		return nil, Unsupported(others[0])
	case len(others) == 1:
		return nil, refuse("Changing the destination type to or from S3 is not supported at this time.")
	case u.S3 != nil:
		return u.S3.legacy(), nil
	}
	return u.ExtendedS3, nil
}

// named lists the updates of unbuilt destinations that were given.
func (o *OtherUpdates) named() []string {
	var names []string
	v := reflect.ValueOf(*o)
	for i := range v.NumField() {
		if !v.Field(i).IsNil() {
			names = append(names, v.Type().Field(i).Tag.Get("json"))
		}
	}
	return names
}

// legacy is u without the members that the legacy shape does not have.
func (u *S3Update) legacy() *S3Update {
	l := *u
	l.Processing, l.S3BackupMode, l.S3Backup = nil, nil, nil
	l.Conversion, l.Partitioning = nil, nil
	l.FileExtension, l.CustomTimeZone = nil, nil
	return &l
}

// with is the configuration that d and the update make together, by the merge rules of
// spec section 2.7.2 and the one-way switches of section 2.7.5.
func (d *S3Destination) with(u *S3Update) (*S3Configuration, error) {
	c := d.configuration()
	c.RoleARN, c.BucketARN = or(u.RoleARN, c.RoleARN), or(u.BucketARN, c.BucketARN)
	replace(&c.Prefix, u.Prefix)
	replace(&c.ErrorOutputPrefix, u.ErrorOutputPrefix)
	replace(&c.BufferingHints.SizeInMBs, u.BufferingHints.SizeInMBs)
	replace(&c.BufferingHints.IntervalInSeconds, u.BufferingHints.IntervalInSeconds)
	replace(&c.CompressionFormat, u.CompressionFormat)
	replace(&c.Encryption, u.Encryption)
	replace(&c.FileExtension, u.FileExtension)
	replace(&c.CustomTimeZone, u.CustomTimeZone)
	c.Logging.Enabled = or(u.Logging.Enabled, c.Logging.Enabled)
	replace(&c.Logging.LogGroupName, u.Logging.LogGroupName)
	replace(&c.Logging.LogStreamName, u.Logging.LogStreamName)
	if p := u.Processing; p != nil {
		enabled := c.Processing != nil && c.Processing.Enabled
		c.Processing = &ProcessingConfiguration{Enabled: or(p.Enabled, enabled), Processors: p.Processors}
		if err := c.switchDecompression(d); err != nil {
			return nil, err
		}
	}
	if u.Conversion != nil {
		c.Conversion = c.Conversion.with(u.Conversion)
	}
	if err := c.switchPartitioning(u.Partitioning); err != nil {
		return nil, err
	}
	return c, c.switchBackup(d, u)
}

// replace takes the new value if there is one.
func replace[T any](old **T, sent *T) {
	if sent != nil {
		*old = sent
	}
}

// with merges member by member; an absent Enabled counts as true, and stays absent where it
// was.
func (c *ConversionConfiguration) with(u *ConversionConfiguration) *ConversionConfiguration {
	merged := or(c, ConversionConfiguration{})
	if u.Enabled != nil || !or(merged.Enabled, true) {
		merged.Enabled = new(or(u.Enabled, true))
	}
	replace(&merged.InputFormat, u.InputFormat)
	replace(&merged.OutputFormat, u.OutputFormat)
	if s := u.SchemaConfiguration; s != nil {
		schema := or(merged.SchemaConfiguration, SchemaConfiguration{})
		replace(&schema.RoleARN, s.RoleARN)
		replace(&schema.CatalogID, s.CatalogID)
		replace(&schema.DatabaseName, s.DatabaseName)
		replace(&schema.TableName, s.TableName)
		replace(&schema.Region, s.Region)
		replace(&schema.VersionID, s.VersionID)
		merged.SchemaConfiguration = &schema
	}
	return &merged
}

// switchPartitioning takes new retries. Partitioning itself can be switched at creation only.
func (c *S3Configuration) switchPartitioning(u *PartitioningUpdate) error {
	if u == nil {
		return nil
	}
	merged := or(c.Partitioning, DynamicPartitioningOptions{})
	if or(u.Enabled, merged.Enabled) != merged.Enabled {
		return refuse("Dynamic Partitioning can only be enabled or disabled when the Firehose is created.")
	}
	replace(&merged.RetryOptions, u.RetryOptions)
	c.Partitioning = &merged
	return nil
}

// switchDecompression says whether decompression may be added to an existing stream: only
// one with a function may get it (spec section 5.6).
func (c *S3Configuration) switchDecompression(d *S3Destination) error {
	had := d.Processing != nil && (d.Processing.count(LambdaProcessor) > 0 || d.Processing.count(DecompressionProcessor) > 0)
	if !had && c.Processing.Enabled && c.Processing.count(DecompressionProcessor) > 0 {
		return refuse("Enabling source decompression is not supported for existing stream with no Lambda function attached.")
	}
	return nil
}

// switchBackup merges the backup, which can be enabled at any time and never disabled.
func (c *S3Configuration) switchBackup(d *S3Destination, u *S3Update) error {
	if or(u.S3BackupMode, d.S3BackupMode) != BackupEnabled && d.S3BackupMode == BackupEnabled {
		return refuse("Disabling S3 backup is not currently supported.")
	}
	replace(&c.S3BackupMode, u.S3BackupMode)
	if u.S3Backup == nil {
		return nil
	}
	former := d.S3Backup
	if former == nil {
		if u.S3Backup.RoleARN == nil || u.S3Backup.BucketARN == nil {
			return refuse("S3 backup destination configuration is required when enabling S3 backup.")
		}
		empty := S3Configuration{}
		former = empty.destination()
	}
	backup, err := former.with(u.S3Backup.legacy())
	c.S3Backup = backup
	return err
}

// configuration is d as a client would send it to get d.
func (d *S3Destination) configuration() *S3Configuration {
	c := &S3Configuration{
		RoleARN: d.RoleARN, BucketARN: d.BucketARN, Prefix: d.Prefix, ErrorOutputPrefix: d.ErrorOutputPrefix,
		BufferingHints: BufferingInput{
			SizeInMBs:         new(d.BufferingHints.SizeInMBs),
			IntervalInSeconds: new(d.BufferingHints.IntervalInSeconds),
		},
		CompressionFormat: new(d.CompressionFormat),
		Encryption:        new(d.EncryptionConfiguration),
		Logging:           new(d.CloudWatchLogging),
		Processing:        d.Processing,
		Conversion:        d.Conversion,
		Partitioning:      d.Partitioning,
		FileExtension:     d.FileExtension,
		CustomTimeZone:    d.CustomTimeZone,
	}
	if d.S3BackupMode != "" {
		c.S3BackupMode = new(d.S3BackupMode)
	}
	if d.S3Backup != nil {
		c.S3Backup = d.S3Backup.configuration()
	}
	return c
}
