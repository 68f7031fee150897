"""F20, the whole program on a disk that really fills up: a file system of a few megabytes, in memory."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.letters import with_link
from tests.program import Program
from tests.servers import Dovecot, Sink, eventually
from tests.web.client import running

FULL = "The disk is full"
SIZE = 48  # megabytes
ROOT = os.geteuid() == 0
MOUNTS = ("unshare", "--mount") if ROOT else ("unshare", "--mount", "--user", "--map-root-user")
ENTERS = ("nsenter", "--mount") if ROOT else ("nsenter", "--mount", "--user", "--preserve-credentials")
HERE = Path(__file__).parents[2]


class Small:
    """A directory on a file system of its own, which ends with the process that holds it."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("unshare") is None:
            pytest.skip("no file system of one's own: that takes Linux, and util-linux")
        script = f"mount -t tmpfs -o size={SIZE}m none {folder} && echo mounted && exec cat"
        self._holder = subprocess.Popen(
            [*MOUNTS, "sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != "mounted\n":
            pytest.skip("no file system of one's own: unshare and mount are not allowed here")
        self.path, self._seen = folder, Path(f"/proc/{self._holder.pid}/root{folder}")
        self.within = (*ENTERS, "--target", str(self._holder.pid), "--", "env", "--chdir", str(HERE))

    def fill(self) -> None:
        """Take all the room there is."""
        with (self._seen / "ballast").open("wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                assert shutil.disk_usage(self._seen).free == 0

    def make_room(self) -> None:
        (self._seen / "ballast").unlink()

    def close(self) -> None:
        self._holder.communicate()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Small]:
    small = Small(tmp_path)
    yield small
    small.close()


@contextmanager
def program(small: Small, dovecot: Dovecot, sink: Sink) -> Iterator[Program]:
    env = {
        "EMAIL_ADDRESS": "full",
        "EMAIL_PASSWORD": dovecot.password,
        "IMAP_SERVER": dovecot.host,
        "IMAP_PORT": str(dovecot.port),
        "IMAP_USE_SSL": "false",
        "EMAIL_POLLING_INTERVAL_SECONDS": "1",
        "WEBHOOK_URL": sink.url,
        "ALLOW_PRIVATE_TARGETS": sink.address,
        "MIN_FREE_MB": "8",
        "LOG_FORMAT": "json",
    }
    with Program(small.path / "data", env, within=small.within) as running:
        yield running


def test_on_a_full_disk_the_program_says_so_and_goes_on_when_there_is_room(
    small: Small, dovecot: Dovecot, sink: Sink
) -> None:
    with program(small, dovecot, sink) as here, here.signed_in() as browser:
        dovecot.deliver("full", with_link())
        eventually(lambda: len(sink.seen) == 1, timeout=30)
        small.fill()
        dovecot.deliver("full", with_link())
        eventually(lambda: FULL in browser.get("/").text)
        refused = browser.post("/pause", data={"to": "draining"}, headers={"Origin": here.url})
        assert len(sink.seen) == 1
        small.make_room()
        eventually(lambda: len(sink.seen) == 2, timeout=30)
        assert FULL not in browser.get("/").text
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "60")
    assert "Nothing was changed, and nothing can be until there is room." in refused.text
    assert "Traceback" not in here.output


async def test_less_room_than_is_to_be_kept_free_is_told_on_every_page(
    database_url: str, tmp_path: Path
) -> None:
    async with running(database_url, tmp_path, min_free_mb=10**9) as site, site.signed_in() as browser:
        assert FULL in (await browser.get("/")).text
        assert FULL in (await browser.get("/status", headers={"HX-Request": "true"})).text
