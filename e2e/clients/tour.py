"""The tour with boto3. The environment names the endpoint and the credentials, as
`hydrant env` prints them. Each step says what it shows; the first that fails ends the tour
with exit code 1."""

import datetime
import hashlib
import json
import time
import urllib.error
import urllib.request
import os

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.client import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

BUCKET, STREAM = "boto3-lake", "boto3"
LARGEST = 1_024_000

once = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
firehose = boto3.client("firehose", config=once)
s3 = boto3.client("s3", config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}))


def step(text):
    print("step:", text, flush=True)


def expect(got, want, what):
    if got != want:
        raise SystemExit(f"{what}: got {got!r}, want {want!r}")


def refused(code, status, call, **arguments):
    """The call must fail with that code and HTTP status; returns the message."""
    try:
        answer = call(**arguments)
    except ClientError as e:
        expect(e.response["Error"]["Code"], code, f"code of {call.__name__}")
        expect(e.response["ResponseMetadata"]["HTTPStatusCode"], status, f"status of {call.__name__}")
        return e.response["Error"]["Message"]
    raise SystemExit(f"{call.__name__} was not refused: {answer}")


def wait(what, done):
    """Polls for a minute."""
    end = time.monotonic() + 60
    while not (got := done()):
        if time.monotonic() > end:
            raise SystemExit(f"never came true: {what}")
        time.sleep(0.1)
    return got


def status(name):
    try:
        return firehose.describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]["DeliveryStreamStatus"]
    except firehose.exceptions.ResourceNotFoundException:
        return "gone"


