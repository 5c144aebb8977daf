package clients

// convert asks for a stream that converts, with those members of its conversion alone.
func convert(conversion m) m {
	return created(m{"BufferingHints": m{"SizeInMBs": 64}, "DataFormatConversionConfiguration": conversion})
}

// rows asks for one that lacks nothing but a table, with other members of its conversion.
func rows(conversion m) m {
	return convert(with(m{
		"InputFormatConfiguration":  m{"Deserializer": m{"OpenXJsonSerDe": m{}}},
		"OutputFormatConfiguration": m{"Serializer": m{"ParquetSerDe": m{}}},
		"SchemaConfiguration":       m{"RoleARN": role, "DatabaseName": "d", "TableName": "t"},
	}, conversion))
}

// of are the names of a table, as far as they are given.
func of(names m) m { return rows(m{"SchemaConfiguration": names}) }

// conversions are section 6.7, in its order.
var conversions = []refusal{
	{Name: "compressed rows", Operation: "CreateDeliveryStream", Input: created(m{"CompressionFormat": "GZIP", "DataFormatConversionConfiguration": m{}}), Code: invalid,
		Message: "The S3 destination's compression format must be set to UNCOMPRESSED when data format conversion is enabled. To enable compression within the converted output format, set the appropriate serialization option in the output format configuration."},
	{Name: "small buffers of rows", Operation: "CreateDeliveryStream", Input: created(m{"BufferingHints": m{"SizeInMBs": 63}, "DataFormatConversionConfiguration": m{}}), Code: invalid,
		Message: "BufferingHints.SizeInMBs must be at least 64 when data format conversion is enabled."},
	{Name: "rows by an update of a stream with small buffers", Operation: "UpdateDestination", Input: updated("ready", m{"DataFormatConversionConfiguration": m{}}), Code: invalid,
		Message: "BufferingHints.SizeInMBs must be at least 64 when data format conversion is enabled."},
	{Name: "no input format", Operation: "CreateDeliveryStream", Input: convert(m{}), Code: invalid, Message: "InputFormatConfiguration must not be null"},
	{Name: "no input format by an update", Operation: "UpdateDestination", Code: invalid,
		Input: updated("ready", m{"BufferingHints": m{"SizeInMBs": 64}, "DataFormatConversionConfiguration": m{}}), Message: "InputFormatConfiguration must not be null"},
	{Name: "no output format", Operation: "CreateDeliveryStream", Input: convert(m{"InputFormatConfiguration": m{}}), Code: invalid, Message: "OutputFormatConfiguration must not be null"},
	{Name: "no schema", Operation: "CreateDeliveryStream", Input: convert(m{"InputFormatConfiguration": m{}, "OutputFormatConfiguration": m{}}), Code: invalid,
		Message: "SchemaConfiguration must not be null"},
	{Name: "no deserializer", Operation: "CreateDeliveryStream", Input: rows(m{"InputFormatConfiguration": m{}}), Code: invalid, Message: "Deserializer must not be null"},
	{Name: "no serializer", Operation: "CreateDeliveryStream", Input: rows(m{"OutputFormatConfiguration": m{"Serializer": m{}}}), Code: invalid, Message: "Serializer must not be null"},
	{Name: "two deserializers", Operation: "CreateDeliveryStream", Input: rows(m{"InputFormatConfiguration": m{"Deserializer": m{"OpenXJsonSerDe": m{}, "HiveJsonSerDe": m{}}}}), Code: invalid,
		Message: "More than one deserializer specified. Only one may be chosen."},
	{Name: "two serializers", Operation: "CreateDeliveryStream", Input: rows(m{"OutputFormatConfiguration": m{"Serializer": m{"ParquetSerDe": m{}, "OrcSerDe": m{}}}}), Code: invalid,
		Message: "More than one serializer specified. Only one may be chosen."},
	{Name: "table without a role", Operation: "CreateDeliveryStream", Input: of(m{"DatabaseName": "d", "TableName": "t"}), Code: invalid,
		Message: "SchemaConfiguration.RoleArn must not be null or empty"},
	{Name: "table without a database", Operation: "CreateDeliveryStream", Input: of(m{"RoleARN": role, "TableName": "t"}), Code: invalid,
		Message: "SchemaConfiguration.DatabaseName must not be null or empty"},
	{Name: "table without a name", Operation: "CreateDeliveryStream", Input: of(m{"RoleARN": role, "DatabaseName": "d"}), Code: invalid,
		Message: "SchemaConfiguration.TableName must not be null or empty"},
	{Name: "role of another account for the table", Operation: "CreateDeliveryStream", Code: invalid,
		Input: of(m{"RoleARN": "arn:aws:iam::123456789012:role/fh", "DatabaseName": "d", "TableName": "t"}), Message: "Cross-account pass role is not allowed."},
	{Name: "role for the table that is no ARN", Operation: "CreateDeliveryStream", Code: "InvalidParameterValueException",
		Input: of(m{"RoleARN": "fh", "DatabaseName": "d", "TableName": "t"}), Message: "Invalid role ARN."},
	{Name: "bad format of timestamps", Operation: "CreateDeliveryStream", Code: invalid,
		Input:   rows(m{"InputFormatConfiguration": m{"Deserializer": m{"HiveJsonSerDe": m{"TimestampFormats": []any{"q"}}}}}),
		Message: "One or more SerDe options are invalid for org.apache.hcatalog.data.JsonSerDe: [Key: timestamp.formats, Value: q, Reason: Illegal pattern component: q]"},
	{Name: "table that is not there", Operation: "CreateDeliveryStream", Input: rows(nil), Code: invalid,
		Message: "Database d not found. (Service: AWSGlue; Status Code: 400; Error Code: EntityNotFoundException)"},
}

