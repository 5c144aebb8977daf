package clients

import "fmt"

const (
	invalid     = "InvalidArgumentException"
	validation  = "ValidationException"
	notFound    = "ResourceNotFoundException"
	inUse       = "ResourceInUseException"
	tooMany     = "LimitExceededException"
	conflict    = "ConcurrentModificationException"
	unreadable  = "SerializationException"
	unavailable = "ServiceUnavailableException"
	badKey      = "InvalidKMSResourceException"
)

const (
	namePattern = "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
	nobody      = "Firehose nobody under account 000000000000 not found."
	absentKey   = "arn:aws:kms:us-east-1:000000000000:key/00000000-0000-0000-0000-000000000000"
	failedPath  = "failed/!{firehose:error-output-type}/"
)

// framework is what is refused before anyone looks at a stream: sections 1.6, 1.7 and 2.13.1.
var framework = []refusal{
	{Name: "operation that is not there", Operation: "Fly", Input: m{}, Code: "UnknownOperationException", Handmade: true},
	{Name: "null processor", Operation: "CreateDeliveryStream", Handmade: true,
		Input: created(m{"ProcessingConfiguration": m{"Enabled": true, "Processors": []any{nil}}}), Code: validation,
		Message: broken("extendedS3DestinationConfiguration.processingConfiguration.processors.1.member", notNull)},
	{Name: "null tag value", Operation: "TagDeliveryStream", Handmade: true,
		Input: on("ready", m{"Tags": []any{m{"Key": "k", "Value": nil}}}), Code: validation, Message: broken("tags.1.member.value", notNull)},
	{Name: "data that is not base64", Operation: "PutRecord", Handmade: true,
		Input: on("ready", m{"Record": m{"Data": "e*=="}}), Code: unreadable, Message: "Data of record 1 is not valid base64."},
	{Name: "number for a name", Operation: "DescribeDeliveryStream", Input: m{"DeliveryStreamName": 1},
		Code: unreadable, Message: "NUMBER_VALUE can not be converted to a String", Handmade: true},
	{Name: "nothing at all", Operation: "CreateDeliveryStream", Input: m{}, Code: validation, Message: broken("deliveryStreamName", notNull)},
	{Name: "ARN for a name", Operation: "DescribeDeliveryStream",
		Input: on("arn:aws:firehose:us-east-1:000000000000:deliverystream/ready", nil), Code: validation, Message: broken("deliveryStreamName", namePattern)},
	{Name: "name of 65 characters", Operation: "DeleteDeliveryStream", Input: on(text(65, "n"), nil), Code: validation,
		Message: broken("deliveryStreamName", fmt.Sprintf(atMost, "length", 64))},
	{Name: "page of nothing", Operation: "ListDeliveryStreams", Input: m{"Limit": 0}, Code: validation,
		Message: broken("limit", fmt.Sprintf(atLeast, "value", 1))},
	{Name: "page of too much", Operation: "ListDeliveryStreams", Input: m{"Limit": 10001}, Code: validation,
		Message: broken("limit", fmt.Sprintf(atMost, "value", 10000))},
	{Name: "type that is not there", Operation: "ListDeliveryStreams", Input: m{"DeliveryStreamType": "Pull"}, Code: validation,
		Message: broken("deliveryStreamType", "Member must satisfy enum value set: [DirectPut, KinesisStreamAsSource, MSKAsSource, DatabaseAsSource]")},
	{Name: "several at once", Operation: "CreateDeliveryStream", Input: on("new", m{"ExtendedS3DestinationConfiguration": m{"CompressionFormat": "RAR"}}), Code: validation,
		Message: broken("extendedS3DestinationConfiguration.roleARN", notNull, "extendedS3DestinationConfiguration.bucketARN", notNull,
			"extendedS3DestinationConfiguration.compressionFormat", "Member must satisfy enum value set: [ZIP, HADOOP_SNAPPY, Snappy, GZIP, UNCOMPRESSED]")},
}

