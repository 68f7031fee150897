"""Our web process on a free port, in a thread of its own, and browsers that talk to it."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import httpx2
import uvicorn
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from sqlalchemy import text, update

from app.config import Config, FirstRun
from app.jobs.seed import prepare
from app.main import create_app
from app.models import Database, Setting
from app.vault import Vault
from app.web.server import Server, settings
from app.web.sign_in import new_link
from app.web.state import State
from tests.servers.port import free_port
from tests.servers.waiting import eventually

PASSWORD = "correct horse battery staple"


class Clock:
    """The moment, and how far the test is ahead of it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Served:
    """A server in a thread of its own: `with Served(server):`."""

    def __init__(self, server: uvicorn.Server) -> None:
        self.server = server
        self._thread = threading.Thread(target=self.server.run)

    def __enter__(self) -> Self:
        self._thread.start()
        eventually(lambda: self.server.started or not self._thread.is_alive())
        assert self.server.started
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self.server.should_exit = True
        self._thread.join(20)
        assert not self._thread.is_alive()


async def _nothing(_state: State) -> None:
    """Nobody waits for the news that it listens."""


class Site:
    """Our application, the database it works on, its clock, and its browsers."""

    def __init__(self, config: Config, database: Database) -> None:
        self.config = config
        self.database = database
        self.clock = Clock()
        self.url = f"http://127.0.0.1:{config.port}"
        self.served = Served(Server(settings(create_app(config, now=self.clock), config), _nothing))

    def browser(self, **headers: str) -> httpx2.AsyncClient:
        """A browser of its own, with its own cookies; redirects are shown, not followed."""
        return httpx2.AsyncClient(base_url=self.url, headers=headers, timeout=20, trust_env=False)

    async def today(self) -> date:
        """The day that it is where the operator lives."""
        return self.clock().astimezone((await self.setting()).tz).date()

    async def setting(self) -> Setting:
        async with self.database.reading() as db:
            return await Setting.load(db)

    async def link(self, lifetime: timedelta = timedelta(minutes=15)) -> str:
        """The path of a new sign-in link."""
        token = await new_link(self.database, username="ada", now=self.clock(), lifetime=lifetime)
        return f"/login/magic/{token}"

    @asynccontextmanager
    async def signed_in(self, **headers: str) -> AsyncIterator[httpx2.AsyncClient]:
        """A browser that came in by a link."""
        async with self.browser(**headers) as browser:
            answer = await browser.post(await self.link())
            assert answer.status_code in {204, 303}
            yield browser

    async def break_table(self, name: str) -> None:
        """Take a table away, so that whoever needs it fails."""
        async with self.database.transaction() as db:
            await (await db.connection()).execute(text(f"DROP TABLE {name}"))

    async def set_password(self) -> None:
        """Let Ada in by her password."""
        stored = PasswordHasher.from_parameters(CHEAPEST).hash(PASSWORD)
        async with self.database.transaction() as db:
            await db.exec(update(Setting).values(username="ada", password_hash=stored))


@asynccontextmanager
async def running(database_url: str, folder: Path, **settings: Any) -> AsyncIterator[Site]:  # noqa: ANN401 - any setting
    """Serve our application on this database; Redis is away unless `redis_url` says otherwise."""
    away = {"redis_url": f"redis://127.0.0.1:{free_port()}/0"}
    given = (
        {"host": "127.0.0.1", "port": free_port(), "data_dir": folder, "database_url": ""} | away | settings
    )
    config = Config.load(**given)
    assert config.database == database_url
    database = Database(database_url)
    await prepare(database, FirstRun(), Vault(config.secret_key()), datetime.now(UTC))
    site = Site(config, database)
    try:
        with site.served:
            yield site
    finally:
        await database.aclose()
