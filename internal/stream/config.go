package stream

// Configuration is what CreateDeliveryStream asks for, as it was sent: an absent member is
// nil (spec section 2.3).
type Configuration struct {
	Name       string           `json:"DeliveryStreamName"`
	Type       Type             `json:"DeliveryStreamType"`
	DirectPut  *DirectPutSource `json:"DirectPutSourceConfiguration"`
	Encryption *EncryptionInput `json:"DeliveryStreamEncryptionConfigurationInput"`
	S3         *S3Configuration `json:"S3DestinationConfiguration"`
	ExtendedS3 *S3Configuration `json:"ExtendedS3DestinationConfiguration"`
	Tags       []Tag            `json:"Tags"`

	OtherSources
	OtherDestinations
}

// DirectPutSource tells the service how much traffic to expect; it limits nothing.
type DirectPutSource struct {
	ThroughputHintInMBs int `json:"ThroughputHintInMBs"`
}

// EncryptionInput asks for the stream's own storage to be encrypted (spec section 2.12).
type EncryptionInput struct {
	KeyType string  `json:"KeyType"`
	KeyARN  *string `json:"KeyARN"`
}

// given is a structure of which only its presence matters, because it is refused.
type given struct{}

// OtherSources are the sources that are known but not built.
type OtherSources struct {
	Kinesis  *given `json:"KinesisStreamSourceConfiguration"`
	MSK      *given `json:"MSKSourceConfiguration"`
	Database *given `json:"DatabaseSourceConfiguration"`
}

// OtherDestinations are the destinations that are known but not built.
type OtherDestinations struct {
	Redshift             *given `json:"RedshiftDestinationConfiguration"`
	Elasticsearch        *given `json:"ElasticsearchDestinationConfiguration"`
	OpenSearch           *given `json:"AmazonopensearchserviceDestinationConfiguration"`
	OpenSearchServerless *given `json:"AmazonOpenSearchServerlessDestinationConfiguration"`
	Splunk               *given `json:"SplunkDestinationConfiguration"`
	HTTPEndpoint         *given `json:"HttpEndpointDestinationConfiguration"`
	Snowflake            *given `json:"SnowflakeDestinationConfiguration"`
	Iceberg              *given `json:"IcebergDestinationConfiguration"`
}

// S3Configuration is the extended shape of an S3 destination as it was sent. The legacy
// shape, which backups use too, is the same without the extended members.
type S3Configuration struct {
	RoleARN           string                    `json:"RoleARN"`
	BucketARN         string                    `json:"BucketARN"`
	Prefix            *string                   `json:"Prefix"`
	ErrorOutputPrefix *string                   `json:"ErrorOutputPrefix"`
	BufferingHints    BufferingInput            `json:"BufferingHints"`
	CompressionFormat *Compression              `json:"CompressionFormat"`
	Encryption        *EncryptionConfiguration  `json:"EncryptionConfiguration"`
	Logging           *CloudWatchLoggingOptions `json:"CloudWatchLoggingOptions"`

	Processing     *ProcessingConfiguration    `json:"ProcessingConfiguration"`
	S3BackupMode   *BackupMode                 `json:"S3BackupMode"`
	S3Backup       *S3Configuration            `json:"S3BackupConfiguration"`
	Conversion     *ConversionConfiguration    `json:"DataFormatConversionConfiguration"`
	Partitioning   *DynamicPartitioningOptions `json:"DynamicPartitioningConfiguration"`
	FileExtension  *string                     `json:"FileExtension"`
	CustomTimeZone *string                     `json:"CustomTimeZone"`
}

// BufferingInput is BufferingHints as sent; either member may be absent.
type BufferingInput struct {
	SizeInMBs         *int `json:"SizeInMBs"`
	IntervalInSeconds *int `json:"IntervalInSeconds"`
}