// creations are streams that cannot be made, or that are not there: section 2.13.2.
var creations = []refusal{
	{Name: "no destination", Operation: "CreateDeliveryStream", Input: on("new", nil), Code: invalid,
		Message: "Exactly one destination configuration is supported for a Firehose"},
	{Name: "two destinations", Operation: "CreateDeliveryStream", Code: invalid,
		Input: with(created(nil), m{"HttpEndpointDestinationConfiguration": m{"EndpointConfiguration": m{"Url": "https://example.com"},
			"RoleARN": role, "S3Configuration": lake(nil)}}), Message: "Exactly one destination configuration is supported for a Firehose"},
	{Name: "both shapes of S3", Operation: "CreateDeliveryStream", Input: with(created(nil), m{"S3DestinationConfiguration": lake(nil)}), Code: invalid,
		Message: "Exactly one of S3DestinationConfiguration or ExtendedS3DestinationConfiguration must be specified."},
	{Name: "name that is taken", Operation: "CreateDeliveryStream", Input: with(created(nil), m{"DeliveryStreamName": "ready"}), Code: inUse,
		Message: "Firehose ready under accountId 000000000000 already exists"},
	{Name: "name of a stream on its way out", Operation: "CreateDeliveryStream", Input: with(created(nil), m{"DeliveryStreamName": "leaving"}), Code: inUse,
		Message: "Firehose leaving under accountId 000000000000 already exists"},
	{Name: "more streams than the quota", Operation: "CreateDeliveryStream", Input: created(nil), Full: true, Code: tooMany,
		Message: "You have already consumed your firehose quota of 2 hoses. Firehose names: [one, two]"},
	{Name: "unknown to describe", Operation: "DescribeDeliveryStream", Input: on("nobody", nil), Code: notFound, Message: nobody},
	{Name: "unknown to delete", Operation: "DeleteDeliveryStream", Input: on("nobody", nil), Code: notFound, Message: nobody},
}

// sources are streams of other types: section 2.13.3.
var sources = []refusal{
	{Name: "Kinesis source of a DirectPut stream", Operation: "CreateDeliveryStream", Code: invalid,
		Input:   with(created(nil), m{"DeliveryStreamType": "DirectPut", "KinesisStreamSourceConfiguration": m{"KinesisStreamARN": "arn:aws:kinesis:us-east-1:000000000000:stream/s", "RoleARN": role}}),
		Message: "KinesisSourceStreamConfig is only applicable for KinesisStreamAsSource stream type"},
	{Name: "Kinesis stream without a source", Operation: "CreateDeliveryStream", Input: with(created(nil), m{"DeliveryStreamType": "KinesisStreamAsSource"}), Code: invalid,
		Message: "KinesisSourceStreamConfig is mandatory for KinesisStreamAsSource stream type."},
	{Name: "MSK stream without a source", Operation: "CreateDeliveryStream", Input: with(created(nil), m{"DeliveryStreamType": "MSKAsSource"}), Code: invalid,
		Message: "MSKSourceConfig is mandatory for MSK as Source stream type."},
	{Name: "database stream to S3", Operation: "CreateDeliveryStream", Input: with(created(nil), m{"DeliveryStreamType": "DatabaseAsSource"}), Code: invalid,
		Message: "IcebergDestinationConfiguration must be specified for Database as Source."},
}

func prefix(data, failed string) m { return created(m{"Prefix": data, "ErrorOutputPrefix": failed}) }

func partitioned(data, failed string) m {
	return created(m{"Prefix": data, "ErrorOutputPrefix": failed, "DynamicPartitioningConfiguration": m{"Enabled": true}, "BufferingHints": m{"SizeInMBs": 64}})
}

