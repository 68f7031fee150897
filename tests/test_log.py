"""Lines that tell enough and give nobody away."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from app import log
from app.lines import Lines

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())["vectors"]
MASKS = [vector for vector in VECTORS if vector["group"] == "mask"]

Read = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Read]:
    """Send JSON lines into a pipe, whose reader this gives; logging is put back afterwards."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    root, level = logging.getLogger(), logging.getLogger().level
    handlers = root.handlers[:]
    log.configure("web", form="json", stream=Lines(writer))

    def read() -> list[dict[str, Any]]:
        return [json.loads(line) for line in os.read(reader, 1 << 20).splitlines()]

    yield read
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("vector", MASKS, ids=lambda vector: vector["id"])
def test_a_text_is_masked_as_the_predecessor_did(vector: dict[str, Any]) -> None:
    assert log.mask(vector["input"]["text"], vector["input"]["type"]) == vector["expected"]


def test_an_address_keeps_its_first_letter_and_its_domain() -> None:
    assert log.mask("jane.doe@example.org", "email") == "j***@example.org"
    assert log.mask("jane@", "email") == "***"
    assert log.mask("@example.org", "email") == "***"


def test_a_line_names_its_process_its_moment_and_its_facts(lines: Read) -> None:
    structlog.get_logger().info("delivery sent", delivery=42)

    [line] = lines()
    assert (line["event"], line["process"], line["level"], line["delivery"]) == (
        "delivery sent",
        "web",
        "info",
        42,
    )
    assert line["timestamp"].endswith("Z")


def test_people_and_secrets_are_masked_at_any_depth(lines: Read) -> None:
    facts = {"sender": ["jane@example.org"], "note": "from jane@example.org", "secret": "s3cret", "to": None}
    structlog.get_logger().info("mail read", username="jane", subject="Lot 7 est prêt", facts=facts, size=3)

    [line] = lines()
    assert line["username"] == "***"
    assert line["subject"].startswith("Lot 7 est... [")
    assert line["facts"] == {
        "sender": ["j***@example.org"],
        "note": "from j***@example.org",
        "secret": "[redacted]",
        "to": None,
    }
    assert line["size"] == 3


def test_secrets_that_others_mention_are_masked(lines: Read) -> None:
    logging.getLogger("uvicorn.error").warning("GET %s failed", "/login/magic/abc-DEF_123?x=1")
    logging.getLogger("redis").error("no route to redis://:hunter2@cache:6379/0")
    try:
        raise ValueError("no such person: jane@example.org")  # noqa: EM101, TRY003, TRY301 - what a library says
    except ValueError:
        structlog.get_logger().exception("unexpected")

    text = json.dumps(lines())
    assert "abc-DEF" not in text
    assert "hunter2" not in text
    assert "jane@" not in text
    assert "/login/magic/[redacted]" in text
    assert "ValueError: no such person: j***@example.org" in text


def test_other_libraries_lines_have_the_same_form(lines: Read) -> None:
    logging.getLogger("some.library").warning("said %s", "this")
    logging.getLogger("httpx").info("HTTP Request: POST ...")

    [line] = lines()
    assert (line["event"], line["process"], line["level"]) == ("said this", "web", "warning")


def test_a_value_without_json_form_is_written_as_text(lines: Read) -> None:
    structlog.get_logger().info("odd", path=Path("/x"), broken="\udc80", raw=b"\xff")

    [line] = lines()
    assert line["path"] == "/x"


@pytest.mark.parametrize("form", ["json", "console"])
def test_control_characters_cannot_forge_a_line(form: str) -> None:
    code = f"""
import structlog; from app import log
log.configure("web", form="{form}")
structlog.get_logger().info("mail read", name="x\\n2026 [error] forged \\x1b[2J \\u202e")
"""
    said = subprocess.check_output([sys.executable, "-c", code])
    assert said.count(b"\n") == 1
    assert b"\x1b" not in said
    assert "\u202e" not in said.decode()


@pytest.mark.parametrize("where", [">/dev/full", ">&-", "| true"])
def test_a_line_that_cannot_be_written_stops_nothing(tmp_path: Path, where: str) -> None:
    code = f"""
import logging, structlog, time; from pathlib import Path; from app import log
log.configure("web")
for _ in range(2000):
    structlog.get_logger().error("lost")
    logging.getLogger("some.library").error("lost too")
Path({str(tmp_path / "done")!r}).touch()
"""
    shell = ["/bin/sh", "-c", f'"$0" -c "$1" {where}', sys.executable, code]
    ended = subprocess.run(shell, capture_output=True, check=False)
    assert ended.returncode == 0
    assert ended.stderr == b""
    assert (tmp_path / "done").exists()


def test_a_closed_stdout_leaves_its_number_to_nobody(tmp_path: Path) -> None:
    code = f"""
import structlog; from app import log; from app.lines import hold_standard_streams
hold_standard_streams()
file = open({str(tmp_path / "precious")!r}, "w")
log.configure("web")
structlog.get_logger().error("lost")
"""
    subprocess.run(["/bin/sh", "-c", '"$0" -c "$1" >&-', sys.executable, code], check=True)
    assert (tmp_path / "precious").read_bytes() == b""


def test_less_important_lines_than_asked_for_are_left_out() -> None:
    code = """
import structlog; from app import log
log.configure("web", level="warning")
structlog.get_logger().info("shown not")
structlog.get_logger().warning("shown")
"""
    said = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert "[warning  ] shown" in said
    assert "shown not" not in said
