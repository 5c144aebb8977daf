package firehose

import (
	"strings"
	"unicode"

	"hydrant/internal/record"
)

// The limits of puts (spec sections 2.9 and 11.1).
const (
	maxBatchRecords = 500
	maxBatchBytes   = 4 << 20 // raw
)

// The tables of this file are appendix A of the specification: the inputs of the operations
// that are built, and every structure that they reach. Structures whose options are not
// built at all are left open: they are refused whatever they hold.

var streamName = patternOf(1, 64, `[a-zA-Z0-9_.-]+`)

var streamType = enumOf("DirectPut", "KinesisStreamAsSource", "MSKAsSource", "DatabaseAsSource")

var putRecordInput = structureOf(
	required("DeliveryStreamName", streamName),
	required("Record", recordShape),
)

var putRecordBatchInput = structureOf(
	required("DeliveryStreamName", streamName),
	required("Records", listOf(1, maxBatchRecords, recordShape)),
)

var recordShape = structureOf(
	required("Data", &shape{kind: blob, high: record.MaxRecordBytes}),
)

var describeInput = structureOf(
	required("DeliveryStreamName", streamName),
	optional("Limit", integerOf(1, 10000)),
	optional("ExclusiveStartDestinationId", patternOf(1, 100, `[a-zA-Z0-9-]+`)),
)

var listInput = structureOf(
	optional("Limit", integerOf(1, 10000)),
	optional("DeliveryStreamType", streamType),
	optional("ExclusiveStartDeliveryStreamName", streamName),
)

var deleteInput = structureOf(
	required("DeliveryStreamName", streamName),
	optional("AllowForceDelete", flag()),
)

var createInput = structureOf(
	required("DeliveryStreamName", streamName),
	optional("DeliveryStreamType", streamType),
	optional("DirectPutSourceConfiguration", structureOf(
		required("ThroughputHintInMBs", integerOf(1, 100)),
	)),
	optional("KinesisStreamSourceConfiguration", structureOf(
		required("KinesisStreamARN", patternOf(1, 512, `arn:.*:kinesis:[a-zA-Z0-9\-]+:\d{12}:stream/[a-zA-Z0-9_.-]+`)),
		required("RoleARN", roleARN),
	)),
	optional("DeliveryStreamEncryptionConfigurationInput", encryptionInput),
	optional("S3DestinationConfiguration", s3Configuration),
	optional("ExtendedS3DestinationConfiguration", extendedS3Configuration),
	optional("RedshiftDestinationConfiguration", structureOf()),
	optional("ElasticsearchDestinationConfiguration", structureOf()),
	optional("AmazonopensearchserviceDestinationConfiguration", structureOf()),
	optional("SplunkDestinationConfiguration", structureOf()),
	optional("HttpEndpointDestinationConfiguration", structureOf()),
	optional("Tags", listOf(1, 50, tag)),
	optional("AmazonOpenSearchServerlessDestinationConfiguration", structureOf()),
	optional("MSKSourceConfiguration", structureOf()),
	optional("SnowflakeDestinationConfiguration", structureOf()),
	optional("IcebergDestinationConfiguration", structureOf()),
	optional("DatabaseSourceConfiguration", structureOf()),
)

var (
	roleARN   = patternOf(1, 512, `arn:.*:iam::\d{12}:role/[a-zA-Z_0-9+=,.@\-_/]+`)
	bucketARN = patternOf(1, 2048, `arn:.*:s3:::[\w\.\-]{1,255}`)
	keyARN    = patternOf(1, 512, `arn:.*:kms:[a-zA-Z0-9\-]+:\d{12}:(key|alias)/[a-zA-Z_0-9+=,.@\-_/]+`)
)

func fitsTagKey(s string) bool { return !strings.HasPrefix(s, "aws:") && tagCharacters.MatchString(s) }

var tag = structureOf(
	required("Key", tagKey),
	// An absent value is no value, but a null one is refused (spec section 2.10).
	member{name: "Value", notNull: true, shape: matchOf(0, 256, `^`+tagText+`$`, tagCharacters.MatchString)},
)

// s3Members are the members that both S3 shapes have.
var s3Members = []member{
	required("RoleARN", roleARN),
	required("BucketARN", bucketARN),
	optional("Prefix", stringOf(0, 1024)),
	optional("ErrorOutputPrefix", stringOf(0, 1024)),
	optional("BufferingHints", structureOf(
		optional("SizeInMBs", integerOf(1, 128)),
		optional("IntervalInSeconds", integerOf(0, 900)),
	)),
	optional("CompressionFormat", enumOf("ZIP", "HADOOP_SNAPPY", "Snappy", "GZIP", "UNCOMPRESSED")),
	optional("EncryptionConfiguration", structureOf(
		optional("NoEncryptionConfig", enumOf("NoEncryption")),
		optional("KMSEncryptionConfig", structureOf(required("AWSKMSKeyARN", keyARN))),
	)),
	optional("CloudWatchLoggingOptions", structureOf(
		optional("Enabled", flag()),
		optional("LogGroupName", patternOf(0, 512, `[\.\-_/#A-Za-z0-9]*`)),
		optional("LogStreamName", patternOf(0, 512, `[^:*]*`)),
	)),
}