// prefixes are section 2.13.4.
var prefixes = []refusal{
	{Name: "expressions without an error prefix", Operation: "CreateDeliveryStream", Input: created(m{"Prefix": "!{timestamp:yyyy}/"}), Code: invalid,
		Message: "ErrorOutputPrefix cannot be null or empty when Prefix contains expressions"},
	{Name: "error prefix without the type", Operation: "CreateDeliveryStream", Input: created(m{"ErrorOutputPrefix": "failed/"}), Code: invalid,
		Message: "ErrorOutputPrefix must contain at least one occurrence of !{firehose:error-output-type}"},
	{Name: "type of error in the prefix", Operation: "CreateDeliveryStream", Input: prefix(failedPath, failedPath), Code: invalid,
		Message: "Prefix must not contain any occurrence of !{firehose:error-output-type}"},
	{Name: "partitions in the error prefix", Operation: "CreateDeliveryStream", Input: partitioned("!{partitionKeyFromQuery:k}/", failedPath+"!{partitionKeyFromQuery:k}/"), Code: invalid,
		Message: "Dynamic Partitioning Namespaces can't be part of an error prefix expression"},
	{Name: "partitions without partitioning", Operation: "CreateDeliveryStream", Input: prefix("!{partitionKeyFromLambda:k}/", failedPath), Code: invalid,
		Message: "Dynamic Partitioning Namespaces can only be part of a prefix expression when Dynamic Partitioning is enabled."},
	{Name: "partitioning without partitions", Operation: "CreateDeliveryStream", Input: partitioned("flat/", failedPath), Code: invalid,
		Message: "S3 Prefix should contain Dynamic Partitioning namespaces when Dynamic Partitioning is enabled"},
	{Name: "unknown namespace", Operation: "CreateDeliveryStream", Input: prefix("!{date:yyyy}/", failedPath), Code: invalid,
		Message: "Namespace to the left of colon (date) is an invalid keyword!"},
	{Name: "half an expression", Operation: "CreateDeliveryStream", Input: prefix("!{timestamp:yyyy/", failedPath), Code: invalid, Message: "Invalid expression usage"},
	{Name: "bad pattern", Operation: "CreateDeliveryStream", Input: prefix("!{timestamp:b}/", failedPath), Code: invalid,
		Message: "Invalid conversion character used in the value of the expression in Prefix"},
	{Name: "bad pattern of the error prefix", Operation: "CreateDeliveryStream", Input: prefix("", failedPath+"!{timestamp:b}/"), Code: invalid,
		Message: "Invalid conversion character used in the value of the expression in ErrorOutputPrefix"},
	{Name: "prefix of 513 characters", Operation: "CreateDeliveryStream", Input: created(m{"Prefix": text(513, "p")}), Code: invalid,
		Message: "Length of evaluated prefix cannot be greater than 512"},
	{Name: "error prefix of more than 512 characters", Operation: "CreateDeliveryStream", Input: prefix("", text(500, "e")+failedPath), Code: invalid,
		Message: "Length of evaluated ErrorOutputPrefix cannot be greater than 512"},
	{Name: "prefix that an update brings", Operation: "UpdateDestination", Input: updated("ready", m{"Prefix": "!{timestamp:yyyy}/"}), Code: invalid,
		Message: "ErrorOutputPrefix cannot be null or empty when Prefix contains expressions"},
}

