"""Between a name and a connection: every address judged, and none but those connected to."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from app.integrations.errors import Failure
from app.integrations.guard import CONNECT_LIMIT
from app.integrations.network import Gate
from app.integrations.webhook import DeliveryError, Target, Webhooks
from app.rules.url_faults import OURS
from tests.integrations.ourselves import ADDRESS
from tests.servers import Sink

ROOT = os.geteuid() == 0
NETWORK = ("unshare", "--net") if ROOT else ("unshare", "--net", "--user", "--map-root-user")
HERE = Path(__file__).parents[2]


class Names:
    """A name server that says something else each time, and in the end the same."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str) -> tuple[str, ...]:
        self.asked.append(host)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def named(sink: Sink) -> Target:
    return Target(key=1, url=f"http://hook.invalid:{sink.port}/hook")


@pytest.mark.parametrize("bad", ["10.0.0.1", "127.0.0.2", "169.254.169.254", "::ffff:10.0.0.1", "fd00::1"])
@pytest.mark.parametrize("first", [True, False])
async def test_one_bad_answer_condemns_the_name(sink: Sink, bad: str, *, first: bool) -> None:
    answer = (bad, "127.0.0.1") if first else ("127.0.0.1", bad)
    posting = Webhooks(Gate(sink.address), resolve=Names(answer))
    with pytest.raises(DeliveryError) as refused:
        await posting.post(named(sink), b"{}", {}, 10)
    await posting.aclose()
    assert refused.value.reason in {Failure.PRIVATE_ADDRESS, Failure.BAD_URL}
    assert (refused.value.sent, sink.connections) == (False, 0)


async def test_the_judged_address_is_connected_to_whatever_the_name_says_afterwards(sink: Sink) -> None:
    names = Names(("127.0.0.1", "127.0.0.2"), ("10.0.0.1",))
    with socket.create_server(("127.0.0.2", sink.port)) as second:
        posting = Webhooks(Gate("127.0.0.0/8"), resolve=names)
        answer = await posting.post(named(sink), b"{}", {}, 10)
        await posting.aclose()
        second.settimeout(0)
        with pytest.raises(BlockingIOError):
            second.accept()
    assert (answer.status, answer.peer, sink.connections) == (200, "127.0.0.1", 1)
    assert names.asked == ["hook.invalid"]
    assert sink.seen[0].headers["host"] == f"hook.invalid:{sink.port}"


async def test_a_deaf_address_leaves_the_others_their_time(sink: Sink) -> None:
    names = Names(("127.0.0.2", "127.0.0.1", "127.0.0.3", "127.0.0.4"))
    posting = Webhooks(Gate("127.0.0.0/8"), resolve=names)
    with deaf("127.0.0.2", sink.port):
        answer = await posting.post(named(sink), b"{}", {}, CONNECT_LIMIT - 1)
    await posting.aclose()
    assert (answer.status, answer.peer) == (200, "127.0.0.1")
    assert answer.timings["connect"] >= 1000 * CONNECT_LIMIT / 4


def test_a_public_address_of_this_machine_is_no_way_in() -> None:
    """In a network of its own, where such an address can be given to it."""
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        pytest.skip("no network of one's own: that takes Linux, util-linux and iproute2")
    script = f"ip link set lo up && ip addr add {ADDRESS}/32 dev lo && echo there && exec {sys.executable} -m"
    tried = subprocess.run(
        [*NETWORK, "sh", "-c", f"{script} tests.integrations.ourselves"],
        capture_output=True,
        cwd=HERE,
        text=True,
        timeout=60,
        check=False,
    )
    there, _, said = tried.stdout.partition("\n")
    if there != "there":
        pytest.skip("no network of one's own: unshare and ip are not allowed here")
    assert said, tried.stderr
    unlisted, own, listed = json.loads(said)
    assert unlisted[0] == "private_address"
    assert unlisted[1].startswith(f"ALLOW_PRIVATE_TARGETS={ADDRESS}/32:")
    assert own == ["bad_url", OURS]
    assert listed == [200, 1]  # and what was refused has sent nothing


@contextmanager
def deaf(host: str, port: int) -> Iterator[None]:
    """Somebody listens and takes no call: his queue is full, so that the system answers no more."""
    with ExitStack() as held:
        held.enter_context(socket.create_server((host, port), backlog=0))
        for _ in range(8):
            call = held.enter_context(socket.socket())
            call.settimeout(0)
            call.connect_ex((host, port))
        yield
