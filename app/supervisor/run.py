"""`signal-server run`: what one machine needs, decided and put in order."""

import asyncio
import errno
import fcntl
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.demo_ports import ports
from app.embedded import Embedded, embed, find_program, private_folder, remove_abandoned
from app.ready import CannotStart
from app.supervisor.child import Child
from app.supervisor.first_look import has_own_mailbox, up_to_date
from app.supervisor.supervisor import Supervisor

VERSIONS = Path(__file__).parents[2] / "alembic" / "versions"
HEALTH_WITHIN = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What `run` was asked for, by arguments and environment."""

    host: str
    port: int
    data_dir: Path
    database_url: str
    redis_url: str
    demo: bool

    @property
    def database(self) -> Path:
        return self.data_dir / "signal.db"

    @property
    def env(self) -> dict[str, str]:
        return {"PORT": str(self.port), "DATA_DIR": str(self.data_dir)}


def run(plan: Plan) -> None:
    """Run everything until a signal says stop.

    Raises:
        CannotStart: says what a person must mend first.
    """
    with owned(plan.data_dir) as lock:
        require_free(plan.host, plan.port)
        _run(plan, lock)


def wants_demo(mode: str, *, connected: bool, data_dir: Path) -> bool:
    """Decide on the demo: `auto` shows it until a mailbox is connected, by variables or in the page."""
    if mode == "auto":
        return not connected and not has_own_mailbox(data_dir / "signal.db")
    return mode == "yes"


@contextmanager
def owned(data_dir: Path) -> Iterator[Path]:
    """Own the data directory, alone; gives the lock file.

    Raises:
        CannotStart: another `run` has it, or it cannot be written.
    """
    path = data_dir / "run.lock"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = path.open("a")
    except OSError as error:
        message = f"DATA_DIR {data_dir} cannot be written: {error.strerror}"
        raise CannotStart(message) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"DATA_DIR {data_dir} is in use by another signal-server run"
            raise CannotStart(message) from None
        yield path


def require_free(host: str, port: int) -> None:
    """Make sure that the web process can listen.

    Raises:
        CannotStart: it could not.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror:
        message = f"HOST {host} is not an address of this machine"
        raise CannotStart(message) from None
    except OSError as error:
        taken = "is taken: choose another, by PORT or --port"
        why = taken if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
        message = f"PORT {port} on {host} {why}"
        raise CannotStart(message) from None


def _run(plan: Plan, lock: Path) -> None:
    remove_abandoned(lock.read_text().strip())
    if plan.redis_url:
        asyncio.run(Supervisor(stages(plan, None)).run())
        return
    with private_folder() as folder:
        lock.write_text(str(folder))
        asyncio.run(Supervisor(stages(plan, embed(find_program(), folder))).run())


def stages(plan: Plan, redis: Embedded | None) -> list[list[Child]]:
    """List what runs, in the order of starting; the reverse is the order of stopping."""
    first: list[Child] = []
    env = plan.env
    if plan.demo:
        env["ALLOW_PRIVATE_TARGETS"] = with_demo(os.environ.get("ALLOW_PRIVATE_TARGETS", ""), plan)
    if redis is not None:
        env["REDIS_URL"] = redis.url
        first.append(Child(name="redis", argv=redis.argv, ready=redis.alive, grace=0.5))
    if plan.database_url or not up_to_date(plan.database, VERSIONS):
        first.append(Child(name="migrate", argv=_command("migrate"), env=env, once=True, grace=0.5))
    second = [
        Child(
            name="worker",
            argv=_command("worker"),
            env=env,
            before=redis.forget_running_jobs if redis is not None else None,
            grace=5.0,
        )
    ]
    if plan.demo:
        second.append(Child(name="demo", argv=_command("demo"), env=env, grace=1.0))

    async def healthy() -> bool:
        return await answers(plan.host, plan.port)

    second.append(Child(name="web", argv=_command("web"), env=env, ready=healthy, grace=2.5))
    return [first, second]


def with_demo(allowed: str, plan: Plan) -> str:
    """Add exactly the demo's own receiver to what the owner allows."""
    return ",".join(filter(None, (allowed.strip(), ports(plan.data_dir).allowance)))


def _command(role: str) -> tuple[str, ...]:
    return sys.executable, "-P", "-m", "app.cli", role


async def answers(host: str, port: int) -> bool:
    """Ask the web process for /health."""
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - a comparison
    try:
        async with asyncio.timeout(HEALTH_WITHIN):
            reader, writer = await asyncio.open_connection(near, port)
            try:
                writer.write(f"GET /health HTTP/1.0\r\nHost: {near}:{port}\r\n\r\n".encode())
                return b" 200 " in await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
