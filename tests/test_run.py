"""What `signal-server run` decides before it starts anything."""

import asyncio
import socket
import sqlite3
from pathlib import Path

import pytest

from app.embedded import embed, find_program
from app.ready import CannotStart
from app.supervisor.child import Keeper
from app.supervisor.first_look import up_to_date
from app.supervisor.run import Plan, answers, owned, require_free, stages, wants_demo
from tests.servers.waiting import eventually_async
from tests.stand_ins import PATIENCE, started


def a_plan(data_dir: Path, *, database_url: str = "", redis_url: str = "", demo: bool = False) -> Plan:
    return Plan(
        host="127.0.0.1",
        port=8000,
        data_dir=data_dir,
        database_url=database_url,
        redis_url=redis_url,
        demo=demo,
    )


def test_a_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=f"PORT {port} on 127.0.0.1 is taken"):
            require_free("127.0.0.1", port)
    require_free("127.0.0.1", port)


def test_a_host_that_is_not_ours_is_named() -> None:
    with pytest.raises(CannotStart, match=r"HOST nowhere\.invalid"):
        require_free("nowhere.invalid", 8000)


async def test_a_data_directory_has_one_owner(tmp_path: Path) -> None:
    with owned(tmp_path):
        async with started("app.cli", "run", "--data-dir", str(tmp_path), "--port", "1") as second:
            assert await second.ended() == 2
            assert (
                second.errors
                == f"signal-server: DATA_DIR {tmp_path} is in use by another signal-server run\n"
            )
    with owned(tmp_path):
        pass


async def test_a_data_directory_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with (
        pytest.raises(CannotStart, match=f"DATA_DIR {tmp_path / 'data'} cannot be written"),
        owned(tmp_path / "data"),
    ):
        pass


@pytest.mark.parametrize(
    ("variable", "value"), [("PORT", "eighty"), ("IMAP_PORT", "imaps"), ("LOG_LEVEL", "loud")]
)
async def test_a_malformed_variable_stops_the_start_with_one_line(
    tmp_path: Path, variable: str, value: str
) -> None:
    env = {"PORT": "28917", "DATA_DIR": str(tmp_path), variable: value}
    async with started("app.cli", "run", **env) as running:
        assert await running.ended() == 2

    assert running.errors.startswith(f"signal-server: {variable}: ")
    assert running.errors.count("\n") == 1


def test_the_embedded_server_comes_first_and_stops_last(tmp_path: Path) -> None:
    redis = embed(find_program(), tmp_path)
    first, second = stages(a_plan(tmp_path, demo=True), redis)

    assert [child.name for child in first] == ["redis", "migrate"]
    assert [child.name for child in second] == ["worker", "demo", "web"]
    assert {child.env["REDIS_URL"] for child in second} == {redis.url}
    assert sum(child.grace for child in [*first, *second]) < 10


def test_a_given_redis_is_used_and_a_given_database_always_migrated(tmp_path: Path) -> None:
    first, second = stages(a_plan(tmp_path, database_url="postgresql://db", redis_url="redis://cache"), None)

    assert [child.name for child in first] == ["migrate"]
    assert [child.name for child in second] == ["worker", "web"]
    assert "REDIS_URL" not in second[0].env  # they read what we read


@pytest.mark.parametrize("deep", [False, True], ids=["socket", "port"])
async def test_the_embedded_server_answers_us_alone_and_comes_back_where_it_was(
    tmp_path: Path, *, deep: bool
) -> None:
    folder = tmp_path / ("deep" * 30 if deep else "")
    folder.mkdir(exist_ok=True)
    redis = embed(find_program(), folder)
    [child] = stages(a_plan(tmp_path, database_url="", redis_url=""), redis)[0][:1]
    keeper = Keeper(child)
    assert redis.url.startswith("redis://" if deep else "unix://")
    assert not await redis.alive()
    assert oct((folder / "redis.conf").stat().st_mode & 0o777) == "0o600"

    keeping = asyncio.create_task(keeper.keep())
    try:
        await keeper.ready.wait()
        assert await redis.ask("SET", "arq:in-progress:1", "x") == "+OK"
        assert await redis.ask("SET", "arq:queue", "x") == "+OK"
        await redis.forget_running_jobs()
        assert await redis.ask("EXISTS", "arq:in-progress:1", "arq:queue") == ":1"

        assert await redis.ask("SHUTDOWN") == ""
        await eventually_async(lambda: not keeper.ready.is_set())
        await asyncio.wait_for(keeper.ready.wait(), PATIENCE)
        assert await redis.alive()
    finally:
        keeping.cancel()
        await keeper.stop()
    assert not await redis.alive()


def test_the_demo_shows_until_a_mailbox_is_connected(tmp_path: Path) -> None:
    assert wants_demo("auto", connected=False, data_dir=tmp_path)
    assert not wants_demo("auto", connected=True, data_dir=tmp_path)
    assert not wants_demo("no", connected=False, data_dir=tmp_path)

    database = sqlite3.connect(tmp_path / "signal.db")
    database.execute("CREATE TABLE mailbox (demo BOOLEAN)")
    database.execute("INSERT INTO mailbox VALUES (1)")
    database.commit()
    assert wants_demo("auto", connected=False, data_dir=tmp_path)

    database.execute("INSERT INTO mailbox VALUES (0)")
    database.commit()
    database.close()
    assert not wants_demo("auto", connected=False, data_dir=tmp_path)
    assert wants_demo("yes", connected=True, data_dir=tmp_path)


def test_a_database_is_up_to_date_at_the_newest_revision(tmp_path: Path) -> None:
    versions = tmp_path / "versions"
    versions.mkdir()
    (versions / "0001_first.py").write_text('revision = "0001"\ndown_revision: str | None = None\n')
    (versions / "0002_more.py").write_text('revision: str = "0002"\ndown_revision: str | None = "0001"\n')
    path = tmp_path / "odd name?.db"
    assert not up_to_date(path, versions)

    database = sqlite3.connect(path)
    database.execute("CREATE TABLE alembic_version (version_num)")
    database.execute("INSERT INTO alembic_version VALUES ('0001')")
    database.commit()
    assert not up_to_date(path, versions)

    database.execute("UPDATE alembic_version SET version_num = '0002'")
    database.commit()
    database.close()
    assert up_to_date(path, versions)


async def test_nobody_answers_on_a_free_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert not await answers("127.0.0.1", port)
