"""Small documents travel together, as many as one request carries."""

from itertools import chain
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from pipelines.stores.ingest.parts import Part, StageRef
from schemas.tables.knowledge import Stage
from workers.bundles import MAX_PARTS, bundles

TENANTS = [UUID(int=1), UUID(int=2)]


def part(tenant: UUID = TENANTS[0], stage: Stage = Stage.EXTRACT, queue: str = "extract", **about: object) -> Part:
    return Part(StageRef(tenant, uuid4(), 1, stage), queue, **about)  # type: ignore[arg-type]


def test_a_thousand_short_texts_are_ten_requests() -> None:
    parts = [part(stage=Stage.EMBED, queue="embed", small=True) for _ in range(1000)]
    assert [len(bundle) for bundle in bundles(parts, 100)] == [100] * 10


def test_a_message_carries_no_more_texts_than_a_request() -> None:
    parts = [part(stage=Stage.EMBED, queue="embed", small=True, texts=7) for _ in range(10)]
    assert [len(bundle) for bundle in bundles(parts, 16)] == [2] * 5


def test_a_large_document_and_one_that_stopped_its_worker_go_alone() -> None:
    small = [part(small=True) for _ in range(3)]
    large, suspect = part(), part(small=True, alone=True)
    assert sorted(map(len, bundles([*small, large, suspect], 100))) == [1, 1, 3]


@given(
    st.lists(
        st.builds(
            part,
            st.sampled_from(TENANTS),
            st.sampled_from(list(Stage)),
            st.sampled_from(["express", "extract"]),
            texts=st.integers(1, 300),
            small=st.booleans(),
            alone=st.booleans(),
        ),
        max_size=300,
    ),
    st.integers(1, 100),
)
def test_every_part_is_in_one_message_of_its_own_kind(parts: list[Part], texts: int) -> None:
    found = bundles(parts, texts)
    assert sorted(map(id, chain.from_iterable(found))) == sorted(map(id, parts))
    for bundle in found:
        assert len({(one.ref.tenant_id, one.ref.stage, one.queue) for one in bundle}) == 1
        assert 1 <= len(bundle) <= MAX_PARTS
        if len(bundle) > 1:
            assert all(one.small and not one.alone for one in bundle)
        if bundle[0].ref.stage is Stage.EMBED and len(bundle) > 1:
            assert sum(one.texts for one in bundle) <= texts
