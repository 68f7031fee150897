"""The commands, as a shell runs them."""

import socket
from pathlib import Path

import pytest

from app import cli, doctor
from app.config import Config
from app.integrations.errors import IntegrationError
from app.integrations.webhook import Target
from tests.servers import MailHost, free_port
from tests.stand_ins import started


@pytest.mark.parametrize("arguments", [[], ["serve"], ["run", "--demo", "maybe"]])
def test_an_unknown_command_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refusal:
        cli.main(arguments)

    assert refusal.value.code == 2
    assert "usage: signal-server" in capsys.readouterr().err


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])

    said = capsys.readouterr().out
    assert all(command in said for command in ("run", *cli.ROLES))


@pytest.mark.parametrize("port", ["eighty", "0", "65536", "-1", "8000.5"])
def test_a_port_that_is_none_is_named(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["run", f"--port={port}"]) == 2
    assert capsys.readouterr().err == f"signal-server: PORT: must be a number from 1 to 65535, not {port!r}\n"


@pytest.mark.parametrize("role", ["web", "worker", "migrate", "doctor"])
async def test_each_role_names_every_malformed_variable(role: str, tmp_path: Path) -> None:
    env = {"DATA_DIR": str(tmp_path), "ALLOW_INSECURE_TLS": "perhaps", "LOG_LEVEL": "loud"}
    async with started("app.cli", role, **env) as running:
        assert await running.ended() == 2

    lines = running.errors.splitlines()
    assert sorted(line.split(":")[1].strip() for line in lines) == ["ALLOW_INSECURE_TLS", "LOG_LEVEL"]


@pytest.mark.parametrize(("version", "code"), [("3.7.0", 2), ("3.51.2", 2), ("3.51.3", 0)])
async def test_with_an_unsound_sqlite_nothing_starts(version: str, code: int, tmp_path: Path) -> None:
    """The library that is found first says that it is of that version."""
    told = f"sqlite_version, sqlite_version_info = {version!r}, {tuple(map(int, version.split('.')))}"
    (tmp_path / "pysqlite3.py").write_text(f"import sqlite3 as dbapi2\nfrom sqlite3 import *\n{told}\n")
    async with started("app.cli", "migrate", DATA_DIR=str(tmp_path), PYTHONPATH=str(tmp_path)) as running:
        assert await running.ended() == code

    refused = f"signal-server: SQLite {version} can corrupt a shared database: 3.51.3 or newer is needed\n"
    assert (refused in running.errors, (tmp_path / "signal.db").exists()) == (bool(code), not code)


async def test_the_doctor_says_one_line_each_and_fails_with_any(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as receiver, socket.create_server(("127.0.0.1", 0)) as gone:
        port, closed = receiver.getsockname()[1], gone.getsockname()[1]
        gone.close()
        env = {
            "DATA_DIR": str(tmp_path),
            "PORT": str(closed),
            "ALLOW_PRIVATE_TARGETS": f"127.0.0.1/32:{port}",
            "WEBHOOK_URL": f"http://127.0.0.1:{port}/hook",
        }
        async with started("app.cli", "doctor", **env) as healthy:
            assert await healthy.ended() == 0

        mailbox = {"EMAIL_ADDRESS": "ada", "EMAIL_PASSWORD": "secret", "IMAP_SERVER": "127.0.0.1"}
        async with started("app.cli", "doctor", **env, **mailbox, IMAP_PORT=str(closed)) as unwell:
            assert await unwell.ended() == 1

    names = [line.split(":")[0] for line in healthy.text]
    assert names == [
        "ok python",
        "ok sqlite",
        "ok redis",
        "ok port",
        "ok data directory",
        "ok receiver WEBHOOK_URL",
    ]
    [failure] = [line for line in unwell.text if line.startswith("FAIL")]
    assert failure.startswith("FAIL mailbox 127.0.0.1: refused")


async def test_the_doctor_asks_the_mail_server_and_sends_nothing(tmp_path: Path) -> None:
    mail = {"SMTP_HOST": "127.0.0.1", "SMTP_FROM": "signal@example.org", "SMTP_TLS": "none"}
    said = []
    with MailHost() as host:
        for port in (host.port, free_port()):
            env = {"DATA_DIR": str(tmp_path), "PORT": str(free_port()), "SMTP_PORT": str(port)}
            async with started("app.cli", "doctor", **mail, **env) as running:
                await running.ended()
            said += [line for line in running.text if "mail server" in line]
        assert host.got == []
    assert said[0] == "ok mail server 127.0.0.1: takes mail without a sign-in"
    assert said[1].startswith("FAIL mail server 127.0.0.1: refused")


async def test_the_doctor_judges_every_address_of_a_receiver(tmp_path: Path) -> None:
    async def two(_: str) -> tuple[str, ...]:
        return "127.0.0.1", "10.0.0.1"

    with socket.create_server(("127.0.0.1", 0)) as receiver:
        port = receiver.getsockname()[1]
        config = Config(data_dir=tmp_path, allow_private_targets=f"127.0.0.1/32:{port}")
        target = Target(key="Studio", url=f"http://studio.example:{port}/hook")
        with pytest.raises(IntegrationError, match="private"):
            await doctor._receiver(config, target, resolve=two)  # noqa: SLF001


async def test_the_doctor_names_a_taken_port_and_a_private_receiver(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        env = {"DATA_DIR": str(tmp_path), "PORT": port, "WEBHOOK_URL": "https://127.0.0.1/hook"}
        async with started("app.cli", "doctor", **env) as running:
            assert await running.ended() == 1

    assert [line.split(":")[0] for line in running.text if line.startswith("FAIL")] == [
        "FAIL port",
        "FAIL receiver WEBHOOK_URL",
    ]
