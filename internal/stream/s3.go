package stream

import (
	"slices"
	"strings"
	"time"
)

// BufferingHints say when a buffer is delivered: at a size in MiB of record bytes before
// compression, or at an age in seconds, whichever is first (spec section 3).
type BufferingHints struct {
	SizeInMBs         int `json:"SizeInMBs"`
	IntervalInSeconds int `json:"IntervalInSeconds"`
}

// Compression is S3's CompressionFormat.
type Compression string

// The compressions of the API (spec section 4.7).
const (
	Uncompressed Compression = "UNCOMPRESSED"
	Gzip         Compression = "GZIP"
	Zip          Compression = "ZIP"
	Snappy       Compression = "Snappy"
	HadoopSnappy Compression = "HADOOP_SNAPPY"
)

// Deflated reports whether objects of the compression hold deflate blocks.
func (c Compression) Deflated() bool { return c == Gzip || c == Zip }

// BackupMode is S3BackupMode of an S3 destination.
type BackupMode string

// The modes of spec section 8.1 for S3.
const (
	BackupDisabled BackupMode = "Disabled"
	BackupEnabled  BackupMode = "Enabled"
)

// S3Destination is an S3 or ExtendedS3 destination (spec section 9.1) with its defaults.
// Pointers tell an empty string that was sent from a member that was not; structures that
// were sent, disabled ones included, come back as they came.
type S3Destination struct {
	RoleARN                 string                      `json:"RoleARN"`
	BucketARN               string                      `json:"BucketARN"`
	Prefix                  *string                     `json:"Prefix,omitzero"`
	ErrorOutputPrefix       *string                     `json:"ErrorOutputPrefix,omitzero"`
	BufferingHints          BufferingHints              `json:"BufferingHints"`
	CompressionFormat       Compression                 `json:"CompressionFormat"`
	EncryptionConfiguration EncryptionConfiguration     `json:"EncryptionConfiguration,omitzero"`
	CloudWatchLogging       CloudWatchLoggingOptions    `json:"CloudWatchLoggingOptions"`
	Processing              *ProcessingConfiguration    `json:"ProcessingConfiguration,omitzero"`
	S3BackupMode            BackupMode                  `json:"S3BackupMode,omitzero"`
	S3Backup                *S3Destination              `json:"S3BackupDescription,omitzero"`
	Conversion              *ConversionConfiguration    `json:"DataFormatConversionConfiguration,omitzero"`
	Partitioning            *DynamicPartitioningOptions `json:"DynamicPartitioningConfiguration,omitzero"`
	FileExtension           *string                     `json:"FileExtension,omitzero"`
	CustomTimeZone          *string                     `json:"CustomTimeZone,omitzero"`
}

// EncryptionConfiguration says how delivered objects are encrypted; exactly one member
// is set (spec section 8.2).
type EncryptionConfiguration struct {
	NoEncryptionConfig  *string    `json:"NoEncryptionConfig,omitzero"`
	KMSEncryptionConfig *KMSConfig `json:"KMSEncryptionConfig,omitzero"`
}

// KMSConfig names the key that S3 encrypts objects with.
type KMSConfig struct {
	AWSKMSKeyARN string `json:"AWSKMSKeyARN"`
}

// CloudWatchLoggingOptions say where delivery errors are logged (spec section 12.4).
type CloudWatchLoggingOptions struct {
	Enabled       bool    `json:"Enabled"`
	LogGroupName  *string `json:"LogGroupName,omitzero"`
	LogStreamName *string `json:"LogStreamName,omitzero"`
}

// ProcessingConfiguration lists what is done to records before delivery (spec section 5).
type ProcessingConfiguration struct {
	Enabled    bool        `json:"Enabled"`
	Processors []Processor `json:"Processors,omitzero"`
}

// Processor is one step of the processing and its parameters.
type Processor struct {
	Type       string               `json:"Type"`
	Parameters []ProcessorParameter `json:"Parameters,omitzero"`
}

// ProcessorParameter is one named setting of a processor.
type ProcessorParameter struct {
	ParameterName  string `json:"ParameterName"`
	ParameterValue string `json:"ParameterValue"`
}

// DynamicPartitioningOptions is DynamicPartitioningConfiguration (spec section 7.1).
type DynamicPartitioningOptions struct {
	Enabled      bool          `json:"Enabled"`
	RetryOptions *RetryOptions `json:"RetryOptions,omitzero"`
}

// RetryOptions bound how long a delivery is tried again.
type RetryOptions struct {
	DurationInSeconds *int `json:"DurationInSeconds,omitzero"`
}

// MaxBufferBytes is the largest buffer of an S3 destination, 128 MiB (spec section 3.2).
const MaxBufferBytes = 128 << 20

// BufferBytes is the size hint in bytes.
func (d *S3Destination) BufferBytes() uint64 { return uint64(d.BufferingHints.SizeInMBs) << 20 }

// BufferInterval is the age hint.
func (d *S3Destination) BufferInterval() time.Duration {
	return time.Duration(d.BufferingHints.IntervalInSeconds) * time.Second
}

// ObjectKey is the ARN of the KMS key that the store shall encrypt objects with; empty leaves
// it to the bucket's default.
func (d *S3Destination) ObjectKey() string {
	if k := d.EncryptionConfiguration.KMSEncryptionConfig; k != nil {
		return k.AWSKMSKeyARN
	}
	return ""
}

// Bucket is the name of the destination's bucket.
func (d *S3Destination) Bucket() string {
	_, name, _ := strings.Cut(d.BucketARN, ":::")
	return name
}

// Roles are the ARNs of the roles that the destination is delivered with, each once.
func (d *S3Destination) Roles() []string {
	roles := []string{d.RoleARN}
	add := func(role string) {
		if role != "" && !slices.Contains(roles, role) {
			roles = append(roles, role)
		}
	}
	if d.S3Backup != nil {
		add(d.S3Backup.RoleARN)
	}
	if p := d.Find(LambdaProcessor); p != nil {
		add(p.Lambda().Role)
	}
	if d.Converts() {
		add(or(d.Conversion.SchemaConfiguration.RoleARN, ""))
	}
	return roles
}

// Legacy is d as the legacy shape shows it: without the members that only the extended
// shape has.
func (d *S3Destination) Legacy() *S3Destination {
	l := *d
	l.Processing, l.S3BackupMode, l.S3Backup = nil, "", nil
	l.Conversion, l.Partitioning = nil, nil
	l.FileExtension, l.CustomTimeZone = nil, nil
	return &l
}
