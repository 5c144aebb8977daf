package firehose

import "regexp"

// The inputs of the operations that change a stream (spec appendix A.1).

var updateInput = structureOf(
	required("DeliveryStreamName", streamName),
	required("CurrentDeliveryStreamVersionId", patternOf(1, 50, `[0-9]+`)),
	required("DestinationId", patternOf(1, 100, `[a-zA-Z0-9-]+`)),
	optional("S3DestinationUpdate", s3Update),
	optional("ExtendedS3DestinationUpdate", extendedS3Update),
	optional("RedshiftDestinationUpdate", structureOf()),
	optional("ElasticsearchDestinationUpdate", structureOf()),
	optional("AmazonopensearchserviceDestinationUpdate", structureOf()),
	optional("SplunkDestinationUpdate", structureOf()),
	optional("HttpEndpointDestinationUpdate", structureOf()),
	optional("AmazonOpenSearchServerlessDestinationUpdate", structureOf()),
	optional("SnowflakeDestinationUpdate", structureOf()),
	optional("IcebergDestinationUpdate", structureOf()),
)

// s3Update is S3DestinationUpdate: the members of the configuration, none of them required.
var s3Update = noneRequired(s3Configuration)

// extendedS3Update differs from the configuration in the name of the backup, too.
var extendedS3Update = updateOfBackup(noneRequired(extendedS3Configuration))

// noneRequired is a structure whose members are all optional.
func noneRequired(s *shape) *shape {
	members := make([]member, len(s.members))
	for i, m := range s.members {
		m.required = false
		members[i] = m
	}
	return structureOf(members...)
}

// updateOfBackup puts S3BackupUpdate in the place of S3BackupConfiguration.
func updateOfBackup(s *shape) *shape {
	s.members[s.member("S3BackupConfiguration")] = optional("S3BackupUpdate", s3Update)
	return s
}

// encryptionInput is DeliveryStreamEncryptionConfigurationInput.
var encryptionInput = structureOf(
	optional("KeyARN", keyARN),
	required("KeyType", enumOf("AWS_OWNED_CMK", "CUSTOMER_MANAGED_CMK")),
)

var startEncryptionInput = structureOf(
	required("DeliveryStreamName", streamName),
	optional("DeliveryStreamEncryptionConfigurationInput", encryptionInput),
)

var stopEncryptionInput = structureOf(required("DeliveryStreamName", streamName))

var tagInput = structureOf(
	required("DeliveryStreamName", streamName),
	required("Tags", listOf(1, 50, tag)),
)

var untagInput = structureOf(
	required("DeliveryStreamName", streamName),
	required("TagKeys", listOf(1, 50, tagKey)),
)

var listTagsInput = structureOf(
	required("DeliveryStreamName", streamName),
	optional("ExclusiveStartTagKey", tagKey),
	optional("Limit", integerOf(1, 50)),
)

const tagText = `[\p{L}\p{Z}\p{N}_.:\/=+\-@%]*`

var tagCharacters = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@%]*$`)

// tagKey may be any text but those that AWS keeps for itself.
var tagKey = matchOf(1, 128, `^(?!aws:)`+tagText+`$`, fitsTagKey)
