"""The demo's ports, and what they open."""

import socket
from pathlib import Path

import pytest

from app.demo_ports import HOST, ports
from app.supervisor.run import Plan, stages, with_demo


def test_the_ports_are_kept(tmp_path: Path) -> None:
    found = ports(tmp_path / "new")
    assert found.imap != found.receiver
    assert ports(tmp_path / "new") == found
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["demo.json"]


def test_a_port_that_somebody_took_is_picked_anew(tmp_path: Path) -> None:
    found = ports(tmp_path)
    with socket.create_server((HOST, found.receiver)):
        moved = ports(tmp_path)
    assert moved.imap == found.imap
    assert moved.receiver != found.receiver
    assert ports(tmp_path) == moved


@pytest.mark.parametrize(
    "text", ["", "[]", '{"imap": 22, "receiver": "x"}', '{"imap": 40001, "receiver": 99999}']
)
def test_ports_that_make_no_sense_are_picked_anew(tmp_path: Path, text: str) -> None:
    (tmp_path / "demo.json").write_text(text)
    assert ports(tmp_path) == ports(tmp_path)


def test_exactly_the_demos_receiver_is_allowed(tmp_path: Path) -> None:
    quiet = Plan(host=HOST, port=1, data_dir=tmp_path, database_url="", redis_url="redis://x", demo=False)
    plan = Plan(host=HOST, port=1, data_dir=tmp_path, database_url="", redis_url="redis://x", demo=True)
    children = stages(plan, None)[-1]
    receiver = f"127.0.0.1/32:{ports(tmp_path).receiver}"

    assert all(child.env["ALLOW_PRIVATE_TARGETS"].split(",")[-1] == receiver for child in children)
    assert with_demo("10.0.0.0/8:443", plan) == f"10.0.0.0/8:443,{receiver}"
    assert with_demo("", plan) == receiver
    assert not any("ALLOW_PRIVATE_TARGETS" in child.env for child in stages(quiet, None)[-1])
