"""Sends the refusals that the file named lists with boto3, and holds the answers against
them. The environment names the endpoint and the credentials. Whatever differs is printed,
and makes the exit code 1."""

import json
import sys

import boto3
from botocore import xform_name
from botocore.client import Config
from botocore.exceptions import ClientError

firehose = boto3.client("firehose", config=Config(retries={"total_max_attempts": 1}, parameter_validation=False))


def differences(refusal):
    call = getattr(firehose, xform_name(refusal["operation"]))
    try:
        yield f"not refused: {call(**refusal['input'])}"
    except ClientError as e:
        told, code = e.response, refusal["code"]
        got = told["Error"]["Code"], told["Error"]["Message"], told["ResponseMetadata"]["HTTPStatusCode"]
        want = code, refusal["message"], refusal["status"]
        if got != want:
            yield f"got {got}, want {want}"
        # Errors of the service's model have classes of their own.
        if code in firehose.meta.service_model.shape_names and not isinstance(e, getattr(firehose.exceptions, code)):
            yield f"{type(e)} is not the class of {code}"
        if refusal["reason"] and told.get("code") != refusal["reason"]:
            yield f"got reason {told.get('code')!r}, want {refusal['reason']!r}"


with open(sys.argv[1]) as file:
    refusals = json.load(file)
found = [f"{r['name']}: {d}" for r in refusals for d in differences(r)]
print(*found, f"{len(refusals)} requests were sent", sep="\n")
sys.exit(bool(found))
