"""What every ring of tests shares: a migrated database of its own for each test."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog
from playwright.async_api import Browser, async_playwright

from app.migrate import upgrade
from app.models import Database
from tests.servers import Dovecot, Postgres, Redis, Sink

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


MEMORY = Path("/dev/shm")  # a file system in memory
PLENTY = 2 * 1024**3


def pytest_configure(config: pytest.Config) -> None:
    """Keep databases in memory where there is plenty: a disk takes long for thousands of synced commits."""
    if config.option.basetemp is None and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > PLENTY:
        config.option.basetemp = MEMORY / f"signal-server-tests-{os.getpid()}"


def pytest_unconfigure(config: pytest.Config) -> None:
    if config.option.basetemp is not None and Path(config.option.basetemp).parent == MEMORY:
        shutil.rmtree(config.option.basetemp, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def plain_tracebacks() -> None:
    """The library's own rendering of a traceback takes seconds; nobody reads it here."""
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[structlog.processors.add_log_level, plain])


@pytest.fixture(scope="session")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables, made once by the migrations; tests copy the file."""
    path = tmp_path_factory.mktemp("schema") / "signal.db"
    upgrade(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture
def database_url(schema: Path, tmp_path: Path) -> str:
    path = tmp_path / "signal.db"
    shutil.copy(schema, path)
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.aclose()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with Postgres() as postgres:
        yield postgres


@pytest.fixture(params=["sqlite", "postgres"])
def either_url(request: pytest.FixtureRequest, database_url: str) -> str:
    """A migrated database of each kind."""
    if request.param == "sqlite":
        return database_url
    url: str = request.getfixturevalue("postgres").new_database()
    upgrade(url)
    return url


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    with Redis() as redis:
        yield redis


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    with Dovecot() as dovecot:
        yield dovecot


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as sink:
        yield sink


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no Chromium: apt-get install --no-install-recommends chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=list(QUIET))
        yield browser
        await browser.close()
