"""The demo's two ports, kept in the data directory so that its addresses stay the same."""

import json
import os
import socket
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the demo's mailbox and its receiver listen."""

    imap: int
    receiver: int

    @property
    def allowance(self) -> str:
        """What ALLOW_PRIVATE_TARGETS needs, and no more, for deliveries to reach the receiver."""
        return f"{HOST}/32:{self.receiver}"


def ports(data_dir: Path) -> Ports:
    """Give the kept ports; one that somebody else took meanwhile, or that never was, is picked anew."""
    path = data_dir / "demo.json"
    kept = _kept(path)
    with ExitStack() as held:  # both at once, so that they differ
        found = Ports(imap=_free(held, kept.imap), receiver=_free(held, kept.receiver))
    if found != kept:
        _keep(path, found)
    return found


def _kept(path: Path) -> Ports:
    try:
        told = json.loads(path.read_text())
        return Ports(imap=_port(told["imap"]), receiver=_port(told["receiver"]))
    except (OSError, ValueError, KeyError, TypeError):  # none yet, or no file of ours
        return Ports(imap=0, receiver=0)


def _port(value: object) -> int:
    if isinstance(value, int) and 1024 <= value < 65536:
        return value
    raise ValueError


def _free(held: ExitStack, port: int) -> int:
    """Give `port` when nobody listens on it, else another."""
    try:
        listener = socket.create_server((HOST, port))
    except OSError:
        listener = socket.create_server((HOST, 0))
    found: int = held.enter_context(listener).getsockname()[1]
    return found


def _keep(path: Path, found: Ports) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(asdict(found)))
    draft.replace(path)