var s3Configuration = structureOf(s3Members...)

var extendedS3Configuration = structureOf(append(s3Members[:len(s3Members):len(s3Members)],
	optional("ProcessingConfiguration", processing),
	optional("S3BackupMode", enumOf("Disabled", "Enabled")),
	optional("S3BackupConfiguration", s3Configuration),
	optional("DataFormatConversionConfiguration", conversion),
	optional("DynamicPartitioningConfiguration", structureOf(
		optional("RetryOptions", structureOf(optional("DurationInSeconds", integerOf(0, 7200)))),
		optional("Enabled", flag()),
	)),
	optional("FileExtension", patternOf(0, 128, `^(|\.[0-9a-z!\-_.*'()]+)$`)),
	optional("CustomTimeZone", patternOf(0, 50, `^$|[a-zA-Z/_]+`)),
)...)

var processing = structureOf(
	optional("Enabled", flag()),
	optional("Processors", listOf(0, unbounded, structureOf(
		required("Type", enumOf("Decompression", "Lambda", "RecordDeAggregation", "MetadataExtraction",
			"AppendDelimiterToRecord", "CloudWatchLogProcessing")),
		optional("Parameters", listOf(0, unbounded, structureOf(
			required("ParameterName", enumOf("DataMessageExtraction", "NumberOfRetries", "Delimiter", "RoleArn",
				"JsonParsingEngine", "SubRecordType", "MetadataExtractionQuery", "BufferIntervalInSeconds",
				"LambdaArn", "BufferSizeInMBs", "CompressionFormat")),
			required("ParameterValue", notBlank(5120)),
		))),
	))),
)

// notBlank is a text of up to high characters that are not all white space.
func notBlank(high int64) *shape {
	return matchOf(1, high, `^(?!\s*$).+`, func(s string) bool {
		return strings.IndexFunc(s, func(r rune) bool { return !strings.ContainsRune(" \t\n\v\f\r", r) }) >= 0 &&
			!strings.ContainsAny(s, "\n\r")
	})
}

// notSpaced is a text of up to 1,024 characters without white space.
func notSpaced() *shape {
	return matchOf(1, 1024, `^\S+$`, func(s string) bool {
		return s != "" && strings.IndexFunc(s, unicode.IsSpace) < 0
	})
}

// conversion lists its parts in the order in which violations were seen (spec section
// 1.7), which is not that of the appendix.
var conversion = structureOf(
	optional("OutputFormatConfiguration", structureOf(optional("Serializer", structureOf(
		optional("ParquetSerDe", parquet),
		optional("OrcSerDe", orc),
	)))),
	optional("InputFormatConfiguration", structureOf(optional("Deserializer", structureOf(
		optional("OpenXJsonSerDe", structureOf(
			optional("ConvertDotsInJsonKeysToUnderscores", flag()),
			optional("CaseInsensitive", flag()),
			optional("ColumnToJsonKeyMappings", mapOf(notSpaced(), notBlank(1024))),
		)),
		optional("HiveJsonSerDe", structureOf(
			optional("TimestampFormats", listOf(0, unbounded, notBlank(1024))),
		)),
	)))),
	optional("SchemaConfiguration", structureOf(
		optional("VersionId", notSpaced()),
		optional("CatalogId", notSpaced()),
		optional("DatabaseName", notSpaced()),
		optional("RoleARN", notSpaced()),
		optional("Region", notSpaced()),
		optional("TableName", notSpaced()),
	)),
	optional("Enabled", flag()),
)

var parquet = structureOf(
	optional("MaxPaddingBytes", integerOf(0, unbounded)),
	optional("BlockSizeBytes", integerOf(64<<20, unbounded)),
	optional("PageSizeBytes", integerOf(64<<10, unbounded)),
	optional("Compression", enumOf("SNAPPY", "GZIP", "UNCOMPRESSED")),
	optional("EnableDictionaryCompression", flag()),
	optional("WriterVersion", enumOf("V1", "V2")),
)

var orc = structureOf(
	optional("DictionaryKeyThreshold", fraction()),
	optional("BlockSizeBytes", integerOf(64<<20, unbounded)),
	optional("RowIndexStride", integerOf(1000, unbounded)),
	optional("PaddingTolerance", fraction()),
	optional("EnablePadding", flag()),
	optional("StripeSizeBytes", integerOf(8<<20, unbounded)),
	optional("Compression", enumOf("ZLIB", "SNAPPY", "NONE")),
	optional("BloomFilterColumns", listOf(0, unbounded, notSpaced())),
	optional("FormatVersion", enumOf("V0_11", "V0_12")),
	optional("BloomFilterFalsePositiveProbability", fraction()),
)
