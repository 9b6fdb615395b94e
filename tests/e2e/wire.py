"""Protobuf messages of schemas/*.proto, made into classes at run time.

protoc-c (a build dependency anyway) is asked for the schemas' descriptors only, so no generated code is kept.
"""

import subprocess
import tempfile
from functools import cache
from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory

SCHEMAS = Path(__file__).parents[2] / "schemas"
_INPUT_MESSAGES = {"purchases": "Purchase", "interactions": "Interaction", "feedback": "Feedback"}
_FIELD = descriptor_pb2.FieldDescriptorProto


class WireError(ValueError):
    """Bytes that are not the message they should be."""


@cache
def descriptors():
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "descriptors.pb")
        files = [path.name for path in SCHEMAS.glob("*.proto")]
        subprocess.run(["protoc-c", f"--proto_path={SCHEMAS}", f"--descriptor_set_out={out}", *files], check=True)
        return descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())


def _loosen(message_type):
    """Texts as bytes and enums as numbers, so that what is wrong with them can be seen."""
    for field in message_type.field:
        if field.type == _FIELD.TYPE_STRING:
            field.type = _FIELD.TYPE_BYTES
        elif field.type == _FIELD.TYPE_ENUM:
            field.type = _FIELD.TYPE_INT32
            field.ClearField("type_name")
    for nested in message_type.nested_type:
        _loosen(nested)


@cache
def _pool(loose):
    pool = descriptor_pool.DescriptorPool()
    for file in descriptors().file:
        copy = descriptor_pb2.FileDescriptorProto.FromString(file.SerializeToString())
        for message_type in copy.message_type:
            if loose and message_type.name in _INPUT_MESSAGES.values():
                _loosen(message_type)
        pool.Add(copy)
    return pool


@cache
def message_class(name, loose=False):
    """The class of message `name`, e.g. "TierChange"."""
    return message_factory.GetMessageClass(_pool(loose).FindMessageTypeByName(f"tidemark.v1.{name}"))


def _fields(parsed):
    return {field.name: [_fields(item) for item in value] if field.name == "items" else value
            for field, value in parsed.ListFields()}


def event_from_protobuf(topic, value, framed=False):
    """The fields that are present: texts as bytes, enums as numbers."""
    if framed:
        if len(value) < 6 or value[0] != 0 or value[5] != 0:
            raise WireError("not framed as the tests frame")
        value = value[6:]
    try:
        return _fields(message_class(_INPUT_MESSAGES[topic], loose=True).FromString(value))
    except message.DecodeError as error:
        raise WireError(str(error)) from error


def event_to_protobuf(topic, fields):
    """The opposite of event_from_protobuf."""
    return message_class(_INPUT_MESSAGES[topic], loose=True)(**fields).SerializeToString()
