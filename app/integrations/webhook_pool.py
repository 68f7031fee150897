"""An endpoint's own connections: a slow receiver must not hold those of another."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpcore2
import httpx2

from app.integrations.guard import GuardedBackend
from app.integrations.network import Gate

KEEP_ALIVE = 15.0
AGENT = "signal-server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An endpoint as it is now; another URL under the same key gets a new pool."""

    key: int | str
    url: str
    verify: bool = True
    max_connections: int = 4


class Pool:
    """A client for one target. Retired, it closes when its last request is through."""

    def __init__(self, target: Target, gate: Gate, context: ssl.SSLContext) -> None:
        self.target = target
        self._client = _client(target, gate, context)
        self._in_use = 0
        self._retired = False

    @asynccontextmanager
    async def in_use(self) -> AsyncIterator[httpx2.AsyncClient]:
        self._in_use += 1
        try:
            yield self._client
        finally:
            self._in_use -= 1
            await self._close_if_over()

    async def retire(self) -> None:
        self._retired = True
        await self._close_if_over()

    async def _close_if_over(self) -> None:
        if self._retired and not self._in_use:
            await self._client.aclose()


def _client(target: Target, gate: Gate, context: ssl.SSLContext) -> httpx2.AsyncClient:
    transport = httpx2.AsyncHTTPTransport(verify=context, trust_env=False)
    # The transport offers no way to give its pool a backend; a test fails when this no longer guards.
    transport._pool = httpcore2.AsyncConnectionPool(  # noqa: SLF001
        ssl_context=context,
        max_connections=target.max_connections,
        max_keepalive_connections=target.max_connections,
        keepalive_expiry=KEEP_ALIVE,
        network_backend=GuardedBackend(gate, plain=target.url.lower().startswith("http:")),
    )
    return httpx2.AsyncClient(
        transport=transport,
        trust_env=False,
        follow_redirects=False,
        timeout=None,
        headers={"accept-encoding": "identity", "user-agent": AGENT},
    )
