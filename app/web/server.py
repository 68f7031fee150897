"""uvicorn, with streams that end at once and a process that ends when its background work did."""

import asyncio
from collections.abc import Awaitable, Callable
from socket import socket
from typing import cast

import uvicorn
from sse_starlette.sse import AppStatus
from starlette.types import ASGIApp

from app.config import Config
from app.ready import beat
from app.web.connection import Connection
from app.web.state import State

CONNECTIONS = 500


def settings(app: ASGIApp, config: Config) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=config.host,
        port=config.port,
        lifespan="on",
        log_config=None,  # its loggers write where ours do
        access_log=False,  # an address may hold a token
        server_header=False,
        proxy_headers=False,  # nobody may say where a request comes from
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=2,
        http=Connection,  # h11: strict, and with a limit on the size of a head
        ws="none",
    )


class Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, listening: Callable[[State], Awaitable[None]]) -> None:
        super().__init__(config)
        AppStatus.enable_automatic_graceful_drain = False  # we end streams ourselves, in good order
        self._listening = listening

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        self._beating = asyncio.create_task(beat())
        await self._listening(self._state)

    async def on_tick(self, counter: int) -> bool:
        return self.lifespan.error_occurred or await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        if not self.lifespan.error_occurred:
            self._state["live"].close()
        await super().shutdown(sockets)

    @property
    def _state(self) -> State:
        return cast("State", self.lifespan.state)
