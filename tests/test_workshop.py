"""The commands of the README, the lock files, and the script that CI runs."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
TOOLS = (
    "bash",
    "cat",
    "cksum",
    "dirname",
    "env",
    "grep",
    "id",
    "ls",
    "make",
    "mktemp",
    "python3",
    "rm",
    "sh",
    "tee",
)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_file_names_no_host_and_no_place(lock: Path) -> None:
    assert not re.search(r"https?:|index-url|find-links|file:|(^|\s)/", lock.read_text(), re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_everything_locked_has_a_hash(lock: Path) -> None:
    entries = re.split(r"\n(?=\S)", lock.read_text().strip())
    assert all("--hash=sha256:" in entry for entry in entries)


def test_what_runs_is_tested_in_the_same_versions() -> None:
    assert locked("run") < locked("dev")


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras, groups = project["project"]["optional-dependencies"], project["dependency-groups"]
    runs = project["project"]["dependencies"] + extras["demo"] + groups["build"]

    assert names(runs) <= {entry.partition("==")[0] for entry in locked("run")}
    assert names(extras["postgres"] + groups["dev"]) <= {entry.partition("==")[0] for entry in locked("dev")}


@pytest.mark.parametrize("script", [".ci/run", "requirements/install"])
def test_a_script_can_be_run(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)


def test_the_workflow_runs_what_ci_runs() -> None:
    assert "- run: .ci/run" in (ROOT / ".github/workflows/ci.yml").read_text()


def test_a_machine_without_a_new_enough_python_is_told_so(tmp_path: Path) -> None:
    said = install(tmp_path, python="exit 1")
    assert said.returncode == 1
    assert said.stderr.startswith("signal-server: Python 3.11 or newer is needed")


def test_a_machine_that_cannot_make_venvs_is_told_the_command(tmp_path: Path) -> None:
    cases = f'*ensurepip*) exit 1;; *sys.executable*) echo "$0";; *) exec {sys.executable} "$@";;'
    lame = f'case "$*" in {cases} esac'
    said = install(tmp_path, python=lame)
    assert said.returncode == 1
    assert re.search(r"apt-get install python3\.\d+-venv\n$", said.stderr)


@pytest.mark.parametrize(
    ("summary", "code"), [("12 passed in 3.1s", 0), ("11 passed, 1 skipped in 3.1s", 1), ("1 failed", 2)]
)
def test_ci_installs_what_is_missing_and_accepts_no_skipped_test(
    tmp_path: Path, summary: str, code: int
) -> None:
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    outcome = "false" if "failed" in summary else "true"
    (tmp_path / "Makefile").write_text(f"test:\n\t@echo '{summary}'; {outcome}\n")
    path = a_path(
        tmp_path, {"apt-get": f'echo "$@" >>{tmp_path / "asked"}', "sudo": 'exec "$@"', "dovecot": ""}
    )

    said = subprocess.run(
        [tmp_path / ".ci/run"], env={"PATH": path}, capture_output=True, text=True, check=False
    )

    assert said.returncode == code
    assert summary in said.stdout
    asked = (tmp_path / "asked").read_text()
    assert asked.startswith("update")
    assert "chromium" in asked
    assert "dovecot" not in asked


def locked(name: str) -> set[str]:
    return set(
        re.findall(r"^[\w.-]+==[^\s;]+", (ROOT / f"requirements/{name}.txt").read_text(), re.MULTILINE)
    )


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=;~! ]", one)[0].lower() for one in requirements}


def install(folder: Path, *, python: str) -> subprocess.CompletedProcess[str]:
    """Run the set-up in a copy, on a machine whose every Python is this script."""
    shutil.copytree(ROOT / "requirements", folder / "requirements")
    shutil.copy(ROOT / "pyproject.toml", folder)
    versions = ("python3", *(f"python3.{minor}" for minor in range(11, 15)))
    path = a_path(folder, dict.fromkeys(versions, python))
    script = folder / "requirements/install"
    return subprocess.run([script, "run"], env={"PATH": path}, capture_output=True, text=True, check=False)


def a_path(folder: Path, scripts: dict[str, str]) -> str:
    """Make a PATH of a few real tools and of these scripts."""
    (folder / "bin").mkdir()
    for tool in set(TOOLS) - set(scripts):
        (folder / "bin" / tool).symlink_to(shutil.which(tool) or tool)
    for name, text in scripts.items():
        (folder / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / "bin" / name).chmod(0o755)
    return str(folder / "bin")