// options are sections 2.13.5 and 2.13.6.
var options = []refusal{
	{Name: "log without a group", Operation: "CreateDeliveryStream", Input: created(m{"CloudWatchLoggingOptions": m{"Enabled": true, "LogStreamName": "s"}}), Code: invalid,
		Message: "CloudWatch Log Group Name is required if CloudWatch Logging is enabled"},
	{Name: "encrypted and not encrypted", Operation: "CreateDeliveryStream", Code: invalid,
		Input: created(m{"EncryptionConfiguration": m{"NoEncryptionConfig": "NoEncryption",
			"KMSEncryptionConfig": m{"AWSKMSKeyARN": absentKey}}}), Message: "Exactly one of NoEncryptionConfig or KMSEncryptionConfig must be specified"},
	{Name: "neither encrypted nor not", Operation: "CreateDeliveryStream", Input: created(m{"EncryptionConfiguration": m{}}), Code: invalid,
		Message: "Exactly one of NoEncryptionConfig or KMSEncryptionConfig must be specified"},
	{Name: "backup to nowhere", Operation: "CreateDeliveryStream", Input: created(m{"S3BackupMode": "Enabled"}), Code: invalid,
		Message: "S3 backup destination configuration is required when enabling S3 backup."},
	{Name: "backup to nowhere by an update", Operation: "UpdateDestination", Input: updated("ready", m{"S3BackupMode": "Enabled"}), Code: invalid,
		Message: "S3 backup destination configuration is required when enabling S3 backup."},
	{Name: "processing without processors", Operation: "CreateDeliveryStream", Input: created(m{"ProcessingConfiguration": m{"Enabled": true}}), Code: invalid,
		Message: "A maximum of 5 and a minimum of 1 processor needs to be supplied when processing is enabled."},
	{Name: "six processors", Operation: "CreateDeliveryStream", Code: invalid,
		Input:   created(m{"ProcessingConfiguration": m{"Enabled": true, "Processors": times(6, m{"Type": "AppendDelimiterToRecord"})}}),
		Message: "A maximum of 5 and a minimum of 1 processor needs to be supplied when processing is enabled."},
}

// updates are those of section 2.13.2.
var updates = []refusal{
	{Name: "both shapes of S3 in an update", Operation: "UpdateDestination", Input: with(updated("ready", m{}), m{"S3DestinationUpdate": m{}}), Code: invalid,
		Message: "Exactly one of s3DestinationUpdate or extendedS3DestinationUpdate must be specified."},
	{Name: "update of nothing", Operation: "UpdateDestination", Code: invalid,
		Input:   on("ready", m{"CurrentDeliveryStreamVersionId": "1", "DestinationId": destinationID}),
		Message: "At least one destination or source configuration update must be provided"},
	{Name: "destination that is not there", Operation: "UpdateDestination", Input: with(updated("ready", m{}), m{"DestinationId": "destinationId-000000000002"}), Code: invalid,
		Message: "Destination Id destinationId-000000000002 not found"},
	{Name: "end of a backup", Operation: "UpdateDestination", Input: updated("backed", m{"S3BackupMode": "Disabled"}), Code: invalid,
		Message: "Disabling S3 backup is not currently supported."},
	{Name: "old version", Operation: "UpdateDestination", Input: with(updated("ready", m{}), m{"CurrentDeliveryStreamVersionId": "7"}), Code: conflict,
		Message: "Cannot update firehose: ready since the current version id: 1 and specified version id: 7 do not match"},
	{Name: "update of a stream that failed to be made", Operation: "UpdateDestination", Input: updated("stillborn", m{}), Code: inUse,
		Message: "Cannot update firehose: stillborn when it is in CREATING_FAILED status"},
	{Name: "update of a stream on its way out", Operation: "UpdateDestination", Input: updated("leaving", m{}), Code: inUse,
		Message: "Cannot update firehose: leaving when it is in DELETING status"},
	{Name: "unknown to update", Operation: "UpdateDestination", Input: updated("nobody", m{}), Code: notFound, Message: nobody},
	{Name: "version that is no number", Operation: "UpdateDestination", Input: with(updated("ready", m{}), m{"CurrentDeliveryStreamVersionId": "latest"}), Code: validation,
		Message: broken("currentDeliveryStreamVersionId", "Member must satisfy regular expression pattern: [0-9]+")},
	{Name: "no version", Operation: "UpdateDestination", Input: on("ready", m{"DestinationId": destinationID, "ExtendedS3DestinationUpdate": m{}}), Code: validation,
		Message: broken("currentDeliveryStreamVersionId", notNull)},
}

func put(stream, data string) m { return on(stream, m{"Record": m{"Data": data}}) }

func putBatch(stream string, n int, data string) m {
	return on(stream, m{"Records": times(n, m{"Data": data})})
}

