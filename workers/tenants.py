"""Deleting tenants: rows, waiting messages, stored files and keys, in batches, until a count finds nothing."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from uuid import UUID

import redis
from sqlalchemy import select

from pipelines.stores.database import tenant_session
from pipelines.stores.events import reaching_redis
from pipelines.stores.organisation import tenant_deletion
from pipelines.stores.redis import get_redis
from pipelines.stores.turns import cancellations, turns
from schemas.events import EventName
from schemas.requests.organisation.lifecycle import Holdings
from schemas.tables.dialogue import Turn
from workers import announce, send, wiring
from workers.app import app

SLICE_S = 20.0
"""How long one task works: a large tenant must not keep the sweep waiting, nor meet the time limit."""

MESSAGES_A_PAGE = 1000
OBJECTS_A_BATCH = 1000


@app.task(name="workers.tenants.delete")
def delete(tenant_id: str) -> None:
    """Go on with the deletion of a tenant, or take the second look after it. Can be repeated at any time."""
    tenant = UUID(tenant_id)
    with tenant_deletion.alone(tenant) as ours:
        if not ours or not tenant_deletion.is_due(tenant):
            return
        _end_streams(tenant)
        ended = _empty(tenant, time.monotonic() + SLICE_S)
    if not ended:
        send.tenant_deletion(tenant)
    elif not _verified(tenant):
        send.tenant_deletion(tenant, in_s=tenant_deletion.VERIFY_AFTER_S + 1)


def _empty(tenant_id: UUID, deadline: float) -> bool:
    """Remove everything, then the tenant itself; False where that takes longer than until `deadline`."""
    steps: tuple[Callable[[UUID], int], ...] = (
        tenant_deletion.remove_rows,
        _remove_messages,
        _remove_objects,
        _remove_keys,
    )
    while True:
        for remove in steps:
            while remove(tenant_id):
                if time.monotonic() > deadline:
                    return False
        wiring.objects().remove_folder(str(tenant_id))
        if tenant_deletion.close(tenant_id, lambda: _outside(tenant_id)):
            return True
        if time.monotonic() > deadline:
            return False


def _verified(tenant_id: UUID) -> bool:
    with tenant_session(tenant_id) as session:
        return tenant_deletion.receipt(tenant_deletion.get(session, tenant_id)).verified_at is not None


def _end_streams(tenant_id: UUID) -> None:
    """Tell those who follow a document or a turn that it has ended, and stop the steps of open turns.

    Sockets end by their credentials, which no longer stand once the tenant is inactive.
    """
    client = get_redis()
    with reaching_redis():
        followed: list[bytes] = client.pubsub_channels(f"aura:{tenant_id}:events:document:*")  # type: ignore[assignment]
    for channel in followed:
        doc_id = UUID(channel.decode().rpartition(":")[2])
        announce.document(EventName.DOCUMENT_DELETED, tenant_id, doc_id)
    with tenant_session(tenant_id) as session:
        found = session.execute(select(Turn.turn_id, Turn.conversation_id).where(Turn.status.in_(turns.OPEN))).all()
    for turn_id, conversation_id in found:
        with reaching_redis():
            cancellations.request(client, tenant_id, turn_id)
        announce.cancelled(tenant_id, conversation_id, turn_id, "organisation deleted")


def _remove_messages(tenant_id: UUID) -> int:
    """Take the tenant's messages out of the queues. One that a worker already holds finds no row."""
    client, gone = get_redis(), 0
    with reaching_redis():
        for queue in send.QUEUES:
            for message in list(_messages(client, queue, tenant_id)):
                gone += int(client.lrem(queue, 0, message))  # type: ignore[arg-type]
    if gone:
        tenant_deletion.note(tenant_id, Holdings(queued_messages=gone))
    return gone


def _messages(client: "redis.Redis", queue: str, tenant_id: UUID) -> Iterator[bytes]:
    """Yield the queue's messages that carry the tenant's id, but those of this module."""
    for start in range(0, int(client.llen(queue)), MESSAGES_A_PAGE):  # type: ignore[arg-type]
        page: list[bytes] = client.lrange(queue, start, start + MESSAGES_A_PAGE - 1)  # type: ignore[assignment]
        for message in page:
            envelope = json.loads(message)
            ours = envelope["headers"]["task"] == delete.name
            if not ours and str(tenant_id).encode() in base64.b64decode(envelope["body"]):
                yield message


def _remove_objects(tenant_id: UUID) -> int:
    gone = wiring.objects().delete_some(str(tenant_id), OBJECTS_A_BATCH)
    if gone:
        tenant_deletion.note(tenant_id, Holdings(objects=gone))
    return gone


def _remove_keys(tenant_id: UUID) -> int:
    gone = tenant_deletion.remove_keys(get_redis(), tenant_id)
    if gone:
        tenant_deletion.note(tenant_id, Holdings(redis_keys=gone))
    return gone


def _outside(tenant_id: UUID) -> Holdings:
    client = get_redis()
    with reaching_redis():
        messages = sum(1 for queue in send.QUEUES for _ in _messages(client, queue, tenant_id))
    return Holdings(
        objects=sum(1 for _ in wiring.objects().listing(str(tenant_id))),
        redis_keys=tenant_deletion.count_keys(client, tenant_id),
        queued_messages=messages,
    )
