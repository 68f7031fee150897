"""Real mails that others test with: Python's own, and those in the sources of two libraries."""

import hashlib
import re
import subprocess
import sys
import sysconfig
import tarfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

LIBRARIES = ("django-mailbox", "mail-parser")
SOURCES = ("python", *LIBRARIES)

_LOCK = Path(__file__).parents[1] / "requirements/corpus.txt"
_PIP = (
    (sys.executable, "-m", "pip") if find_spec("pip") else ("uv", "tool", "run", "pip")
)  # uv's venvs lack it
FEWEST = 20
_MAIL = re.compile(r"/tests/(?:mails|messages)/([^/]+)\Z")


def mails(source: str, config: pytest.Config) -> dict[str, bytes]:
    """The mails of one of the SOURCES by their names; the test is skipped where they are not to be had."""
    found = _of_python() if source == "python" else _of_library(source, config)
    assert len(found) > FEWEST, source  # so that no test of them passes on nothing
    return found


def _of_python() -> dict[str, bytes]:
    """Look beside the library of this Python, and where Debian has its own."""
    for folder in (Path(sysconfig.get_path("stdlib")), *sorted(Path("/usr/lib").glob("python3.*"))):
        found = sorted((folder / "test/test_email/data").glob("msg_*.txt"))
        if found:
            return {path.name: path.read_bytes() for path in found}
    pytest.skip("Python's own tests are missing: apt-get install '^libpython3\\.[0-9]+-testsuite$'")


def _of_library(name: str, config: pytest.Config) -> dict[str, bytes]:
    assert config.cache is not None
    folder = _downloaded(config.cache.mkdir("corpus"))
    if isinstance(folder, str):
        pytest.skip(f"the sources of {name} could not be downloaded: {folder}")
    path = next(folder.glob(f"{name.replace('-', '?')}-*.tar.gz"))
    with tarfile.open(path) as archive:
        found = [(match[1], member) for member in archive if (match := _MAIL.search(member.name))]
        files = [(mail, archive.extractfile(member)) for mail, member in found]
        return {mail: file.read() for mail, file in files if file is not None}


@cache
def _downloaded(home: Path) -> Path | str:
    """The folder of the sources, filled the first time; what pip said when that failed."""
    folder = home / hashlib.sha256(_LOCK.read_bytes()).hexdigest()
    if folder.is_dir():
        return folder
    with TemporaryDirectory(dir=home) as fresh:
        command = (*_PIP, "download", "--quiet", "--no-input", "--retries=1", "--timeout=20", "--no-deps")
        what = (f"--no-binary={','.join(LIBRARIES)}", "--require-hashes", f"--requirement={_LOCK}")
        done = subprocess.run(
            [*command, *what, f"--dest={fresh}"], capture_output=True, text=True, check=False
        )
        if done.returncode:
            return (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        Path(fresh).rename(folder)
    return folder
