package firehose

//go:generate go run ./shapegen -model $FIREHOSE_MODEL

// The limits of puts (spec sections 2.9 and 11.1).
const (
	maxBatchRecords = 500
	maxBatchBytes   = 4 << 20 // raw
)

// The inputs of the operations, by their short names. Their tables are appendix A of the
// specification, generated from the service model; FIREHOSE_MODEL is its file
// service-2.json.gz in the AWS SDK for Python.
var (
	createInput   = leaveOpen(modelCreateDeliveryStreamInput, unbuiltConfigurations)
	deleteInput   = modelDeleteDeliveryStreamInput
	describeInput = modelDescribeDeliveryStreamInput
	listInput     = modelListDeliveryStreamsInput
	updateInput   = leaveOpen(modelUpdateDestinationInput, unbuiltUpdates)

	putRecordInput      = modelPutRecordInput
	putRecordBatchInput = modelPutRecordBatchInput

	startEncryptionInput = modelStartDeliveryStreamEncryptionInput
	stopEncryptionInput  = modelStopDeliveryStreamEncryptionInput

	listTagsInput = modelListTagsForDeliveryStreamInput
	tagInput      = modelTagDeliveryStreamInput
	untagInput    = modelUntagDeliveryStreamInput
)

// unbuiltConfigurations are the members of CreateDeliveryStream that this version does not
// have. They are refused by name whatever they hold, so what is in them is not judged.
var unbuiltConfigurations = []string{
	"RedshiftDestinationConfiguration",
	"ElasticsearchDestinationConfiguration",
	"AmazonopensearchserviceDestinationConfiguration",
	"AmazonOpenSearchServerlessDestinationConfiguration",
	"SplunkDestinationConfiguration",
	"HttpEndpointDestinationConfiguration",
	"SnowflakeDestinationConfiguration",
	"IcebergDestinationConfiguration",
	"MSKSourceConfiguration",
	"DatabaseSourceConfiguration",
}

// unbuiltUpdates are those of UpdateDestination.
var unbuiltUpdates = []string{
	"RedshiftDestinationUpdate",
	"ElasticsearchDestinationUpdate",
	"AmazonopensearchserviceDestinationUpdate",
	"AmazonOpenSearchServerlessDestinationUpdate",
	"SplunkDestinationUpdate",
	"HttpEndpointDestinationUpdate",
	"SnowflakeDestinationUpdate",
	"IcebergDestinationUpdate",
}

// leaveOpen is a structure of which the named members may be any structure.
func leaveOpen(s *shape, names []string) *shape {
	members := append([]member(nil), s.members...)
	open := structureOf()
	for _, name := range names {
		members[s.member(name)].shape = open
	}
	return structureOf(members...)
}
