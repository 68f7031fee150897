"""A receiver on loopback: verifies signatures as any receiver should, and shows what it got."""

import asyncio
import hmac
import json
import socket
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import uvicorn
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from app.demo.samples import STUMBLES_OVER
from app.integrations.signature import sign
from app.web.headers import SecurityHeaders

HERE = Path(__file__).parent
KEPT = 50  # calls
LARGEST = 8 * 1024 * 1024  # bytes of one call
TOLERANCE = timedelta(minutes=5)  # between the sender's clock and ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request: what it brought and what it was answered."""

    number: int
    at: datetime
    webhook_id: str
    attempt: int
    signed: bool
    status: int
    payload: Mapping[str, Any]
    raw: str

    @property
    def links(self) -> list[str]:
        found = self.payload.get("delivery_links")
        listed = found if isinstance(found, list) else []
        return [str(link.get("raw_url")) for link in listed if isinstance(link, dict)]


class Receiver:
    """`POST /hook` takes webhooks, `GET /` shows the last of them; kept in memory only."""

    def __init__(
        self, secrets: Callable[[], Awaitable[list[str]]], zone: ZoneInfo, now: Callable[[], datetime]
    ) -> None:
        self._secrets = secrets
        self._zone = zone
        self._now = now
        self._since = now()
        self._count = 0
        self._templates = Environment(
            loader=FileSystemLoader(HERE),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["clock"] = self._clock
        self.calls: deque[Call] = deque(maxlen=KEPT)
        self.app = Starlette(
            routes=[
                Route("/", self._show),
                Route("/page.css", _style),
                Route("/hook", self._take, methods=["POST"]),
            ],
            middleware=[
                Middleware(SecurityHeaders, https=False),
                Middleware(RequestBodyLimitMiddleware, max_body_size=LARGEST),
            ],
        )

    @asynccontextmanager
    async def serving(self, listener: socket.socket) -> AsyncIterator[None]:
        server = _Server(
            uvicorn.Config(
                self.app,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=30,  # longer than our worker keeps an idle connection
                timeout_graceful_shutdown=1,
                ws="none",
            )
        )
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield
        finally:
            server.should_exit = True
            await serving

    async def _take(self, request: Request) -> Response:
        body = await request.body()
        now, payload = self._now(), _payload(body)
        webhook_id = request.headers.get("webhook-id", "")
        attempt = 1 + sum(call.webhook_id == webhook_id for call in self.calls)
        signed = verified(await self._secrets(), request.headers, body, now)
        status = _answer(payload, signed=signed, attempt=attempt)
        self._count += 1
        self.calls.appendleft(
            Call(
                number=self._count,
                at=now,
                webhook_id=webhook_id,
                attempt=attempt,
                signed=signed,
                status=status,
                payload=payload,
                raw=_indented(payload, body),
            )
        )
        return JSONResponse({"success": status == 200}, status)

    async def _show(self, request: Request) -> Response:
        """Show the calls; while one is opened to be read the page stays as it is."""
        opened = request.query_params.get("open", "")
        page = self._templates.get_template("page.html").render(
            calls=self.calls,
            count=self._count,
            since=self._since,
            opened=int(opened) if opened.isdecimal() and len(opened) < 10 else 0,
        )
        return HTMLResponse(page)

    def _clock(self, at: datetime) -> str:
        return at.astimezone(self._zone).strftime("%Hh%M:%S")


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Signals are the demo's."""
        yield


def verified(secrets: list[str], headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Say whether one of the signatures is made with one of the secrets, over this body, just now."""
    try:
        at = datetime.fromtimestamp(int(headers.get("webhook-timestamp", "")), UTC)
    except (ValueError, OverflowError):
        return False
    if abs(now - at) > TOLERANCE:
        return False
    given = headers.get("webhook-signature", "").split()
    ours = sign(secrets, headers.get("webhook-id", ""), at, body).split()
    return any(hmac.compare_digest(one.encode(), other.encode()) for one in given for other in ours)


def _answer(payload: Mapping[str, Any], *, signed: bool, attempt: int) -> int:
    if not signed:
        return 401
    stumbles = attempt == 1 and STUMBLES_OVER in str(payload.get("subject"))
    return 500 if stumbles else 200


def _payload(body: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _indented(payload: Mapping[str, Any], body: bytes) -> str:
    return json.dumps(payload, ensure_ascii=False, indent=2) if payload else body.decode("utf-8", "replace")


async def _style(_request: Request) -> Response:
    return Response((HERE / "page.css").read_text(), media_type="text/css")
