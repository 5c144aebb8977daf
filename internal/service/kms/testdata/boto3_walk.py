"""Walks through the life of keys with boto3, and fails where the service surprises it."""
import datetime

import boto3
from botocore.exceptions import ClientError

kms = boto3.client("kms")


def refused(code, call, **arguments):
    """Checks that a call fails with a modelled error, and returns its message."""
    try:
        call(**arguments)
    except ClientError as e:
        assert e.response["Error"]["Code"] == code, e
        return e.response["Error"]["Message"]
    raise AssertionError(f"{call} was not refused with {code}")


meta = kms.create_key(Description="walk", Tags=[{"TagKey": "a", "TagValue": "b"}])["KeyMetadata"]
key, arn = meta["KeyId"], meta["Arn"]
assert meta["KeyState"] == "Enabled" and isinstance(meta["CreationDate"], datetime.datetime), meta
assert kms.describe_key(KeyId=arn)["KeyMetadata"] == meta
kms.create_alias(AliasName="alias/walk", TargetKeyId=key)

context = {"stream": "s", "ä": "日本"}
data = kms.generate_data_key(KeyId="alias/walk", KeySpec="AES_256", EncryptionContext=context)
assert len(data["Plaintext"]) == 32 and data["KeyId"] == arn, data
assert kms.decrypt(CiphertextBlob=data["CiphertextBlob"], EncryptionContext=context)["Plaintext"] == data["Plaintext"]
refused("InvalidCiphertextException", kms.decrypt, CiphertextBlob=data["CiphertextBlob"])
bare = kms.generate_data_key_without_plaintext(KeyId=key, NumberOfBytes=64)
assert "Plaintext" not in bare and len(kms.decrypt(CiphertextBlob=bare["CiphertextBlob"])["Plaintext"]) == 64

secret = bytes(range(256)) * 16
sealed = kms.encrypt(KeyId=key, Plaintext=secret)
assert sealed["EncryptionAlgorithm"] == "SYMMETRIC_DEFAULT", sealed
assert len(sealed["CiphertextBlob"]) <= 6144
other = kms.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
moved = kms.re_encrypt(CiphertextBlob=sealed["CiphertextBlob"], DestinationKeyId=other)
assert moved["SourceKeyId"] == arn and moved["KeyId"].endswith(other), moved
assert kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], KeyId=other)["Plaintext"] == secret
refused("IncorrectKeyException", kms.decrypt, CiphertextBlob=moved["CiphertextBlob"], KeyId=key)
assert len(kms.generate_random(NumberOfBytes=5)["Plaintext"]) == 5

managed = kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
assert managed["KeyManager"] == "AWS", managed
pages = kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 1})
assert sorted(k["KeyId"] for p in pages for k in p["Keys"]) == sorted([key, other, managed["KeyId"]])
pages = kms.get_paginator("list_aliases").paginate(PaginationConfig={"PageSize": 1})
assert [a["AliasName"] for p in pages for a in p["Aliases"]] == ["alias/aws/s3", "alias/walk"]

grant = kms.create_grant(KeyId=key, GranteePrincipal="arn:aws:iam::000000000000:role/r", Operations=["Decrypt"],
                         Constraints={"EncryptionContextSubset": context})
listed = kms.list_grants(KeyId=key)["Grants"]
assert [g["GrantId"] for g in listed] == [grant["GrantId"]], listed
assert listed[0]["Constraints"] == {"EncryptionContextSubset": context}, listed
kms.retire_grant(GrantToken=grant["GrantToken"])
refused("NotFoundException", kms.revoke_grant, KeyId=key, GrantId=grant["GrantId"])

policy = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy)
kms.tag_resource(KeyId=key, Tags=[{"TagKey": "c", "TagValue": "d"}])
kms.untag_resource(KeyId=key, TagKeys=["a"])
assert kms.list_resource_tags(KeyId=key)["Tags"] == [{"TagKey": "c", "TagValue": "d"}]
kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=100)
status = kms.get_key_rotation_status(KeyId=key)
assert status["KeyRotationEnabled"] and isinstance(status["NextRotationDate"], datetime.datetime), status
kms.disable_key_rotation(KeyId=key)

kms.disable_key(KeyId=key)
assert refused("DisabledException", kms.encrypt, KeyId=key, Plaintext=b"x") == f"{arn} is disabled."
kms.enable_key(KeyId=key)
kms.update_alias(AliasName="alias/walk", TargetKeyId=other)
kms.delete_alias(AliasName="alias/walk")
refused("NotFoundException", kms.describe_key, KeyId="alias/walk")
doomed = kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
assert doomed["KeyState"] == "PendingDeletion" and isinstance(doomed["DeletionDate"], datetime.datetime), doomed
refused("KMSInvalidStateException", kms.encrypt, KeyId=key, Plaintext=b"x")
kms.cancel_key_deletion(KeyId=key)
assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"
