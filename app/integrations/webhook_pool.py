"""An endpoint's own connections: a slow receiver must not hold those of another."""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpcore2
import httpx2

from app.integrations.errors import Failure, IntegrationError
from app.integrations.guard import GuardedBackend
from app.integrations.network import Gate
from app.integrations.resolver import Resolve

KEEP_ALIVE = 15.0
_ALWAYS = {b"accept": b"*/*", b"accept-encoding": b"identity", b"user-agent": b"signal-server"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An endpoint as it is now; one that says something else under the same key gets a new pool."""

    key: int | str
    url: str
    verify: bool = True
    authority: str = ""  # certificates in PEM form, trusted besides the usual ones
    max_connections: int = 4


class Pool:
    """The connections to one target. Retired, they close when its last request is through."""

    def __init__(self, target: Target, gate: Gate, resolve: Resolve, context: ssl.SSLContext) -> None:
        url = httpx2.URL(target.url)
        self.target = target
        self._url = httpcore2.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
        )
        self._always = {b"host": url.netloc, **_ALWAYS}
        self._connections = httpcore2.AsyncConnectionPool(
            ssl_context=context,
            max_connections=target.max_connections,
            max_keepalive_connections=target.max_connections,
            keepalive_expiry=KEEP_ALIVE,
            network_backend=GuardedBackend(gate, resolve, plain=url.scheme == "http"),
        )
        self._in_use = 0
        self._retired = False

    @asynccontextmanager
    async def in_use(self) -> AsyncIterator[None]:
        self._in_use += 1
        try:
            yield
        finally:
            self._in_use -= 1
            await self._close_if_over()

    async def post(self, body: bytes, headers: Mapping[str, str]) -> httpcore2.Response:
        """Send one request while the pool is in use; its answer has to be closed."""
        own = {**self._always, **_encoded(headers), b"content-length": b"%d" % len(body)}
        request = httpcore2.Request("POST", self._url, headers=list(own.items()), content=body)
        return await self._connections.handle_async_request(request)

    async def retire(self) -> None:
        self._retired = True
        await self._close_if_over()

    async def _close_if_over(self) -> None:
        if self._retired and not self._in_use:
            await self._connections.aclose()


def _encoded(headers: Mapping[str, str]) -> dict[bytes, bytes]:
    try:
        return {name.lower().encode("ascii"): value.encode("latin-1") for name, value in headers.items()}
    except UnicodeEncodeError as error:
        raise IntegrationError(Failure.PROTOCOL_ERROR, f"a header: {error}", permanent=True) from error