// puts are sections 2.8 and 2.9.
var puts = []refusal{
	{Name: "unknown to put", Operation: "PutRecord", Input: put("nobody", "x"), Code: notFound, Message: nobody},
	{Name: "unknown to put a batch", Operation: "PutRecordBatch", Input: putBatch("nobody", 1, "x"), Code: notFound, Message: nobody},
	{Name: "put to a stream that failed to be made", Operation: "PutRecord", Input: put("stillborn", "x"), Code: notFound,
		Message: "Firehose stillborn is not active in 000000000000 account."},
	{Name: "batch to a stream on its way out", Operation: "PutRecordBatch", Input: putBatch("leaving", 2, "x"), Code: notFound,
		Message: "Firehose leaving is not active in 000000000000 account."},
	{Name: "no record", Operation: "PutRecord", Input: on("ready", nil), Code: validation, Message: broken("record", notNull)},
	{Name: "no data", Operation: "PutRecord", Input: on("ready", m{"Record": m{}}), Code: validation, Message: broken("record.data", notNull)},
	{Name: "record that is too large", Operation: "PutRecord", Input: put("ready", text(1_024_001, "x")), Code: validation,
		Message: broken("record.data", fmt.Sprintf(atMost, "length", 1_024_000))},
	{Name: "empty batch", Operation: "PutRecordBatch", Input: putBatch("ready", 0, ""), Code: validation,
		Message: broken("records", fmt.Sprintf(atLeast, "length", 1))},
	{Name: "batch of 501 records", Operation: "PutRecordBatch", Input: putBatch("ready", 501, "x"), Code: validation,
		Message: broken("records", fmt.Sprintf(atMost, "length", 500))},
	{Name: "batch of more than 4 MiB", Operation: "PutRecordBatch", Input: putBatch("ready", 5, text(1_000_000, "x")), Code: invalid,
		Message: "Records size exceeds 4 MB limit"},
	{Name: "put beyond the quota", Operation: "PutRecord", Input: put("metered", "x"), Code: unavailable, Message: "Slow down.", Status: 500},
	{Name: "batch beyond the quota", Operation: "PutRecordBatch", Input: putBatch("metered", 2, "x"), Code: unavailable, Message: "Slow down.", Status: 500},
	{Name: "put under a disabled key", Operation: "PutRecord", Input: put("locked", "x"), Code: badKey, Message: "<key> is disabled.", Reason: "KMS.DisabledException"},
	{Name: "batch under a disabled key", Operation: "PutRecordBatch", Input: putBatch("locked", 2, "x"), Code: badKey, Message: "<key> is disabled.", Reason: "KMS.DisabledException"},
}

// tags are sections 2.10 and 2.11.
var tags = []refusal{
	{Name: "51st tag", Operation: "TagDeliveryStream", Input: on("ready", m{"Tags": []any{m{"Key": "one more"}}}), Code: tooMany,
		Message: "Maximum number of tags per delivery stream exceeded"},
	{Name: "tag of AWS", Operation: "TagDeliveryStream", Input: on("ready", m{"Tags": []any{m{"Key": "aws:x"}}}), Code: validation,
		Message: broken("tags.1.member.key", `Member must satisfy regular expression pattern: ^(?!aws:)[\p{L}\p{Z}\p{N}_.:\/=+\-@%]*$`)},
	{Name: "no tags", Operation: "TagDeliveryStream", Input: on("ready", m{"Tags": []any{}}), Code: validation,
		Message: broken("tags", fmt.Sprintf(atLeast, "length", 1))},
	{Name: "tag of a stream on its way out", Operation: "TagDeliveryStream", Input: on("leaving", m{"Tags": []any{m{"Key": "k"}}}), Code: inUse,
		Message: "Firehose leaving under account 000000000000 is in the DELETING state."},
	{Name: "untag of a stream on its way out", Operation: "UntagDeliveryStream", Input: on("leaving", m{"TagKeys": []any{"k"}}), Code: inUse,
		Message: "Firehose leaving under account 000000000000 is in the DELETING state."},
	{Name: "unknown to tag", Operation: "TagDeliveryStream", Input: on("nobody", m{"Tags": []any{m{"Key": "k"}}}), Code: notFound, Message: nobody},
	{Name: "unknown to untag", Operation: "UntagDeliveryStream", Input: on("nobody", m{"TagKeys": []any{"k"}}), Code: notFound, Message: nobody},
	{Name: "unknown to list tags of", Operation: "ListTagsForDeliveryStream", Input: on("nobody", nil), Code: notFound, Message: nobody},
	{Name: "page of 51 tags", Operation: "ListTagsForDeliveryStream", Input: on("ready", m{"Limit": 51}), Code: validation,
		Message: broken("limit", fmt.Sprintf(atMost, "value", 50))},
}