def raw(body, *, secret=None, late=datetime.timedelta(), target="Firehose_20150804.PutRecord"):
    """A request that is signed by hand, as no client would send it. Returns (status, code)."""
    class Signer(SigV4Auth):
        def _modify_request_before_signing(self, request):
            stamp = datetime.datetime.now(datetime.timezone.utc) - late
            request.context["timestamp"] = stamp.strftime("%Y%m%dT%H%M%SZ")
            super()._modify_request_before_signing(request)

    url = os.environ["AWS_ENDPOINT_URL"] + "/"
    keys = Credentials(os.environ["AWS_ACCESS_KEY_ID"], secret or os.environ["AWS_SECRET_ACCESS_KEY"])
    request = AWSRequest("POST", url, data=body, headers={
        "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target})
    signer = Signer(keys, "firehose", os.environ["AWS_REGION"])
    signer.add_auth(request)
    http = urllib.request.Request(url, data=body, headers=dict(request.headers.items()), method="POST")
    try:
        with urllib.request.urlopen(http) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as e:
        return e.code, json.loads(e.read()).get("__type", "")


def put_in_order():
    """One client that waits for each answer: the objects must hold exactly these bytes, in
    this order."""
    sent = []

    def put(data):
        answer = firehose.put_record(DeliveryStreamName=STREAM, Record={"Data": data})
        expect(bool(answer["RecordId"]), True, "RecordId")
        expect(answer["Encrypted"], False, "Encrypted")
        sent.append(data)

    step("text, an empty record, binary, and the largest record there may be")
    put("Grüße, world\n".encode())
    put(b"")
    put(bytes(range(256)))
    put(hashlib.sha256(b"seed").digest() * (LARGEST // 32))
    step("a batch")
    batch = [f"record {i}\n".encode() * (i % 7) for i in range(500)]
    answer = firehose.put_record_batch(DeliveryStreamName=STREAM, Records=[{"Data": d} for d in batch])
    expect(answer["FailedPutCount"], 0, "FailedPutCount")
    expect(len({r["RecordId"] for r in answer["RequestResponses"]}), 500, "different RecordIds")
    sent.extend(batch)
    step("a batch of exactly 4 MiB")
    four = [b"x" * 1_000_000] * 4 + [b"y" * (4 * 1024 * 1024 - 4_000_000)]
    firehose.put_record_batch(DeliveryStreamName=STREAM, Records=[{"Data": d} for d in four])
    sent.extend(four)
    return b"".join(sent)


def put_wrong():
    step("what must be refused: too large, too many, none, unknown, unreadable, unsigned")
    put, many = firehose.put_record, firehose.put_record_batch
    message = refused("ValidationException", 400, put, DeliveryStreamName=STREAM, Record={"Data": b"x" * (LARGEST + 1)})
    expect("record.data" in message and "less than or equal to 1024000" in message, True, message)
    refused("ValidationException", 400, many, DeliveryStreamName=STREAM, Records=[])
    refused("ValidationException", 400, many, DeliveryStreamName=STREAM, Records=[{"Data": b"x"}] * 501)
    message = refused("InvalidArgumentException", 400, many, DeliveryStreamName=STREAM,
                      Records=[{"Data": b"x" * 1_000_000}] * 5)
    expect(message, "Records size exceeds 4 MB limit", "message")
    message = refused("ResourceNotFoundException", 400, put, DeliveryStreamName="nobody", Record={"Data": b"x"})
    expect(message, "Firehose nobody under account 000000000000 not found.", "message")
    good = json.dumps({"DeliveryStreamName": STREAM, "Record": {"Data": "eA=="}}).encode()
    expect(raw(good.replace(b"eA==", b"e*==")), (400, "SerializationException"), "bad base64")
    expect(raw(good.replace(b"eA==", b"eA")), (400, "SerializationException"), "base64 without padding")
    expect(raw(b"{"), (400, "SerializationException"), "half a body")
    expect(raw(good, secret="x" * 40), (400, "InvalidSignatureException"), "wrong secret")
    expect(raw(good, late=datetime.timedelta(minutes=20)), (400, "InvalidSignatureException"), "old signature")
    expect(raw(good, late=-datetime.timedelta(minutes=20)), (400, "InvalidSignatureException"), "signature of tomorrow")
    expect(raw(b"{}", target="Firehose_20150804.Fly"), (400, "UnknownOperationException"), "unknown operation")
    stranger = boto3.client("firehose", config=once, aws_access_key_id="AKIANOBODYKNOWSTHIS1",
                            aws_secret_access_key="nothing")
    refused("UnrecognizedClientException", 400, stranger.list_delivery_streams)
    abroad = boto3.client("firehose", config=once, region_name="eu-west-3")
    refused("InvalidSignatureException", 400, abroad.list_delivery_streams)


def create():
    step("a bucket and a stream")
    s3.create_bucket(Bucket=BUCKET)
    s3_settings = {
        "RoleARN": "arn:aws:iam::000000000000:role/tour", "BucketARN": f"arn:aws:s3:::{BUCKET}", "Prefix": "tour/",
        "ErrorOutputPrefix": "failed/!{firehose:error-output-type}/",
        "BufferingHints": {"SizeInMBs": 64, "IntervalInSeconds": 2},
    }
    made = firehose.create_delivery_stream(DeliveryStreamName=STREAM, DeliveryStreamType="DirectPut",
                                           ExtendedS3DestinationConfiguration=s3_settings,
                                           Tags=[{"Key": "team", "Value": "tour"}])
    expect(made["DeliveryStreamARN"].endswith(":deliverystream/" + STREAM), True, made["DeliveryStreamARN"])
    refused("ResourceInUseException", 400, firehose.create_delivery_stream, DeliveryStreamName=STREAM,
            ExtendedS3DestinationConfiguration=s3_settings)
    refused("InvalidArgumentException", 400, firehose.create_delivery_stream, DeliveryStreamName="two",
            ExtendedS3DestinationConfiguration={**s3_settings, "S3BackupMode": "Enabled"})
    refused("ValidationException", 400, firehose.create_delivery_stream, DeliveryStreamName="a name",
            ExtendedS3DestinationConfiguration=s3_settings)
    wait("the stream is ACTIVE", lambda: status(STREAM) == "ACTIVE")
    shown = firehose.describe_delivery_stream(DeliveryStreamName=STREAM)["DeliveryStreamDescription"]
    expect(shown["Destinations"][0]["ExtendedS3DestinationDescription"]["BufferingHints"],
           s3_settings["BufferingHints"], "BufferingHints")
    expect(isinstance(shown["CreateTimestamp"], datetime.datetime), True, "CreateTimestamp")
    expect(firehose.list_delivery_streams(Limit=10)["DeliveryStreamNames"], [STREAM], "streams")


def page():
    step("streams are listed page by page, those of the legacy shape among them")
    legacy = STREAM + "-legacy"
    firehose.create_delivery_stream(DeliveryStreamName=legacy, S3DestinationConfiguration={
        "RoleARN": "arn:aws:iam::000000000000:role/tour", "BucketARN": f"arn:aws:s3:::{BUCKET}"})
    wait("the legacy stream is ACTIVE", lambda: status(legacy) == "ACTIVE")
    for arguments, names, more in (
            ({"Limit": 1}, [STREAM], True),
            ({"Limit": 1, "ExclusiveStartDeliveryStreamName": STREAM}, [legacy], False),
            ({"ExclusiveStartDeliveryStreamName": STREAM + "-k"}, [legacy], False),
            ({"DeliveryStreamType": "DirectPut"}, [STREAM, legacy], False),
            ({"DeliveryStreamType": "MSKAsSource"}, [], False)):
        answer = firehose.list_delivery_streams(**arguments)
        expect((answer["DeliveryStreamNames"], answer["HasMoreDeliveryStreams"]), (names, more), f"page {arguments}")
    firehose.update_destination(**{**update("1", S3DestinationUpdate={"CompressionFormat": "ZIP"}), "DeliveryStreamName": legacy})
    for _ in range(2):  # deleting again is no error while the stream is on its way out
        try:
            firehose.delete_delivery_stream(DeliveryStreamName=legacy, AllowForceDelete=True)
        except firehose.exceptions.ResourceNotFoundException:
            pass  # and it may be gone by then
    wait("the legacy stream is gone", lambda: status(legacy) == "gone")


def keys():
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="tour/")
    return [o for page in pages for o in page.get("Contents", [])]


def read_back(sent):
    step("the objects hold exactly the bytes that were put, in their order")
    objects = wait("everything is delivered", lambda: (o := keys()) and sum(i["Size"] for i in o) >= len(sent) and o)
    # Keys of one stream sort by time to the second; within it, by when they were stored.
    objects.sort(key=lambda o: (o["LastModified"], o["Key"]))
    bodies = [s3.get_object(Bucket=BUCKET, Key=o["Key"])["Body"].read() for o in objects]
    expect(sum(map(len, bodies)), len(sent), "bytes in the store")
    # Objects that were stored in the same second may be in any order: they must be the
    # pieces of what was sent all the same.
    at = 0
    while bodies:
        here = next((b for b in bodies if sent[at:at + len(b)] == b), None)
        if here is None:
            raise SystemExit(f"no object continues what was put at byte {at}")
        bodies.remove(here)
        at += len(here)


DESTINATION = "destinationId-000000000001"


def described():
    return firehose.describe_delivery_stream(DeliveryStreamName=STREAM)["DeliveryStreamDescription"]


def update(version, **members):
    return dict(DeliveryStreamName=STREAM, CurrentDeliveryStreamVersionId=version, DestinationId=DESTINATION, **members)


def change():
    step("an update takes effect, makes one version, and is part of the names")
    call = firehose.update_destination
    call(**update("1", ExtendedS3DestinationUpdate={}))
    expect(described()["VersionId"], "1", "version after an update without effect")
    call(**update("1", ExtendedS3DestinationUpdate={"Prefix": "second/", "BufferingHints": {"IntervalInSeconds": 0}}))
    shown = described()
    expect((shown["VersionId"], shown["DeliveryStreamStatus"], "LastUpdateTimestamp" in shown), ("2", "ACTIVE", True), "the stream")
    expect(shown["Destinations"][0]["S3DestinationDescription"]["BufferingHints"],
           {"SizeInMBs": 64, "IntervalInSeconds": 0}, "merged BufferingHints")
    firehose.put_record(DeliveryStreamName=STREAM, Record={"Data": b"by the second version"})
    listed = wait("an object of the second version",
                  lambda: s3.list_objects_v2(Bucket=BUCKET, Prefix="second/").get("Contents"))
    expect(f"/{STREAM}-2-" in listed[0]["Key"], True, listed[0]["Key"])
    step("updates that must be refused")
    message = refused("ConcurrentModificationException", 400, call, **update("1", ExtendedS3DestinationUpdate={}))
    expect(message, f"Cannot update firehose: {STREAM} since the current version id: 2 and specified version id: 1 do not match", "message")
    refused("InvalidArgumentException", 400, call, **update("2"))
    refused("InvalidArgumentException", 400, call, **update("2", S3DestinationUpdate={}, ExtendedS3DestinationUpdate={}))
    refused("InvalidArgumentException", 400, call, **update("2", ExtendedS3DestinationUpdate={"Prefix": "!{date:yyyy}/"}))
    refused("ValidationException", 400, call, **update("2", ExtendedS3DestinationUpdate={"BufferingHints": {"SizeInMBs": 0}}))
    refused("ResourceNotFoundException", 400, call, **{**update("2", ExtendedS3DestinationUpdate={}), "DeliveryStreamName": "nobody"})


def tag():
    step("tags are set, listed by pages, and removed")
    firehose.tag_delivery_stream(DeliveryStreamName=STREAM, Tags=[{"Key": "b"}, {"Key": "a", "Value": "1"}])
    page = firehose.list_tags_for_delivery_stream(DeliveryStreamName=STREAM, Limit=2)
    expect((page["Tags"], page["HasMoreTags"]), ([{"Key": "a", "Value": "1"}, {"Key": "b"}], True), "first page")
    page = firehose.list_tags_for_delivery_stream(DeliveryStreamName=STREAM, ExclusiveStartTagKey="b")
    expect((page["Tags"], page["HasMoreTags"]), ([{"Key": "team", "Value": "tour"}], False), "second page")
    firehose.untag_delivery_stream(DeliveryStreamName=STREAM, TagKeys=["a", "b", "unknown"])
    expect(len(firehose.list_tags_for_delivery_stream(DeliveryStreamName=STREAM)["Tags"]), 1, "tags left")
    many = [{"Key": f"k{i}"} for i in range(50)]
    refused("LimitExceededException", 400, firehose.tag_delivery_stream, DeliveryStreamName=STREAM, Tags=many)
    refused("ValidationException", 400, firehose.tag_delivery_stream, DeliveryStreamName=STREAM, Tags=[{"Key": "aws:x"}])


def encryption():
    return described()["DeliveryStreamEncryptionConfiguration"]


def encrypt():
    step("encryption is turned on and off, and a key that is not there is told")
    start, stop = firehose.start_delivery_stream_encryption, firehose.stop_delivery_stream_encryption
    expect(encryption(), {"Status": "DISABLED"}, "encryption")
    start(DeliveryStreamName=STREAM)
    wait("encryption is ENABLED", lambda: encryption() == {"KeyType": "AWS_OWNED_CMK", "Status": "ENABLED"})
    answer = firehose.put_record(DeliveryStreamName=STREAM, Record={"Data": b"sealed, then delivered"})
    expect(answer["Encrypted"], True, "Encrypted")
    wait("the sealed record is delivered", lambda: any(
        s3.get_object(Bucket=BUCKET, Key=o["Key"])["Body"].read() == b"sealed, then delivered"
        for o in s3.list_objects_v2(Bucket=BUCKET, Prefix="second/")["Contents"]))
    customer = {"KeyType": "CUSTOMER_MANAGED_CMK"}
    refused("InvalidArgumentException", 400, start, DeliveryStreamName=STREAM, DeliveryStreamEncryptionConfigurationInput=customer)
    customer["KeyARN"] = "arn:aws:kms:us-east-1:000000000000:key/00000000-0000-0000-0000-000000000000"
    start(DeliveryStreamName=STREAM, DeliveryStreamEncryptionConfigurationInput=customer)
    shown = wait("the missing key is told", lambda: (e := encryption())["Status"] == "ENABLING_FAILED" and e)
    expect(shown["FailureDescription"]["Type"], "KMS_KEY_NOT_FOUND", "failure")
    expect(firehose.put_record(DeliveryStreamName=STREAM, Record={"Data": b""})["RecordId"] != "", True, "puts go on")
    disabled_key(customer)
    stop(DeliveryStreamName=STREAM)
    wait("encryption is DISABLED", lambda: encryption() == {"Status": "DISABLED"})


def disabled_key(customer):
    step("a customer's key seals; disabled it stops puts, and enabled again nothing is lost")
    kms = boto3.client("kms", config=once)
    key = kms.create_key(Description="of the tour")["KeyMetadata"]
    customer["KeyARN"] = key["Arn"]
    firehose.start_delivery_stream_encryption(DeliveryStreamName=STREAM, DeliveryStreamEncryptionConfigurationInput=customer)
    wait("the customer's key is in use",
         lambda: encryption() == {"KeyARN": key["Arn"], "KeyType": "CUSTOMER_MANAGED_CMK", "Status": "ENABLED"})
    put, late = firehose.put_record, b"put before the key was disabled"
    firehose.update_destination(**update("2", ExtendedS3DestinationUpdate={"Prefix": "third/", "BufferingHints": {"IntervalInSeconds": 5}}))
    put(DeliveryStreamName=STREAM, Record={"Data": late})
    kms.disable_key(KeyId=key["KeyId"])

    def refusal():
        try:
            put(DeliveryStreamName=STREAM, Record={"Data": b""})
        except firehose.exceptions.InvalidKMSResourceException as e:
            return e.response
    told = wait("puts are refused", refusal)
    expect((told["Error"]["Code"], told["code"]), ("InvalidKMSResourceException", "KMS.DisabledException"), "error")
    kms.enable_key(KeyId=key["KeyId"])
    wait("what was put before is delivered", lambda: any(
        late in s3.get_object(Bucket=BUCKET, Key=o["Key"])["Body"].read()
        for o in s3.list_objects_v2(Bucket=BUCKET, Prefix="third/").get("Contents", [])))
    wait("puts go on", lambda: refusal() is None)


def encrypt_objects():
    step("objects are encrypted under a KMS key; while it is disabled they wait")
    kms = boto3.client("kms", config=once)
    key = kms.create_key()["KeyMetadata"]
    firehose.update_destination(**update("3", ExtendedS3DestinationUpdate={
        "Prefix": "fourth/", "BufferingHints": {"IntervalInSeconds": 0},
        "EncryptionConfiguration": {"KMSEncryptionConfig": {"AWSKMSKeyARN": key["Arn"]}}}))

    def objects():
        return s3.list_objects_v2(Bucket=BUCKET, Prefix="fourth/").get("Contents", [])
    firehose.put_record(DeliveryStreamName=STREAM, Record={"Data": b"for the key's friends only"})
    made = wait("an encrypted object", objects)[0]["Key"]
    got = s3.get_object(Bucket=BUCKET, Key=made)
    expect((got["ServerSideEncryption"], got["SSEKMSKeyId"], got["Body"].read()),
           ("aws:kms", key["Arn"], b"for the key's friends only"), "the object")
    kms.disable_key(KeyId=key["KeyId"])
    refused("KMS.DisabledException", 400, s3.get_object, Bucket=BUCKET, Key=made)
    firehose.put_record(DeliveryStreamName=STREAM, Record={"Data": b"waits for the key"})
    time.sleep(3)
    expect(len(objects()), 1, "objects while the key is disabled")
    kms.enable_key(KeyId=key["KeyId"])
    wait("what waited is delivered", lambda: any(
        s3.get_object(Bucket=BUCKET, Key=o["Key"])["Body"].read() == b"waits for the key" for o in objects()))


def delete():
    step("the stream is deleted, its objects stay")
    before = len(keys())
    firehose.delete_delivery_stream(DeliveryStreamName=STREAM)
    wait("the stream is gone", lambda: status(STREAM) == "gone")
    refused("ResourceNotFoundException", 400, firehose.delete_delivery_stream, DeliveryStreamName=STREAM)
    expect(firehose.list_delivery_streams()["DeliveryStreamNames"], [], "streams")
    expect(len(keys()), before, "objects")


create()
page()
put_wrong()
read_back(put_in_order())
change()
tag()
encrypt()
encrypt_objects()
delete()
step("done")
