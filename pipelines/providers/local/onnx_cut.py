"""Cuts an ONNX model in two at one tensor, so that its second half can be fed piece by piece.

Only the wire format is read (protobuf, https://protobuf.dev/programming-guides/encoding) and the field numbers of
onnx.proto3 that a cut needs; what a node does is none of its business, and every byte of it is kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

Field: TypeAlias = tuple[int, memoryview, memoryview]
"""A field's number, its content (empty where it is a number), and all of its bytes."""

GRAPH = 7
NODE, INITIALIZER, INPUT, OUTPUT, VALUE_INFO = 1, 5, 11, 12, 13
NODE_INPUT, NODE_OUTPUT, NODE_NAME = 1, 2, 3
INITIALIZER_NAME = 8
_LENGTHS = {1: 8, 5: 4}
_FLOATS = b"\x12\x04\x0a\x02\x08\x01"
"""ValueInfoProto.type: a tensor of float32 of any shape."""


@dataclass(frozen=True)
class Node:
    """A step of a graph: the names of what it reads and writes, its own name, and its bytes."""

    reads: tuple[str, ...]
    writes: tuple[str, ...]
    name: str
    data: memoryview


def cut(model: bytes, before: str) -> tuple[bytes, bytes, str]:
    """Return the model up to the first input of the node named `before`, the model after it, and that input's name.

    Raises ValueError where there is no such node, or where the second half needs more of the first than this tensor.
    """
    outer = list(_fields(memoryview(model)))
    graph = list(_fields(next((content for number, content, _ in outer if number == GRAPH), memoryview(b""))))
    nodes = [_node(content) for number, content, _ in graph if number == NODE]
    at = next((node.reads[0] for node in nodes if node.name == before and node.reads), "")
    if not at:
        raise ValueError(f"the model has no node {before}")
    after = _depending(nodes, at)
    first = [node for node in nodes if node not in after]
    made = {name for node in first for name in node.writes} - {at}
    if any(name in made for node in after for name in node.reads):
        raise ValueError(f"the model cannot be cut at {at}")
    port = _packed(1, at.encode()) + _FLOATS
    head = _model(outer, graph, first, outputs=_packed(OUTPUT, port))
    tail = _model(outer, graph, after, inputs=_packed(INPUT, port))
    return head, tail, at


def _depending(nodes: list[Node], tensor: str) -> list[Node]:
    """Return the nodes that need `tensor`, by themselves or by others; nodes stand in the order of their work."""
    known, found = {tensor}, []
    for node in nodes:
        if known.intersection(node.reads):
            known.update(node.writes)
            found.append(node)
    return found


def _model(
    outer: list[Field], graph: list[Field], nodes: list[Node], inputs: bytes | None = None, outputs: bytes | None = None
) -> bytes:
    """Return the model with these nodes alone, what they read of its constants, and other inputs or outputs."""
    read = {name for node in nodes for name in node.reads}
    parts = [_packed(NODE, node.data) for node in nodes]
    for number, content, data in graph:
        if number == INITIALIZER:
            name = next(bytes(text).decode() for field, text, _ in _fields(content) if field == INITIALIZER_NAME)
            parts += [bytes(data)] if name in read else []
        elif number not in (NODE, VALUE_INFO, INPUT if inputs else 0, OUTPUT if outputs else 0):
            parts.append(bytes(data))
    packed = _packed(GRAPH, b"".join(parts) + (inputs or b"") + (outputs or b""))
    return b"".join([*(bytes(data) for number, _, data in outer if number != GRAPH), packed])


def _node(content: memoryview) -> Node:
    fields = [(number, bytes(text).decode()) for number, text, _ in _fields(content) if number <= NODE_NAME]
    reads, writes, names = (
        tuple(text for number, text in fields if number == wanted) for wanted in (NODE_INPUT, NODE_OUTPUT, NODE_NAME)
    )
    return Node(reads, writes, names[0] if names else "", content)


def _fields(data: memoryview) -> Iterator[Field]:
    """Yield the fields of a message. Raises ValueError for what is none."""
    at = 0
    while at < len(data):
        start = at
        key, at = _number(data, at)
        kind, content = key & 7, memoryview(b"")
        if kind == 0:
            _, at = _number(data, at)
        elif kind == 2:
            length, at = _number(data, at)
            content, at = data[at : at + length], at + length
        elif kind in _LENGTHS:
            at += _LENGTHS[kind]
        if kind not in (0, 2, *_LENGTHS) or at > len(data):
            raise ValueError("not a model")
        yield key >> 3, content, data[start:at]


def _number(data: memoryview, at: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, and where it ends."""
    value = shift = 0
    while at < len(data):
        byte = data[at]
        value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
        if byte < 128:
            return value, at
    raise ValueError("not a model")


def _packed(number: int, content: bytes | memoryview) -> bytes:
    return _written(number << 3 | 2) + _written(len(content)) + bytes(content)


def _written(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
