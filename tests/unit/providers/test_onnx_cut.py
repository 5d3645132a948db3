"""A model is cut where all that follows needs one tensor alone, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.providers.local.onnx_cut import _fields, _packed, cut

GRAPH, NODE, INITIALIZER, INPUT, OUTPUT, VALUE_INFO = 7, 1, 5, 11, 12, 13


def node(name: str, reads: list[str], writes: list[str]) -> bytes:
    fields = [_packed(1, text.encode()) for text in reads] + [_packed(2, text.encode()) for text in writes]
    return _packed(NODE, b"".join([*fields, _packed(3, name.encode())]))


def constant(name: str) -> bytes:
    return _packed(INITIALIZER, _packed(8, name.encode()) + _packed(9, bytes(300)))


def model(*nodes: bytes) -> bytes:
    ends = _packed(INPUT, _packed(1, b"in")) + _packed(OUTPUT, _packed(1, b"out"))
    return b"\x08\x08" + _packed(GRAPH, b"".join(nodes) + constant("w1") + constant("w2") + ends)


FIRST = node("encode", ["in", "w1"], ["middle"])
SECOND = node("decode", ["middle", "w2"], ["loud"])
LAST = node("end", ["loud"], ["out"])


def names(data: bytes, kind: int, field: int) -> list[str]:
    graph = next(content for number, content, _ in _fields(memoryview(data)) if number == GRAPH)
    return [
        bytes(next(text for number, text, _ in _fields(content) if number == field)).decode()
        for found, content, _ in _fields(graph)
        if found == kind
    ]


def test_each_half_has_its_own_nodes_constants_and_ends() -> None:
    head, tail, at = cut(model(FIRST, SECOND, LAST), "decode")
    assert at == "middle"
    assert (names(head, NODE, 3), names(tail, NODE, 3)) == (["encode"], ["decode", "end"])
    assert (names(head, INITIALIZER, 8), names(tail, INITIALIZER, 8)) == (["w1"], ["w2"])
    assert (names(head, INPUT, 1), names(head, OUTPUT, 1)) == (["in"], ["middle"])
    assert (names(tail, INPUT, 1), names(tail, OUTPUT, 1)) == (["middle"], ["out"])
    assert head.startswith(b"\x08\x08") and tail.startswith(b"\x08\x08")


def test_a_model_whose_halves_share_more_than_one_tensor_is_not_cut() -> None:
    leaking = node("encode", ["in"], ["middle", "aside"])
    with pytest.raises(ValueError, match="cannot be cut"):
        cut(model(leaking, SECOND, node("end", ["loud", "aside"], ["out"])), "decode")


def test_a_model_without_the_node_is_not_cut() -> None:
    with pytest.raises(ValueError, match="no node"):
        cut(model(FIRST, SECOND), "missing")


@given(st.binary(max_size=200))
def test_what_is_no_model_is_refused(data: bytes) -> None:
    with pytest.raises((ValueError, UnicodeDecodeError)):
        cut(data, "decode")
