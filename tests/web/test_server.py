"""The process itself: what it prints, how it ends."""

import asyncio
import os
import re
import signal
import sys
from asyncio import subprocess
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import httpx2

from app.config import FirstRun
from app.jobs.owner import machine
from app.jobs.seed import prepare
from app.models import Database, Process
from app.vault import Vault
from tests.servers.port import free_port
from tests.servers.waiting import eventually_async
from tests.web.client import Clock

ROOT = Path(__file__).parents[2]
SIGN_IN = re.compile(r"Sign in: (http://127\.0\.0\.1:\d+)(/login/magic/([\w-]{43}))")


class Web:
    """`signal-server web`, and what it has printed."""

    def __init__(self, process: subprocess.Process, port: int) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}"
        self.lines: list[str] = []

    async def until(self, pattern: re.Pattern[str]) -> re.Match[str]:
        assert self.process.stdout is not None
        async with asyncio.timeout(30):
            async for raw in self.process.stdout:
                self.lines.append(raw.decode().rstrip("\n"))
                if found := pattern.fullmatch(self.lines[-1]):
                    return found
        raise AssertionError(self.lines)

    async def ended(self) -> int:
        assert self.process.stdout is not None
        async with asyncio.timeout(10):
            self.lines += (await self.process.stdout.read()).decode().splitlines()
            return await self.process.wait()


@asynccontextmanager
async def web(database: Database, folder: Path, **env: str) -> AsyncIterator[Web]:
    await prepare(database, FirstRun(), Vault("k" * 32), Clock()())
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app.cli", "web", "--port", str(port), "--data-dir", str(folder)),
        stdout=PIPE,
        stderr=STDOUT,
        cwd=ROOT,
        env={**os.environ, "REDIS_URL": f"redis://127.0.0.1:{free_port()}/0", "LOG_FORMAT": "json", **env},  # noqa: TID251
    )
    try:
        yield Web(process, port)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_the_printed_link_lets_in_and_no_log_line_holds_its_token(
    database: Database, tmp_path: Path
) -> None:
    async with web(database, tmp_path) as server:
        found = await server.until(SIGN_IN)
        assert found[1] == server.url
        async with httpx2.AsyncClient(base_url=server.url, trust_env=False) as browser:
            assert (await browser.get(found[2])).status_code == 200
            assert (await browser.post(found[2])).status_code == 303
            assert (await browser.get("/api/invariants")).status_code == 200
        server.process.send_signal(signal.SIGTERM)
        await server.ended()
    assert sum(found[3] in line for line in server.lines) == 1  # the link itself


async def test_open_streams_do_not_keep_it_from_stopping(database: Database, tmp_path: Path) -> None:
    async with web(database, tmp_path) as server:
        found = await server.until(SIGN_IN)
        async with httpx2.AsyncClient(base_url=server.url, trust_env=False, timeout=10) as browser:
            await browser.post(found[2])
            async with browser.stream("GET", "/events") as stream:
                lines = stream.aiter_lines()
                assert (await anext(lines)).startswith(":")
                server.process.send_signal(signal.SIGTERM)
                assert [line async for line in lines if line] == []
        await server.ended()
    assert "timeout graceful shutdown exceeded" not in "\n".join(server.lines)


async def test_elsewhere_than_on_loopback_no_link_is_printed(database: Database, tmp_path: Path) -> None:
    async with web(database, tmp_path, HOST="0.0.0.0") as server:
        async with httpx2.AsyncClient(base_url=server.url, trust_env=False) as browser:
            await eventually_async(partial(answers, browser), timeout=30)
        server.process.send_signal(signal.SIGTERM)
        await server.ended()
    assert "Sign in" not in "\n".join(server.lines)


async def test_it_ends_when_its_background_work_does(database: Database, tmp_path: Path) -> None:
    now = Clock()()
    odd = Process(owner=f"{machine()}/odd", role="web", machine=machine(), pid=1, started_at=now, beat_at=now)
    async with web(database, tmp_path) as server:
        await server.until(SIGN_IN)
        async with database.transaction() as db:
            db.add(odd)  # which nobody wrote, and nobody can read
        assert await server.ended() == 1


async def answers(browser: httpx2.AsyncClient) -> bool:
    try:
        return (await browser.get("/health")).status_code == 200
    except httpx2.TransportError:
        return False