// parametered is a processor with its parameters.
func parametered(kind string, values m) m {
	parameters := []any{}
	for name, value := range values {
		parameters = append(parameters, m{"ParameterName": name, "ParameterValue": value})
	}
	return m{"Type": kind, "Parameters": parameters}
}

// jq finds partition keys with a query.
func jq(query string) m {
	return parametered("MetadataExtraction", m{"MetadataExtractionQuery": query, "JsonParsingEngine": "JQ-1.6"})
}

func lambda() m {
	return parametered("Lambda", m{"LambdaArn": "arn:aws:lambda:us-east-1:000000000000:function:f"})
}

func through(processors ...any) m {
	return m{"ProcessingConfiguration": m{"Enabled": true, "Processors": processors}}
}

// byKey are the members of a destination that is partitioned by the key k of a query.
func byKey(processors ...any) m {
	return with(through(processors...), m{"Prefix": "!{partitionKeyFromQuery:k}/", "ErrorOutputPrefix": failedPath, "DynamicPartitioningConfiguration": m{"Enabled": true}})
}

// partitions are section 7.1 but for what is in prefixes.
var partitions = []refusal{
	{Name: "query without partitioning", Operation: "CreateDeliveryStream", Input: created(through(jq("{k:.k}"))), Code: invalid,
		Message: "class com.amazonaws.services.firehose.internal.model.MetadataExtractionProcessor can only be present when Dynamic Partitioning is enabled."},
	{Name: "deaggregation without partitioning", Operation: "CreateDeliveryStream", Input: created(through(parametered("RecordDeAggregation", m{"SubRecordType": "JSON"}))), Code: invalid,
		Message: "class com.amazonaws.services.firehose.internal.model.RecordDeAggregationProcessor can only be present when Dynamic Partitioning is enabled."},
	{Name: "deaggregation of an unknown kind", Operation: "CreateDeliveryStream", Input: created(byKey(parametered("RecordDeAggregation", m{"SubRecordType": "CSV"}), jq("{k:.k}"))), Code: invalid,
		Message: "SubRecordType has to be one of JSON, DELIMITED"},
	{Name: "deaggregation without a delimiter", Operation: "CreateDeliveryStream", Code: invalid,
		Input: created(byKey(parametered("RecordDeAggregation", m{"SubRecordType": "DELIMITED"}), jq("{k:.k}"))), Message: "Delimiter should be present for DELIMITED"},
	{Name: "query of another engine", Operation: "CreateDeliveryStream", Code: invalid,
		Input:   created(byKey(parametered("MetadataExtraction", m{"MetadataExtractionQuery": "{k:.k}", "JsonParsingEngine": "JQ-1.7"}))),
		Message: "MetaDataExtraction JSON Parsing Engine has to be one of JQ-1.6"},
	{Name: "query with other keys than the prefix", Operation: "CreateDeliveryStream", Input: created(byKey(jq("{k:.k,l:.l}"))), Code: invalid,
		Message: "MetaDataExtraction JQ Query can't contain keys that are not present in the S3 Prefix expression"},
	{Name: "prefix with other keys than the query", Operation: "CreateDeliveryStream", Code: invalid,
		Input:   created(with(byKey(jq("{k:.k}")), m{"Prefix": "!{partitionKeyFromQuery:k}/!{partitionKeyFromQuery:l}/"})),
		Message: "S3 Prefix expression can't contain the partition key l, which the MetaDataExtraction JQ Query does not yield"},
	{Name: "small buffers of partitions", Operation: "CreateDeliveryStream", Input: created(with(byKey(jq("{k:.k}")), m{"BufferingHints": m{"SizeInMBs": 63}})), Code: invalid,
		Message: "BufferingHints.SizeInMBs must be at least 64 when Dynamic Partitioning is enabled."},
	{Name: "partitions without buffers", Operation: "CreateDeliveryStream", Input: created(with(byKey(jq("{k:.k}")), m{"BufferingHints": m{"IntervalInSeconds": 0}})), Code: invalid,
		Message: "BufferingHints.IntervalInSeconds must be at least 60 when Dynamic Partitioning is enabled."},
	{Name: "keys from nowhere", Operation: "CreateDeliveryStream", Input: created(byKey(parametered("AppendDelimiterToRecord", m{"Delimiter": "\\n"}))), Code: invalid,
		Message: "A MetadataExtraction or Lambda processor is required when Dynamic Partitioning is enabled."},
	{Name: "queried key without a query", Operation: "CreateDeliveryStream", Input: created(byKey(lambda())), Code: invalid,
		Message: "partitionKeyFromQuery can only be part of a prefix expression when a MetadataExtraction processor is present."},
	{Name: "key of a function that is not there", Operation: "CreateDeliveryStream", Code: invalid,
		Input:   created(with(byKey(jq("{k:.k}")), m{"Prefix": "!{partitionKeyFromQuery:k}/!{partitionKeyFromLambda:l}/"})),
		Message: "partitionKeyFromLambda can only be part of a prefix expression when a Lambda processor is present."},
	{Name: "partitioning by an update", Operation: "UpdateDestination", Input: updated("ready", byKey(jq("{k:.k}"))), Code: invalid,
		Message: "Dynamic Partitioning can only be enabled or disabled when the Firehose is created."},
	{Name: "end of partitioning", Operation: "UpdateDestination", Input: updated("keyed", m{"DynamicPartitioningConfiguration": m{"Enabled": false}}), Code: invalid,
		Message: "Dynamic Partitioning can only be enabled or disabled when the Firehose is created."},
	{Name: "end of the partitions in a prefix", Operation: "UpdateDestination", Input: updated("keyed", m{"Prefix": "flat/"}), Code: invalid,
		Message: "S3 Prefix should contain Dynamic Partitioning namespaces when Dynamic Partitioning is enabled"},
	{Name: "end of the query", Operation: "UpdateDestination", Input: updated("keyed", m{"ProcessingConfiguration": m{"Enabled": false}}), Code: invalid,
		Message: "A MetadataExtraction or Lambda processor is required when Dynamic Partitioning is enabled."},
	{Name: "smaller buffers of partitions", Operation: "UpdateDestination", Input: updated("keyed", m{"BufferingHints": m{"SizeInMBs": 5}}), Code: invalid,
		Message: "BufferingHints.SizeInMBs must be at least 64 when Dynamic Partitioning is enabled."},
}
