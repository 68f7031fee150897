"""The web process: puts the application together and serves it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import DBAPIError
from sqlmodel import select
from starlette.applications import Starlette
from starlette.middleware import Middleware

from app.clock import now
from app.config import Config
from app.jobs.owner import registered
from app.jobs.queue import Queue
from app.lines import Lines
from app.models import Database, Setting
from app.ready import CannotStart
from app.routes import PUBLIC, ROOMS, ROUTES
from app.vault import Vault
from app.web import i18n
from app.web.body import BodyLimits
from app.web.errors import HANDLERS
from app.web.failures import Failures
from app.web.gate import SessionGate
from app.web.headers import SecurityHeaders
from app.web.language import Language
from app.web.live import Live
from app.web.origin import SameOriginWrites
from app.web.server import Server, settings
from app.web.sign_in import new_link
from app.web.state import State
from app.web.templates import environment

LINK_LIFETIME = timedelta(minutes=15)
PATIENCE = 5.0  # seconds that a reader waits while somebody else holds the database

log = structlog.get_logger()


def run(config: Config) -> int:
    """Serve until told to stop; gives the exit code."""

    async def listening(state: State) -> None:
        if config.loopback:
            await _print_link(config, state["database"])

    server = Server(settings(create_app(config), config), listening)
    server.run()
    return int(server.lifespan.error_occurred)


def print_sign_in(config: Config) -> None:
    """Print a link that lets somebody in, once."""

    async def print_one() -> None:
        database = Database(config.database)
        try:
            await _print_link(config, database)
        except DBAPIError as error:
            message = f"There is no database in {config.data_dir} that could be read: start the server first"
            raise CannotStart(message) from error
        finally:
            await database.aclose()

    asyncio.run(print_one())


def create_app(config: Config, *, now: Callable[[], datetime] = now) -> Starlette:
    app = Starlette(
        routes=ROUTES,
        middleware=_middleware(config),
        exception_handlers=HANDLERS,
        lifespan=_lifespan(config, now),
    )
    app.router.redirect_slashes = False  # its redirects repeat the Host header
    return app


def _middleware(config: Config) -> list[Middleware]:
    """Give the layers in the order in which a request meets them."""
    return [
        Middleware(SecurityHeaders, https=config.production),
        Middleware(Language),
        Middleware(Failures),
        Middleware(BodyLimits, rooms=ROOMS),
        Middleware(SameOriginWrites, base_url=config.base_url),
        Middleware(SessionGate, public=PUBLIC, https=config.production),
    ]


def _lifespan(
    config: Config, now: Callable[[], datetime]
) -> Callable[[Starlette], AbstractAsyncContextManager[State]]:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[State]:
        for language in i18n.missing():
            log.warning("catalogue not compiled: pages are in English", language=language)
        async with AsyncExitStack() as stack:
            queue = Queue(config.redis_url)
            database = Database(config.database, patience=PATIENCE, least_free=config.min_free_mb)
            stack.push_async_callback(database.aclose)
            stack.push_async_callback(queue.aclose)
            live = Live(config.redis_url, database, now)
            await stack.enter_async_context(
                registered(
                    database,
                    role="web",
                    now=now,
                    restarts=config.signal_restarts,
                    last_exit=config.signal_last_exit,
                    queue_ok=lambda: live.subscribed,
                )
            )
            await stack.enter_async_context(live.running())
            yield State(
                config=config,
                database=database,
                queue=queue,
                vault=Vault(config.secret_key()),
                live=live,
                now=now,
                templates=environment(app.url_path_for),
                long_counts=asyncio.Semaphore(1),
                handed_in=asyncio.Semaphore(2),
                session=None,
            )

    return lifespan


async def _print_link(config: Config, database: Database) -> None:
    async with database.reading() as db:
        username = (await db.exec(select(Setting.username))).first() or "operator"
    token = await new_link(database, username=username, now=now(), lifetime=LINK_LIFETIME)
    Lines().write(f"Sign in: {config.url}/login/magic/{token}\n")
