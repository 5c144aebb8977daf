"""Upper-cases the "name" of each record, drops tests, and says which records are no events: a
Firehose transformation function as AWS Lambda runs it."""
import base64
import json


def transform(record):
    """Says what becomes of one record of a delivery stream."""
    try:
        event = json.loads(base64.b64decode(record["data"]))
        event["name"] = event["name"].upper()
    except (ValueError, KeyError, AttributeError, TypeError):
        return {"recordId": record["recordId"], "result": "ProcessingFailed", "data": record["data"]}
    if event.get("test"):
        return {"recordId": record["recordId"], "result": "Dropped"}
    line = json.dumps(event) + "\n"
    return {"recordId": record["recordId"], "result": "Ok", "data": base64.b64encode(line.encode()).decode()}


def lambda_handler(event, context):
    print("records:", len(event["records"]), flush=True)
    return {"records": [transform(r) for r in event["records"]]}
