package stream

// ConversionConfiguration is DataFormatConversionConfiguration (spec section 6): JSON
// records become rows of Parquet or ORC files. It is stored and shown exactly as sent,
// without defaults (spec section 2.3); nothing converts yet, so Enabled must be false.
type ConversionConfiguration struct {
	SchemaConfiguration *SchemaConfiguration `json:"SchemaConfiguration,omitzero"`
	InputFormat         *InputFormat         `json:"InputFormatConfiguration,omitzero"`
	OutputFormat        *OutputFormat        `json:"OutputFormatConfiguration,omitzero"`
	// Enabled counts as true when it is absent.
	Enabled *bool `json:"Enabled,omitzero"`
}

// SchemaConfiguration names the table that gives the columns.
type SchemaConfiguration struct {
	RoleARN      *string `json:"RoleARN,omitzero"`
	CatalogID    *string `json:"CatalogId,omitzero"`
	DatabaseName *string `json:"DatabaseName,omitzero"`
	TableName    *string `json:"TableName,omitzero"`
	Region       *string `json:"Region,omitzero"`
	VersionID    *string `json:"VersionId,omitzero"`
}

// InputFormat says how records are read.
type InputFormat struct {
	Deserializer *Deserializer `json:"Deserializer,omitzero"`
}

// Deserializer is one of the two ways to read JSON.
type Deserializer struct {
	OpenXJSON *OpenXJSON `json:"OpenXJsonSerDe,omitzero"`
	HiveJSON  *HiveJSON  `json:"HiveJsonSerDe,omitzero"`
}

// OpenXJSON are the options of OpenXJsonSerDe.
type OpenXJSON struct {
	ConvertDots     *bool             `json:"ConvertDotsInJsonKeysToUnderscores,omitzero"`
	CaseInsensitive *bool             `json:"CaseInsensitive,omitzero"`
	KeyMappings     map[string]string `json:"ColumnToJsonKeyMappings,omitzero"`
}

// HiveJSON are the options of HiveJsonSerDe.
type HiveJSON struct {
	TimestampFormats []string `json:"TimestampFormats,omitzero"`
}

// OutputFormat says how rows are written.
type OutputFormat struct {
	Serializer *Serializer `json:"Serializer,omitzero"`
}

// Serializer is one of the two file formats.
type Serializer struct {
	Parquet *Parquet `json:"ParquetSerDe,omitzero"`
	ORC     *ORC     `json:"OrcSerDe,omitzero"`
}

// Parquet are the options of ParquetSerDe.
type Parquet struct {
	BlockSizeBytes              *int64  `json:"BlockSizeBytes,omitzero"`
	PageSizeBytes               *int64  `json:"PageSizeBytes,omitzero"`
	Compression                 *string `json:"Compression,omitzero"`
	EnableDictionaryCompression *bool   `json:"EnableDictionaryCompression,omitzero"`
	MaxPaddingBytes             *int64  `json:"MaxPaddingBytes,omitzero"`
	WriterVersion               *string `json:"WriterVersion,omitzero"`
}

// ORC are the options of OrcSerDe.
type ORC struct {
	StripeSizeBytes        *int64   `json:"StripeSizeBytes,omitzero"`
	BlockSizeBytes         *int64   `json:"BlockSizeBytes,omitzero"`
	RowIndexStride         *int64   `json:"RowIndexStride,omitzero"`
	EnablePadding          *bool    `json:"EnablePadding,omitzero"`
	PaddingTolerance       *float64 `json:"PaddingTolerance,omitzero"`
	Compression            *string  `json:"Compression,omitzero"`
	BloomFilterColumns     []string `json:"BloomFilterColumns,omitzero"`
	BloomFalsePositives    *float64 `json:"BloomFilterFalsePositiveProbability,omitzero"`
	DictionaryKeyThreshold *float64 `json:"DictionaryKeyThreshold,omitzero"`
	FormatVersion          *string  `json:"FormatVersion,omitzero"`
}
