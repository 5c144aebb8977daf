package glue

// Quotas. AWS has larger ones for those marked with them.
const (
	maxDatabases     = 10_000
	maxTables        = 10_000    // of a database; AWS: 200,000
	maxVersions      = 1_000     // of a table; AWS: 100,000
	maxPartitions    = 100_000   // of a table; AWS: 10,000,000
	maxDatabaseBytes = 64 << 10  // of a database, as stored
	maxVersionBytes  = 400 << 10 // of a version of a table, as stored
	maxTableBytes    = 64 << 20  // of all versions of a table
	maxPartBytes     = 64 << 10  // of a partition, as stored
	maxKeyBytes      = 4 << 10   // of the values of a partition, as they stand in a key
)

// Sizes of answers. A page ends early when its items are large: the client asks for more.
const (
	usualPage     = 100     // databases, tables and versions
	maxPage       = 100     // of these
	usualParts    = 1000    // partitions
	maxPartsPage  = 1000    // of these
	maxPageBytes  = 1 << 20 // of the items of a page, unless a single one is larger
	maxBatch      = 100     // things that a batch operation names
	maxExpression = 2048    // characters
)
