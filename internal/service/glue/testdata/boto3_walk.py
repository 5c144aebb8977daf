"""Walks through the catalogue with boto3, and fails where the service surprises it."""
import datetime

import boto3
from botocore.exceptions import ClientError

glue = boto3.client("glue")


def refused(code, call, **arguments):
    """Checks that a call fails with a modelled error, and returns its message."""
    try:
        call(**arguments)
    except ClientError as e:
        assert e.response["Error"]["Code"] == code, e
        return e.response["Error"]["Message"]
    raise AssertionError(f"{call} was not refused with {code}")


glue.create_database(DatabaseInput={"Name": "Web", "Description": "what visitors do", "Parameters": {"owner": "ops"}}, Tags={"a": "b"})
web = glue.get_database(Name="WEB")["Database"]
assert web["Name"] == "web" and web["Parameters"] == {"owner": "ops"} and web["CatalogId"] == "000000000000", web
assert isinstance(web["CreateTime"], datetime.datetime), web
assert refused("AlreadyExistsException", glue.create_database, DatabaseInput={"Name": "web"}) == "Database already exists."
assert refused("EntityNotFoundException", glue.get_database, Name="nobody") == "Database nobody not found."
glue.update_database(Name="web", DatabaseInput={"Name": "web", "LocationUri": "s3://events/"})
assert glue.get_database(Name="web")["Database"]["LocationUri"] == "s3://events/"

definition = {
    "Name": "Clicks", "Owner": "me", "Retention": 3, "TableType": "EXTERNAL_TABLE", "LastAccessTime": datetime.datetime(2026, 1, 2, 3, 4, 5),
    "Parameters": {"classification": "parquet", "EXTERNAL": "TRUE"},
    "PartitionKeys": [{"Name": "day", "Type": "string"}, {"Name": "hour", "Type": "int"}],
    "StorageDescriptor": {
        "Columns": [{"Name": "id", "Type": "bigint", "Comment": "ä 日本"}, {"Name": "tags", "Type": "map<string,array<string>>"}],
        "Location": "s3://events/clicks/", "Compressed": False, "NumberOfBuckets": -1, "BucketColumns": [],
        "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe", "Parameters": {"serialization.format": "1"}},
        "SortColumns": [{"Column": "id", "SortOrder": 1}], "StoredAsSubDirectories": False,
    },
}
glue.create_table(DatabaseName="web", TableInput=definition)
table = glue.get_table(DatabaseName="web", Name="CLICKS")["Table"]
assert table["Name"] == "clicks" and table["DatabaseName"] == "web" and table["VersionId"] == "0", table
assert table["LastAccessTime"].astimezone(datetime.timezone.utc).day in (1, 2, 3), table
assert table["StorageDescriptor"]["Columns"] == definition["StorageDescriptor"]["Columns"], table
assert table["StorageDescriptor"]["SerdeInfo"] == definition["StorageDescriptor"]["SerdeInfo"], table
assert table["CreatedBy"] == "arn:aws:iam::000000000000:root" and table["IsRegisteredWithLakeFormation"] is False, table
for name in "Owner", "Retention", "TableType", "Parameters", "PartitionKeys":
    assert table[name] == definition[name], (name, table)

for i in range(3):
    glue.update_table(DatabaseName="web", TableInput={**definition, "Description": f"change {i}"}, VersionId=str(i))
refused("ConcurrentModificationException", glue.update_table, DatabaseName="web", TableInput=definition, VersionId="1")
pages = glue.get_paginator("get_table_versions").paginate(DatabaseName="web", TableName="clicks", PaginationConfig={"PageSize": 2})
versions = [v for p in pages for v in p["TableVersions"]]
assert [v["VersionId"] for v in versions] == ["3", "2", "1", "0"], versions
assert versions[1]["Table"]["Description"] == "change 1" and "Description" not in versions[3]["Table"], versions
assert glue.get_table_version(DatabaseName="web", TableName="clicks")["TableVersion"]["VersionId"] == "3"
assert glue.get_table_version(DatabaseName="web", TableName="clicks", VersionId="0")["TableVersion"]["Table"]["VersionId"] == "0"
assert refused("EntityNotFoundException", glue.get_table_version, DatabaseName="web", TableName="clicks", VersionId="9") == "Version not found."
errors = glue.batch_delete_table_version(DatabaseName="web", TableName="clicks", VersionIds=["0", "3", "8"])["Errors"]
assert [(e["VersionId"], e["ErrorDetail"]["ErrorCode"]) for e in errors] == [("3", "InvalidInputException"), ("8", "EntityNotFoundException")], errors

glue.create_partition(DatabaseName="web", TableName="clicks", PartitionInput={"Values": ["2026-01-15", "9"], "StorageDescriptor": {"Location": "s3://events/a"}})
errors = glue.batch_create_partition(DatabaseName="web", TableName="clicks", PartitionInputList=[
    {"Values": ["2026-01-15", str(h)]} for h in range(8, 12)] + [{"Values": ["short"]}])["Errors"]
assert [(e["PartitionValues"], e["ErrorDetail"]["ErrorCode"]) for e in errors] == [
    (["2026-01-15", "9"], "AlreadyExistsException"), (["short"], "InvalidInputException")], errors
assert glue.get_partition(DatabaseName="web", TableName="clicks", PartitionValues=["2026-01-15", "9"])["Partition"]["StorageDescriptor"]["Location"] == "s3://events/a"
pages = glue.get_paginator("get_partitions").paginate(
    DatabaseName="web", TableName="clicks", Expression="day >= '2026-01-01' AND hour > 8", PaginationConfig={"PageSize": 1})
assert sorted(int(q["Values"][1]) for p in pages for q in p["Partitions"]) == [9, 10, 11]
glue.delete_partition(DatabaseName="web", TableName="clicks", PartitionValues=["2026-01-15", "9"])
refused("EntityNotFoundException", glue.get_partition, DatabaseName="web", TableName="clicks", PartitionValues=["2026-01-15", "9"])
assert glue.get_partition_indexes(DatabaseName="web", TableName="clicks")["PartitionIndexDescriptorList"] == []
assert glue.get_tags(ResourceArn="arn:aws:glue:us-east-1:000000000000:database/web")["Tags"] == {}

for name in "clicks_daily", "clicks_hourly", "orders":
    glue.create_table(DatabaseName="web", TableInput={"Name": name})
pages = glue.get_paginator("get_tables").paginate(DatabaseName="web", Expression="clicks.*", PaginationConfig={"PageSize": 2})
assert [t["Name"] for p in pages for t in p["TableList"]] == ["clicks", "clicks_daily", "clicks_hourly"]
errors = glue.batch_delete_table(DatabaseName="web", TablesToDelete=["orders", "nobody"])["Errors"]
assert [(e["TableName"], e["ErrorDetail"]["ErrorMessage"]) for e in errors] == [("nobody", "Table nobody not found.")], errors
glue.delete_table(DatabaseName="web", Name="clicks")
assert refused("EntityNotFoundException", glue.get_table, DatabaseName="web", Name="clicks") == "Table clicks not found."
glue.create_database(DatabaseInput={"Name": "other"})
pages = glue.get_paginator("get_databases").paginate(PaginationConfig={"PageSize": 1})
assert [d["Name"] for p in pages for d in p["DatabaseList"]] == ["other", "web"]
glue.delete_database(Name="web")
refused("EntityNotFoundException", glue.get_tables, DatabaseName="web")
