package glue

// The structures of the API (spec neighbours.md section 3.1), as they are sent, stored and
// told. Times are Unix seconds.

// Column is a column of a table. Type is a Hive type, kept as it was sent.
type Column struct {
	Name       string
	Type       string            `json:",omitempty"`
	Comment    string            `json:",omitempty"`
	Parameters map[string]string `json:",omitempty"`
}

// SerdeInfo says what reads and writes the rows of a table.
type SerdeInfo struct {
	Name                 string            `json:",omitempty"`
	SerializationLibrary string            `json:",omitempty"`
	Parameters           map[string]string `json:",omitempty"`
}

// SortColumn says that rows of a bucket are sorted by a column, 1 upwards and 0 downwards.
type SortColumn struct {
	Column    string
	SortOrder int
}

// SkewedInfo names values that are so frequent that they lie apart.
type SkewedInfo struct {
	SkewedColumnNames             []string          `json:",omitempty"`
	SkewedColumnValues            []string          `json:",omitempty"`
	SkewedColumnValueLocationMaps map[string]string `json:",omitempty"`
}

// SchemaID names a schema of a registry.
type SchemaID struct {
	SchemaArn    string `json:",omitempty"`
	SchemaName   string `json:",omitempty"`
	RegistryName string `json:",omitempty"`
}

// SchemaReference names a version of a schema of a registry.
type SchemaReference struct {
	SchemaID            *SchemaID `json:"SchemaId,omitempty"`
	SchemaVersionID     string    `json:"SchemaVersionId,omitempty"`
	SchemaVersionNumber int       `json:",omitzero"`
}

// StorageDescriptor says what the rows are and where and how they lie.
type StorageDescriptor struct {
	Columns                []Column `json:",omitempty"`
	Location               string   `json:",omitempty"`
	AdditionalLocations    []string `json:",omitempty"`
	InputFormat            string   `json:",omitempty"`
	OutputFormat           string   `json:",omitempty"`
	Compressed             bool
	NumberOfBuckets        int
	SerdeInfo              *SerdeInfo        `json:",omitempty"`
	BucketColumns          []string          `json:",omitempty"`
	SortColumns            []SortColumn      `json:",omitempty"`
	Parameters             map[string]string `json:",omitempty"`
	SkewedInfo             *SkewedInfo       `json:",omitempty"`
	StoredAsSubDirectories bool
	SchemaReference        *SchemaReference `json:",omitempty"`
}

// Link names a table or database of another catalogue.
type Link struct {
	CatalogID    string `json:"CatalogId,omitempty"`
	DatabaseName string `json:",omitempty"`
	Name         string `json:",omitempty"` // of a table
	Region       string `json:",omitempty"`
}

// TableInput is what a client decides of a table.
type TableInput struct {
	Name              string
	Description       string   `json:",omitempty"`
	Owner             string   `json:",omitempty"`
	LastAccessTime    *float64 `json:",omitempty"`
	LastAnalyzedTime  *float64 `json:",omitempty"`
	Retention         int
	StorageDescriptor *StorageDescriptor `json:",omitempty"`
	PartitionKeys     []Column           `json:",omitempty"`
	ViewOriginalText  string             `json:",omitempty"`
	ViewExpandedText  string             `json:",omitempty"`
	TableType         string             `json:",omitempty"`
	Parameters        map[string]string  `json:",omitempty"`
	TargetTable       *Link              `json:",omitempty"`
}

// Table is what the API tells of a table.
type Table struct {
	TableInput
	DatabaseName                  string
	CreateTime                    float64
	UpdateTime                    float64
	CreatedBy                     string
	IsRegisteredWithLakeFormation bool
	CatalogID                     string `json:"CatalogId"`
	VersionID                     string `json:"VersionId"`
}

// Permissions are what new tables of a database grant. They are stored only.
type Permissions struct {
	Principal struct {
		DataLakePrincipalIdentifier string `json:",omitempty"`
	}
	Permissions []string `json:",omitempty"`
}

// DatabaseInput is what a client decides of a database.
type DatabaseInput struct {
	Name                          string
	Description                   string            `json:",omitempty"`
	LocationURI                   string            `json:"LocationUri,omitempty"`
	Parameters                    map[string]string `json:",omitempty"`
	CreateTableDefaultPermissions []Permissions     `json:",omitempty"`
	TargetDatabase                *Link             `json:",omitempty"`
}

// Database is what the API tells of a database.
type Database struct {
	DatabaseInput
	CreateTime float64
	CatalogID  string `json:"CatalogId"`
}

// PartitionInput is what a client decides of a partition.
type PartitionInput struct {
	Values            []string
	LastAccessTime    *float64           `json:",omitempty"`
	LastAnalyzedTime  *float64           `json:",omitempty"`
	StorageDescriptor *StorageDescriptor `json:",omitempty"`
	Parameters        map[string]string  `json:",omitempty"`
}

// Partition is what the API tells of a partition.
type Partition struct {
	PartitionInput
	DatabaseName string
	TableName    string
	CreationTime float64
	CatalogID    string `json:"CatalogId"`
}
