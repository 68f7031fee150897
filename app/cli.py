"""The commands of `signal-server`. Each imports only what it runs: the supervisor must start at once."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from app.lines import hold_standard_streams
from app.ready import CannotStart, refuse

CANNOT_START = 2

# command: the function that does it, given a Config; and what it is, for --help
ROLES = {
    "web": ("app.main:run", "the pages and the API"),
    "worker": ("app.worker:run", "polls, decides, delivers"),
    "demo": ("app.demo:run", "a mailbox, a receiver and sample mails on this machine"),
    "migrate": ("app.migrate:run", "brings the database to the newest revision"),
    "doctor": ("app.doctor:run", "checks what the server needs; exits 1 when something is missing"),
    "sign-in": ("app.main:print_sign_in", "prints a link that signs in once"),
}

NEED_QUEUE = {"web", "worker"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; gives the exit code."""
    hold_standard_streams()
    os.umask(0o077)  # what we write holds other people's mail
    options = _parser().parse_args(arguments)
    try:
        return _run(options) if options.command == "run" else _play(options)
    except CannotStart as reason:
        if not refuse(str(reason)):
            print(*(f"signal-server: {line}" for line in str(reason).splitlines()), sep="\n", file=sys.stderr)
        return CANNOT_START


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--port", help="overrides PORT (8000)")
    shared.add_argument("--data-dir", metavar="FOLDER", help="overrides DATA_DIR (./data)")
    parser = argparse.ArgumentParser("signal-server", description="Mails that matter become signed webhooks.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser(
        "run", parents=[shared], help="everything that one machine needs, until stopped"
    )
    run.add_argument(
        "--demo", choices=("auto", "yes", "no"), default="no", help="auto: until a mailbox is connected"
    )
    for role, (_, text) in ROLES.items():
        commands.add_parser(role, parents=[shared], help=text)
    return parser


def _run(options: argparse.Namespace) -> int:
    from app.supervisor.first_look import require_sound
    from app.supervisor.run import Plan, run, wants_demo

    data_dir = Path(options.data_dir or os.environ.get("DATA_DIR") or "data").resolve()
    database_url = os.environ.get("DATABASE_URL", "")
    if not database_url:
        require_sound(data_dir / "signal.db")
    connected = bool(database_url or os.environ.get("EMAIL_ADDRESS") or os.environ.get("IMAP_SERVER"))
    plan = Plan(
        host=os.environ.get("HOST") or "127.0.0.1",
        port=_port(options.port or os.environ.get("PORT") or "8000"),
        data_dir=data_dir,
        database_url=database_url,
        redis_url=os.environ.get("REDIS_URL", ""),
        demo=wants_demo(options.demo, connected=connected, data_dir=data_dir),
    )
    run(plan)
    return 0


def _port(text: str) -> int:
    if text.isdecimal() and 0 < int(text) < 65536:
        return int(text)
    message = f"PORT: must be a number from 1 to 65535, not {text!r}"
    raise CannotStart(message)


def _play(options: argparse.Namespace) -> int:
    from app.config import ConfigError

    try:
        return _role(options)
    except ConfigError as error:
        raise CannotStart(str(error)) from None


def _role(options: argparse.Namespace) -> int:
    from app import log
    from app.config import Config, ConfigError, FirstRun
    from app.integrations.network import Gate

    config = Config.load(port=options.port, data_dir=options.data_dir)
    FirstRun.load()  # read when the database is empty, but a mistake in it is always said
    try:
        Gate.of(config)
    except ValueError as error:
        message = f"ALLOW_PRIVATE_TARGETS: {error}"
        raise ConfigError(message) from None
    if options.command in NEED_QUEUE and not config.redis_url:
        message = f"REDIS_URL: is needed by `{options.command}`; `signal-server run` brings its own queue"
        raise ConfigError(message)
    log.configure(options.command, form=config.log_format, level=config.log_level)
    module, _, function = ROLES[options.command][0].partition(":")
    return getattr(import_module(module), function)(config) or 0


if __name__ == "__main__":
    sys.exit(main())
