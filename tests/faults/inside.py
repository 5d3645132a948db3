"""One more program of a stack, a process with its settings: `python -m tests.faults.inside ACT …`."""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

from sqlalchemy import select

from deploy.ephemeral import Stack
from deploy.places import REPO
from pipelines.stores.database import tenant_session
from pipelines.stores.ingest import accepting
from pipelines.stores.ingest.accepting import Upload
from pipelines.stores.objects import ObjectStore, original_key
from schemas.settings import get_settings
from schemas.tables.base import DEFAULT_TENANT_ID
from schemas.tables.knowledge import DocumentStage, Status
from tests.faults import texts
from workers import send, upkeep
from workers.app import app

STORING = 16


def begin(stack: Stack, act: str, *arguments: str, **settings: str) -> "subprocess.Popen[str]":
    """Start an act beside the stack."""
    environment = {**os.environ, **stack.runtime(), "AURA_DATA_DIR": str(stack.data_dir), **settings}
    command = [sys.executable, "-m", "tests.faults.inside", act, *arguments]
    return subprocess.Popen(command, cwd=REPO, env=environment, text=True, stdout=subprocess.PIPE)


def storm(doc_ids: Sequence[str]) -> int:
    """Deliver every open part of the documents again and again, in any order and company; return how many messages.

    Beside it two sweeps run at once. Ends when no part is left.
    """
    tenant_id, rng, sent = UUID(DEFAULT_TENANT_ID), random.Random(doc_ids[0]), 0
    wanted = [UUID(doc_id) for doc_id in doc_ids]
    with ThreadPoolExecutor(2) as pool:
        while True:
            with tenant_session(tenant_id) as session:
                parts = session.scalars(select(DocumentStage).where(DocumentStage.doc_id.in_(wanted))).all()
            is_open = [part for part in parts if part.status in (Status.QUEUED, Status.RUNNING)]
            if parts and not is_open and len({part.doc_id for part in parts if part.stage == "store"}) == len(wanted):
                return sent
            # Also those that are done: a message may come late.
            for kind in {(part.stage, part.queue) for part in parts}:
                named = [(str(p.doc_id), p.version, p.part) for p in parts if (p.stage, p.queue) == kind]
                rng.shuffle(named)
                size = rng.choice([1, rng.randint(1, len(named))])
                for start in range(0, len(named), size):
                    some = named[start : start + size]
                    app.send_task(f"workers.ingest.{kind[0]}", args=[str(tenant_id), some], queue=kind[1])
                    sent += 1
            list(pool.map(lambda _: upkeep.sweep.run(), range(2)))


def accept(tenant_id: str, count: int) -> float:
    """Accept so many short documents of a tenant as one act; return the seconds it took to commit them."""
    store, tenant = ObjectStore(get_settings()), UUID(tenant_id)
    run = uuid4().hex[:8]
    found = [(f"{run}-{i}.md", texts.prose(f"{run}{i}", 60)) for i in range(count)]
    uploads = [Upload("bulk", name, "md", len(data), uuid4().hex) for name, data in found]
    with ThreadPoolExecutor(STORING) as pool:
        keys = [original_key(tenant, upload.doc_id) for upload in uploads]
        list(pool.map(store.put, keys, [data for _, data in found]))
    began = time.monotonic()
    with tenant_session(tenant) as session:
        accepting.accept_many(session, tenant, uploads)
    send.admission()
    return time.monotonic() - began


def main() -> None:
    act, *arguments = sys.argv[1:]
    result = storm(arguments) if act == "storm" else accept(arguments[0], int(arguments[1]))
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
