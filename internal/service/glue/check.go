package glue

import "strconv"

// check looks at a definition of a table; path begins the names of its members.
func (in *TableInput) check(v *violations, path string) {
	v.name(path+".name", in.Name)
	v.text(path+".description", in.Description, 0, 2048, linesForm)
	v.text(path+".owner", in.Owner, 0, 255, lineForm)
	v.number(path+".retention", &in.Retention, 0, 1<<31-1)
	v.text(path+".viewOriginalText", in.ViewOriginalText, 0, 409600, anyText)
	v.text(path+".viewExpandedText", in.ViewExpandedText, 0, 409600, anyText)
	v.text(path+".tableType", in.TableType, 0, 255, anyText)
	v.parameters(path+".parameters", in.Parameters)
	v.columns(path+".partitionKeys", in.PartitionKeys)
	in.StorageDescriptor.check(v, path+".storageDescriptor")
	in.TargetTable.check(v, path+".targetTable")
}

func (v *violations) columns(path string, columns []Column) {
	for i, c := range columns {
		at := path + "." + strconv.Itoa(i+1) + ".member"
		v.name(at+".name", c.Name)
		v.text(at+".type", c.Type, 0, 131072, lineForm)
		v.text(at+".comment", c.Comment, 0, 255, lineForm)
		v.parameters(at+".parameters", c.Parameters)
	}
}

func (d *StorageDescriptor) check(v *violations, path string) {
	if d == nil {
		return
	}
	v.columns(path+".columns", d.Columns)
	v.text(path+".location", d.Location, 0, 2056, linesForm)
	v.texts(path+".additionalLocations", d.AdditionalLocations, 0, 2056)
	v.text(path+".inputFormat", d.InputFormat, 0, 128, lineForm)
	v.text(path+".outputFormat", d.OutputFormat, 0, 128, lineForm)
	v.texts(path+".bucketColumns", d.BucketColumns, 1, 255)
	v.parameters(path+".parameters", d.Parameters)
	for i, c := range d.SortColumns {
		at := path + ".sortColumns." + strconv.Itoa(i+1) + ".member"
		v.name(at+".column", c.Column)
		v.number(at+".sortOrder", &c.SortOrder, 0, 1)
	}
	if i := d.SerdeInfo; i != nil {
		v.text(path+".serdeInfo.name", i.Name, 0, 255, lineForm)
		v.text(path+".serdeInfo.serializationLibrary", i.SerializationLibrary, 0, 255, lineForm)
		v.parameters(path+".serdeInfo.parameters", i.Parameters)
	}
	if i := d.SkewedInfo; i != nil {
		v.texts(path+".skewedInfo.skewedColumnNames", i.SkewedColumnNames, 1, 255)
	}
}

func (l *Link) check(v *violations, path string) {
	if l == nil {
		return
	}
	v.text(path+".catalogId", l.CatalogID, 0, 255, lineForm)
	v.text(path+".databaseName", l.DatabaseName, 0, 255, lineForm)
	v.text(path+".name", l.Name, 0, 255, lineForm)
	v.text(path+".region", l.Region, 0, 255, lineForm)
}

// check looks at a definition of a database.
func (in *DatabaseInput) check(v *violations, path string) {
	v.name(path+".name", in.Name)
	v.text(path+".description", in.Description, 0, 2048, linesForm)
	v.text(path+".locationUri", in.LocationURI, 0, 1024, linesForm)
	v.parameters(path+".parameters", in.Parameters)
	in.TargetDatabase.check(v, path+".targetDatabase")
}

// check looks at a definition of a partition.
func (in *PartitionInput) check(v *violations, path string) {
	v.values(path+".values", in.Values)
	v.parameters(path+".parameters", in.Parameters)
	in.StorageDescriptor.check(v, path+".storageDescriptor")
}

// values checks the values of a partition.
func (v *violations) values(path string, values []string) {
	v.count(path, len(values), 100)
	for i, value := range values {
		v.text(path+"."+strconv.Itoa(i+1)+".member", value, 0, 1024, anyText)
	}
}
