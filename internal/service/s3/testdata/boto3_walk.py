"""Walks through the life of a bucket with boto3, and fails where the store surprises it."""
import io
import os
import tempfile
import urllib.request

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

s3 = boto3.client("s3")


def refused(code, call, **arguments):
    """Checks that a call fails with an error code."""
    try:
        call(**arguments)
    except ClientError as e:
        assert e.response["Error"]["Code"] == code, e
    else:
        raise AssertionError(f"{call} was not refused with {code}")


s3.create_bucket(Bucket="box")
s3.create_bucket(Bucket="far", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
assert [b["Name"] for b in s3.list_buckets()["Buckets"]] == ["box", "far"]

# Keys that paths, URLs and XML could get wrong.
keys = ["a", "a/b", "a//b", "/lead", "dir/", "..", "../x", ".", "plus +&=?#%25", "ä/日本", "new\nline\x01", "k" * 1024]
for key in keys:
    s3.put_object(Bucket="box", Key=key, Body=key.encode(), Metadata={"n": str(len(key))}, ContentType="text/plain")
for key in keys:
    got = s3.get_object(Bucket="box", Key=key)
    assert got["Body"].read() == key.encode(), key
    assert got["Metadata"] == {"n": str(len(key))} and got["ContentType"] == "text/plain", (got["Metadata"], got["ContentType"])
pages = s3.get_paginator("list_objects_v2").paginate(Bucket="box", PaginationConfig={"PageSize": 2})
listed = [o["Key"] for page in pages for o in page.get("Contents", [])]
assert listed == sorted(keys, key=lambda k: k.encode()), listed
old = s3.get_paginator("list_objects").paginate(Bucket="box", Delimiter="/", PaginationConfig={"PageSize": 2})
prefixes = [p["Prefix"] for page in old for p in page.get("CommonPrefixes", [])]
assert prefixes == ["../", "/", "a/", "dir/", "ä/"], prefixes

# Parts, ranges and copies.
data = os.urandom(12 << 20)
config = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
with tempfile.NamedTemporaryFile() as f:
    f.write(data)
    f.flush()
    s3.upload_file(f.name, "box", "big", Config=config)
head = s3.head_object(Bucket="box", Key="big")
assert head["ContentLength"] == len(data) and head["ETag"].endswith('-3"'), head
assert s3.get_object(Bucket="box", Key="big", Range="bytes=-7")["Body"].read() == data[-7:]
s3.copy({"Bucket": "box", "Key": "big"}, "far", "copied", Config=config)
out = io.BytesIO()
s3.download_fileobj("far", "copied", out, Config=config)
assert out.getvalue() == data
s3.upload_fileobj(io.BytesIO(b"streamed"), "box", "streamed", ExtraArgs={"ChecksumAlgorithm": "SHA256"})
assert s3.head_object(Bucket="box", Key="streamed", ChecksumMode="ENABLED")["ChecksumSHA256"]

upload = s3.create_multipart_upload(Bucket="box", Key="open")["UploadId"]
s3.upload_part(Bucket="box", Key="open", UploadId=upload, PartNumber=2, Body=b"two")
assert [u["UploadId"] for u in s3.list_multipart_uploads(Bucket="box")["Uploads"]] == [upload]
assert s3.list_parts(Bucket="box", Key="open", UploadId=upload)["Parts"][0]["Size"] == 3
s3.abort_multipart_upload(Bucket="box", Key="open", UploadId=upload)
refused("NoSuchUpload", s3.list_parts, Bucket="box", Key="open", UploadId=upload)

# A presigned request needs no credentials.
url = s3.generate_presigned_url("get_object", Params={"Bucket": "box", "Key": "a"}, ExpiresIn=60)
assert urllib.request.urlopen(url).read() == b"a"

refused("NoSuchKey", s3.get_object, Bucket="box", Key="absent")
refused("404", s3.head_object, Bucket="box", Key="absent")
refused("PreconditionFailed", s3.put_object, Bucket="box", Key="a", Body=b"", IfNoneMatch="*")
refused("NotImplemented", s3.put_object, Bucket="box", Key="a", Body=b"", ServerSideEncryption="AES256")
refused("BucketNotEmpty", s3.delete_bucket, Bucket="box")

s3.delete_object(Bucket="box", Key="new\nline\x01")  # no XML document can name it
keys.remove("new\nline\x01")
gone = s3.delete_objects(Bucket="box", Delete={"Objects": [{"Key": k} for k in keys + ["big", "streamed"]]})
assert len(gone["Deleted"]) == len(keys) + 2 and "Errors" not in gone, gone
s3.delete_object(Bucket="far", Key="copied")
for bucket in ["box", "far"]:
    s3.delete_bucket(Bucket=bucket)
