package main

// enumOrders are the enums that are printed in another order than the model's.
var enumOrders = map[string]string{
	"CompressionFormat": "ZIP HADOOP_SNAPPY Snappy GZIP UNCOMPRESSED",
	"ProcessorType":     "Decompression Lambda RecordDeAggregation MetadataExtraction AppendDelimiterToRecord CloudWatchLogProcessing",
	"ProcessorParameterName": "DataMessageExtraction NumberOfRetries Delimiter RoleArn JsonParsingEngine SubRecordType " +
		"MetadataExtractionQuery BufferIntervalInSeconds LambdaArn BufferSizeInMBs CompressionFormat",
	"ParquetCompression": "SNAPPY GZIP UNCOMPRESSED",
	"OrcCompression":     "ZLIB SNAPPY NONE",
}

// memberOrders are the structures whose violations are told in another order than the
// model's. Members that can break nothing stand beside their neighbours of the model.
var memberOrders = map[string]string{
	"DataFormatConversionConfiguration": "OutputFormatConfiguration InputFormatConfiguration SchemaConfiguration Enabled",
	"ParquetSerDe":                      "MaxPaddingBytes BlockSizeBytes PageSizeBytes Compression EnableDictionaryCompression WriterVersion",
	"OrcSerDe": "DictionaryKeyThreshold BlockSizeBytes RowIndexStride PaddingTolerance EnablePadding StripeSizeBytes " +
		"Compression BloomFilterColumns FormatVersion BloomFilterFalsePositiveProbability",
	"SchemaConfiguration": "VersionId CatalogId DatabaseName RoleARN Region TableName",
}

// patterns are the shapes whose pattern is printed otherwise than the model has it.
var patterns = map[string]string{
	"FileExtension": `^(|\.[0-9a-z!\-_.*'()]+)$`,
}

// matchers are the functions that stand for a pattern.
var matchers = map[string]string{
	`^(?!\s*$).+`: "fitsNotBlank",
	`^\S+$`:       "fitsNotSpaced", // Go's \S takes fewer characters for spaces
	`^(?!aws:)[\p{L}\p{Z}\p{N}_.:\/=+\-@%]*$`: "fitsTagKey",
	`jdbc:(redshift|postgresql)://((?!-)[A-Za-z0-9-]{1,63}(?<!-)\.)+(redshift(-serverless)?)\.([a-zA-Z0-9\.\-]+):\d{1,5}/[a-zA-Z0-9_$-]+`: "fitsJDBCURL",
}

// notNull are the optional members that may be absent but not null (spec section 2.10).
var notNull = map[string]string{"Tag": "Value"}

// anything is the pattern that constrains nothing; the spec leaves it out.
const anything = ".*"
