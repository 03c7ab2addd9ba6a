"""Bodies in protobuf: Go clients send objects of built-in kinds so, unless they are told not to. Answers are always JSON.

In: bytes. Out: a document as its JSON would be. `messages.json` (written by scripts/kubernetes_messages) has the fields of each
message; reading the wire is a library's. Pure.
"""

import base64
import functools
import json
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message

from arkwright.apiserver.bounds import UNREADABLE
from arkwright.apiserver.errors import BadRequest

Document = dict[str, Any]
PROTOBUF = "application/vnd.kubernetes.protobuf"
MAGIC = b"k8s\0"
ENVELOPE = "pkg/runtime.Unknown"
RAW = frozenset({"meta/v1.FieldsV1", "pkg/runtime.RawExtension"})
TIMES = {"meta/v1.Time": "seconds", "meta/v1.MicroTime": "microseconds"}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Field = descriptor_pb2.FieldDescriptorProto


def parsed_protobuf(body: bytes) -> Document:
    """One object in its envelope. Raises BadRequest."""
    if not body.startswith(MAGIC):
        raise BadRequest("the body does not begin as Kubernetes' protobuf does")
    try:
        envelope = _read(ENVELOPE, body[len(MAGIC) :])
        about = {name: envelope.get(name, "") for name in ("apiVersion", "kind")}
        return about | _read(_message_of(**about), base64.b64decode(envelope.get("raw", "")))
    except (DecodeError, *UNREADABLE) as error:
        raise BadRequest(f"error decoding the body: {error}") from error


def _message_of(apiVersion: str, kind: str) -> str:  # noqa: N803 (as it is on the wire)
    """
    >>> _message_of("rbac.authorization.k8s.io/v1", "Role"), _message_of("v1", "Pod")
    ('rbac/v1.Role', 'core/v1.Pod')
    """
    group, _, version = apiVersion.rpartition("/")
    place = "meta" if kind == "DeleteOptions" else group.partition(".")[0] or "core"
    name = f"{place}/{version}.{kind}"
    if name not in fields():
        raise BadRequest(f"this API has no protobuf for {apiVersion} {kind}: send JSON")
    return name


@functools.cache
def fields() -> dict[str, dict[str, Document]]:
    """Fields of each message, by their number."""
    text = resources.files("arkwright.apiserver.wire").joinpath("messages.json").read_text()
    found: dict[str, dict[str, Document]] = json.loads(text)
    return found


def _read(name: str, content: bytes) -> Document:
    message = _kubernetes().named(name)()
    message.ParseFromString(content)
    found: Document = _value(name, message)
    return found


def _value(name: str, message: Message) -> Any:
    """As JSON has it: some messages are plain values there."""
    if name in TIMES:
        return _time(message, TIMES[name])
    found: Document = {}
    for descriptor, value in message.ListFields():
        known = fields()[name][str(descriptor.number)]
        inner = _contents(known, value)
        if not known["name"]:
            found |= inner
        elif inner or known.get("pointer"):  # Go writes what is nothing all the same, where it is no pointer
            found[known["name"]] = inner
    if name in RAW:
        return json.loads(base64.b64decode(found.get("raw", "")) or b"{}")
    if name == "api/resource.Quantity":
        return found.get("string", "0")
    if name == "util/intstr.IntOrString":
        return found.get("strVal", "") if found.get("type") else found.get("intVal", 0)
    return found


def _contents(known: Document, value: Any) -> Any:
    if known.get("map"):
        return {key: _one(known, value[key]) for key in value}
    return [_one(known, one) for one in value] if known.get("repeated") else _one(known, value)


def _one(known: Document, value: Any) -> Any:
    if isinstance(value, Message):
        return _value(known["type"], value)
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _time(message: Any, precision: str) -> str | None:
    if not message.ListFields():
        return None
    at = EPOCH + timedelta(seconds=message.seconds, microseconds=message.nanos // 1000)
    return at.isoformat(timespec=precision).replace("+00:00", "Z")


# ── the library is told the messages when the first body comes ──


@functools.cache
def _kubernetes() -> "Messages":
    return Messages(fields())


class Messages:
    """Classes of messages, made from a table: for each message its fields by number, as `messages.json` has them."""

    def __init__(self, table: dict[str, dict[str, Document]]) -> None:
        self._table = table
        file = descriptor_pb2.FileDescriptorProto(name="messages.proto", package="messages", syntax="proto2")
        for name, known in table.items():
            message = file.message_type.add(name=_identifier(name))
            for number, one in known.items():
                self._add_field(message, int(number), one)
        self._pool = descriptor_pool.DescriptorPool()
        self._pool.AddSerializedFile(file.SerializeToString())

    def named(self, name: str) -> Any:
        """The class of a message."""
        return message_factory.GetMessageClass(self._pool.FindMessageTypeByName(f"messages.{_identifier(name)}"))

    def _add_field(self, message: Any, number: int, one: Document) -> None:
        field = message.field.add(name=_identifier(one["name"]) or f"f{number}", number=number)
        field.label = _Field.LABEL_REPEATED if one.get("repeated") or one.get("map") else _Field.LABEL_OPTIONAL
        if one.get("map"):
            entry = message.nested_type.add(name=f"F{number}Entry")
            entry.options.map_entry = True
            key = entry.field.add(name="key", number=1, label=_Field.LABEL_OPTIONAL)
            self._set_type(key, "string")
            self._set_type(entry.field.add(name="value", number=2, label=_Field.LABEL_OPTIONAL), one["type"])
            field.type, field.type_name = _Field.TYPE_MESSAGE, f".messages.{message.name}.{entry.name}"
        else:
            self._set_type(field, one["type"])

    def _set_type(self, field: Any, name: str) -> None:
        if name in self._table:
            field.type, field.type_name = _Field.TYPE_MESSAGE, f".messages.{_identifier(name)}"
        else:
            field.type = _Field.Type.Value(f"TYPE_{name.upper()}")


def _identifier(name: str) -> str:
    return "".join(one if one.isalnum() else "_" for one in name)
