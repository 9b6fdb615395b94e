"""schemas/asyncapi.yaml is valid, names what the .proto files name, and is what producers write and what is published."""

import json
import subprocess
from pathlib import Path

import jsonschema
import pytest
import wire
import workload
import yaml
from campaign import Campaign

ROOT = Path(__file__).parents[2]
ASYNCAPI = yaml.safe_load((ROOT / "schemas" / "asyncapi.yaml").read_text())
SCHEMAS = ASYNCAPI["components"]["schemas"]


def check(name, value):
    """That a value is as the schema says, and has no field that the schema does not name."""
    schema = {"components": ASYNCAPI["components"], "$ref": f"#/components/schemas/{name}"}
    jsonschema.validate(value, schema, jsonschema.Draft202012Validator)
    assert value.keys() <= SCHEMAS[name]["properties"].keys(), value.keys()


def test_the_document_is_valid():
    schema = json.loads(Path(subprocess.check_output([ROOT / "tests" / "asyncapi" / "fetch"], text=True).strip()).read_text())
    jsonschema.validate(ASYNCAPI, schema, jsonschema.Draft7Validator)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(ASYNCAPI | {"operations": {"x": {"action": "listen"}}}, schema, jsonschema.Draft7Validator)


def enums_of(message):
    """Field -> its words, of the fields that are one of several words."""
    enums = {enum.name: [value.name for value in enum.value if value.number > 0] for enum in message.enum_type}
    return {field.name: enums[field.type_name.rsplit(".", 1)[1]] for field in message.field if field.type == field.TYPE_ENUM}


@pytest.mark.parametrize("name", ["Purchase", "Interaction", "Feedback", "TierChange", "CustomerScore"])
def test_fields_and_words_are_those_of_protobuf(name):
    (message,) = [message for file in wire.descriptors().file for message in file.message_type if message.name == name]
    properties = SCHEMAS[name]["properties"]
    assert list(properties) == [field.name for field in message.field]
    assert {field: of["enum"] for field, of in properties.items() if "enum" in of} == enums_of(message)


def test_dead_letters_have_the_reasons_of_protobuf():
    (message,) = [message for file in wire.descriptors().file for message in file.message_type if message.name == "DeadLetter"]
    reasons = ASYNCAPI["components"]["messages"]["deadLetter"]["headers"]["properties"]["tidemark-reason"]["enum"]
    assert reasons == [word.lower() for word in enums_of(message)["reason"]]


def test_what_is_written_and_published_is_as_described(kafka, redis_server, tmp_path):
    run = Campaign(kafka, redis_server, tmp_path)
    try:
        scores = f"{run.group}.scores"
        run.topics.create({scores: run.partitions})
        run.config["topics"]["customer_scores"] = scores
        lines = workload.shop(seed=5, customers=60)
        for line in lines:
            check({"purchases": "Purchase", "interactions": "Interaction", "feedback": "Feedback"}[line.topic], line.event)
        assert {line.topic for line in lines} == {"purchases", "interactions", "feedback"}
        run.load(lines)
        run.topics.produce([(run.names["purchases"], 0, b"x", b"no event", lines[0].order_ms, [("h", b"1")])])
        run.start().wait_ready()
        run.wait_read()
        tier_change, dead_letter = (ASYNCAPI["components"]["messages"][name] for name in ("tierChange", "deadLetter"))
        messages = run.topics.read(*run.out_topics)
        assert len(messages) > 100
        for message in messages:
            check("TierChange", json.loads(message.value()))
            headers = {name: value.decode() for name, value in message.headers()}
            jsonschema.validate(headers, tier_change["headers"], jsonschema.Draft202012Validator)
            assert headers.keys() == tier_change["headers"]["properties"].keys()
        standings = run.topics.read(scores)
        assert len(standings) > 50
        for message in standings:
            check("CustomerScore", json.loads(message.value()))
            headers = {name: value.decode() for name, value in message.headers()}
            customer_score = ASYNCAPI["components"]["messages"]["customerScore"]["headers"]
            jsonschema.validate(headers, customer_score, jsonschema.Draft202012Validator)
            assert headers.keys() == customer_score["properties"].keys()
        (dead,) = run.topics.read(run.names["dead_letters"])
        headers = {name: value.decode() for name, value in dead.headers()}
        jsonschema.validate(headers, dead_letter["headers"], jsonschema.Draft202012Validator)
        assert headers.keys() - dead_letter["headers"]["properties"].keys() == {"h"}
    finally:
        run.destroy()
