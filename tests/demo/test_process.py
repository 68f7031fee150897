"""`signal-server demo`, started as the supervisor starts it."""

import socket
from pathlib import Path

import httpx2
import pytest
from sqlmodel import select

from app.demo_ports import HOST, ports
from app.models import Database, Mailbox, Process, ProcessState
from tests.stand_ins import started


async def test_the_demo_runs_until_it_is_told_to_stop(prepared: Database, tmp_path: Path) -> None:
    places = ports(tmp_path)
    env = {"DATA_DIR": str(tmp_path), "ALLOW_PRIVATE_TARGETS": places.allowance}
    async with started("app.cli", "demo", **env) as demo:
        ready = await demo.until("demo ready")
        await demo.until("demo mail sent", sample="recadrage")
        async with prepared.reading() as db:
            mailbox = (await db.exec(select(Mailbox))).one()
            assert (await db.exec(select(Process.role, Process.state))).all() == [
                ("demo", ProcessState.READY)
            ]
        async with httpx2.AsyncClient(trust_env=False) as client:
            assert "Nothing yet" in (await client.get(ready["receiver"])).text
        assert mailbox.port == places.imap
        with socket.create_connection((HOST, mailbox.port)):
            demo.process.terminate()
            assert await demo.ended() == 0

    assert "the worker may not reach the demo's receiver" not in demo.events
    async with prepared.reading() as db:
        assert (await db.exec(select(Process.state))).all() == [ProcessState.STOPPED]


@pytest.mark.usefixtures("prepared")
async def test_a_demo_on_its_own_says_what_the_worker_needs(tmp_path: Path) -> None:
    async with started("app.cli", "demo", DATA_DIR=str(tmp_path), ALLOW_PRIVATE_TARGETS="") as demo:
        advice = await demo.until("the worker may not reach the demo's receiver")
        await demo.until("demo ready")
    assert advice["allow"] == ports(tmp_path).allowance
