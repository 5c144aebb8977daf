package stream

import "strings"

// ConversionConfiguration is DataFormatConversionConfiguration (spec section 6): JSON
// records become rows of Parquet or ORC files. It is stored and shown exactly as sent,
// without defaults (spec section 2.3).
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

// converts reports whether records are converted.
func (c *S3Configuration) converts() bool {
	return c.Conversion != nil && or(c.Conversion.Enabled, true)
}

// Converts reports whether records are converted.
func (d *S3Destination) Converts() bool { return d.Conversion != nil && or(d.Conversion.Enabled, true) }

// checkConversion makes the checks of spec section 6.7, in its order.
func (c *S3Configuration) checkConversion(rules *Rules) error {
	if !c.converts() {
		return nil
	}
	if or(c.CompressionFormat, Uncompressed) != Uncompressed {
		return refuse("The S3 destination's compression format must be set to UNCOMPRESSED when data format conversion is enabled. To enable compression within the converted output format, set the appropriate serialization option in the output format configuration.")
	}
	if c.sizeInMBs() < minLargeMBs && !rules.SmallBuffers {
		return refuse("BufferingHints.SizeInMBs must be at least %d when data format conversion is enabled.", minLargeMBs)
	}
	if err := c.Conversion.checkParts(); err != nil {
		return err
	}
	if err := c.Conversion.SchemaConfiguration.check(rules); err != nil {
		return err
	}
	if err := rules.Deserializer(c.Conversion.InputFormat.Deserializer); err != nil {
		return &Refusal{Message: err.Error()}
	}
	return rules.Table(c.Conversion.SchemaConfiguration)
}

// checkParts is checks 3 and 4: what must be there, and what only once.
func (c *ConversionConfiguration) checkParts() error {
	switch {
	case c.InputFormat == nil:
		return refuse("InputFormatConfiguration must not be null")
	case c.OutputFormat == nil:
		return refuse("OutputFormatConfiguration must not be null")
	case c.SchemaConfiguration == nil:
		return refuse("SchemaConfiguration must not be null")
	}
	in, out := or(c.InputFormat.Deserializer, Deserializer{}), or(c.OutputFormat.Serializer, Serializer{})
	switch {
	case in.OpenXJSON == nil && in.HiveJSON == nil:
		return refuse("Deserializer must not be null")
	case out.Parquet == nil && out.ORC == nil:
		return refuse("Serializer must not be null")
	case in.OpenXJSON != nil && in.HiveJSON != nil:
		return refuse("More than one deserializer specified. Only one may be chosen.")
	case out.Parquet != nil && out.ORC != nil:
		return refuse("More than one serializer specified. Only one may be chosen.")
	}
	return nil
}

// check is check 5: the names that the catalogue is asked for.
func (s *SchemaConfiguration) check(rules *Rules) error {
	role := or(s.RoleARN, "")
	switch {
	case role == "":
		return refuse("SchemaConfiguration.RoleArn must not be null or empty")
	case or(s.DatabaseName, "") == "":
		return refuse("SchemaConfiguration.DatabaseName must not be null or empty")
	case or(s.TableName, "") == "":
		return refuse("SchemaConfiguration.TableName must not be null or empty")
	}
	parts := strings.SplitN(role, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "iam" || !strings.HasPrefix(parts[5], "role/") {
		return &Refusal{Message: "Invalid role ARN.", Code: "InvalidParameterValueException"}
	}
	if parts[4] != rules.Account {
		return refuse("Cross-account pass role is not allowed.")
	}
	return nil
}
