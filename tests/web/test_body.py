"""Bodies that are too large, or that never come."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.config import Config
from app.web.body import BodyLimits, Room
from app.web.server import settings
from tests.servers.port import free_port
from tests.web.client import Served, Site


async def test_a_form_over_64_kb_is_refused(site: Site) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    async with site.browser() as browser:
        for size in (65_537, 1_000_000):
            answer = await browser.post("/login", content=b"x" * size, headers=kind)
            assert answer.status_code == 413
            assert "The request is too large." in answer.text


async def test_a_body_that_nobody_reads_ends_the_connection(site: Site) -> None:
    async with site.browser() as browser:
        assert (await browser.post("/polls", content=b"x" * 70_000)).headers["Connection"] == "close"
        assert (await browser.request("GET", "/login", content=b"x" * 70_000)).headers[
            "Connection"
        ] == "close"
        assert "Connection" not in (await browser.post("/polls")).headers


async def test_a_body_of_unknown_length_is_stopped_at_64_kb(site: Site) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"username=" + b"x" * 16_384
            await asyncio.sleep(0)

    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    async with site.browser() as browser:
        with pytest.raises(httpx2.TransportError):  # hung up on in the middle of it
            await browser.post("/login", content=endless(), headers=kind)
        assert (await browser.get("/health")).status_code == 200


async def test_a_form_of_64_kb_passes(site: Site) -> None:
    await site.set_password()
    async with site.browser() as browser:
        answer = await browser.post("/login", data={"username": "ada", "password": "x" * 65_000})
    assert answer.status_code == 422


async def test_a_body_that_falls_silent_is_let_go(tmp_path: Path) -> None:
    assert await send_half(tmp_path, silence=0.1, whole=60.0) == b"HTTP/1.1 408"


async def test_a_body_that_drips_is_let_go(tmp_path: Path) -> None:
    assert await send_half(tmp_path, silence=60.0, whole=0.3, drip=True) == b"HTTP/1.1 408"


async def test_a_body_in_time_is_left_alone(tmp_path: Path) -> None:
    with served(tmp_path, silence=5.0, whole=5.0) as site:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{site.server.config.port}") as browser:
            assert (await browser.post("/", content=b"hello")).text == "5"


async def send_half(folder: Path, *, silence: float, whole: float, drip: bool = False) -> bytes:
    """Send less than was announced and wait for the end; gives the beginning of the answer."""
    with served(folder, silence=silence, whole=whole) as site:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.server.config.port)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc")
        answer = asyncio.create_task(reader.read())
        while drip and not answer.done():
            writer.write(b"x")
            await asyncio.wait([answer], timeout=0.02)
        received = await asyncio.wait_for(answer, 10)
        writer.close()
    return received[:12]


def served(folder: Path, *, silence: float, whole: float) -> Served:
    async def measure(request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    layers = [Middleware(BodyLimits, silence=silence, room=Room(whole=whole))]
    app = Starlette(routes=[Route("/", measure, methods=["POST"])], middleware=layers)
    config = Config.load(host="127.0.0.1", port=free_port(), data_dir=folder)
    return Served(uvicorn.Server(settings(app, config)))