func encrypted(stream string, key m) m {
	return on(stream, m{"DeliveryStreamEncryptionConfigurationInput": key})
}

// encryption is sections 2.12 and 2.13.3.
var encryption = []refusal{
	{Name: "customer's key without ARN", Operation: "StartDeliveryStreamEncryption", Input: encrypted("ready", m{"KeyType": "CUSTOMER_MANAGED_CMK"}), Code: invalid,
		Message: "KeyARN has to be specified when KeyType is CUSTOMER_MANAGED_CMK"},
	{Name: "own key with ARN", Operation: "StartDeliveryStreamEncryption", Input: encrypted("ready", m{"KeyType": "AWS_OWNED_CMK", "KeyARN": absentKey}), Code: invalid,
		Message: "KeyARN cannot be specified when KeyType is AWS_OWNED_CMK"},
	{Name: "key of another region", Operation: "StartDeliveryStreamEncryption", Code: invalid,
		Input:   encrypted("ready", m{"KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": "arn:aws:kms:eu-west-3:000000000000:key/00000000-0000-0000-0000-000000000000"}),
		Message: "Cross-region keys are not allowed for SSE. Please provide CMKs in the same region as firehose"},
	{Name: "own key with ARN at creation", Operation: "CreateDeliveryStream", Code: invalid,
		Input:   with(created(nil), encrypted("new", m{"KeyType": "AWS_OWNED_CMK", "KeyARN": absentKey})),
		Message: "KeyARN cannot be specified when KeyType is AWS_OWNED_CMK"},
	{Name: "encryption of a stream with a source", Operation: "CreateDeliveryStream", Code: invalid,
		Input: with(with(created(nil), encrypted("new", m{"KeyType": "AWS_OWNED_CMK"})), m{"DeliveryStreamType": "KinesisStreamAsSource",
			"KinesisStreamSourceConfiguration": m{"KinesisStreamARN": "arn:aws:kinesis:us-east-1:000000000000:stream/s", "RoleARN": role}}),
		Message: "Server side encryption from firehose is only allowed for direct put delivery streams and database as a source delivery streams"},
	{Name: "26th change of the encryption", Operation: "StartDeliveryStreamEncryption", Input: on("tired", nil), Code: tooMany,
		Message: "StartDeliveryStreamEncryption and StopDeliveryStreamEncryption can be called 25 times for a Firehose in 24 hours."},
	{Name: "encryption of a stream on its way out", Operation: "StartDeliveryStreamEncryption", Input: on("leaving", nil), Code: inUse,
		Message: "Cannot update firehose: leaving when it is in DELETING status"},
	{Name: "end of encryption of a stream on its way out", Operation: "StopDeliveryStreamEncryption", Input: on("leaving", nil), Code: inUse,
		Message: "Cannot update firehose: leaving when it is in DELETING status"},
	{Name: "unknown to encrypt", Operation: "StartDeliveryStreamEncryption", Input: on("nobody", nil), Code: notFound, Message: nobody},
	{Name: "unknown to decrypt", Operation: "StopDeliveryStreamEncryption", Input: on("nobody", nil), Code: notFound, Message: nobody},
}
