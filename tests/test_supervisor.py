"""Children that die are started again; nothing outlives the supervisor."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from app.ready import PIPE, READY
from app.supervisor.child import Child, Keeper
from app.supervisor.pulse import Pulse
from tests.stand_ins import PATIENCE, gone, started

SCENARIO = "tests.stand_ins"
BEATING = """import asyncio; from app.ready import beat
async def work():
    beating = asyncio.create_task(beat(0.01))
    await asyncio.sleep(0.2)
    print("worked on")
    beating.cancel()
asyncio.run(work())
"""


async def test_the_next_stage_starts_when_the_one_before_is_ready() -> None:
    async with started(SCENARIO, "three") as running:
        await running.until("child ready", child="third")
        await running.until("child ready", child="second")

    said = [(line["event"], line.get("child")) for line in running.lines]
    assert said[:2] == [("began", "first"), ("child ready", "first")]


@pytest.mark.parametrize("name", ["first", "second", "third"])
async def test_a_child_killed_after_it_was_ready_is_started_again(name: str) -> None:
    async with started(SCENARIO, "three") as running:
        before = await running.until("child ready", child=name)
        for other in ("first", "second", "third"):
            await running.until("child ready", child=other)

        os.kill(before["pid"], signal.SIGKILL)
        death = await running.until("child died", child=name)
        again = await running.until("child ready", times=2, child=name)
        told = await running.until("began", times=2, child=name)

    assert death["exit"] == "SIGKILL"
    assert death["restart_in"] <= 1
    assert again["pid"] != before["pid"]
    assert (told["restarts"], told["last_exit"]) == ("1", "SIGKILL")
    assert running.events.count("child died") == 1


async def test_a_child_that_never_was_ready_is_started_again_after_growing_pauses() -> None:
    async with started(SCENARIO, "broken") as running:
        await running.until("child died", times=2)

    deaths = [line for line in running.lines if line["event"] == "child died"]
    assert [(death["exit"], death["restart_in"]) for death in deaths[:2]] == [
        ("exit 3", 1.0),
        ("exit 3", 2.0),
    ]


@pytest.mark.parametrize(("scenario", "end"), [("holding", "exit 3"), ("absent", "exit 127")])
async def test_an_odd_death_is_one_like_any_other(scenario: str, end: str) -> None:
    async with started(SCENARIO, scenario) as running:
        death = await running.until("child died")
        assert running.process.returncode is None

    assert (death["exit"], death["restart_in"]) == (end, 1.0)


def test_pauses_grow_to_a_minute_and_begin_anew_after_a_quiet_one() -> None:
    keeper = Keeper(Child(name="worker", argv=()))

    assert [keeper.pause(0.1) for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert keeper.pause(61) == 1

    keeper.ready.set()
    assert [keeper.pause(0.25), keeper.pause(5)] == [0.75, 0]


def test_one_that_was_killed_while_it_started_waits_for_seconds_only() -> None:
    keeper = Keeper(Child(name="worker", argv=()))

    assert [keeper.pause(0.1, killed=True) for _ in range(5)] == [1, 2, 4, 4, 4]
    assert keeper.pause(0.1) == 32


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_all_in_the_reverse_order(number: signal.Signals) -> None:
    async with started(SCENARIO, "three") as running:
        children = [
            (await running.until("child ready", child=name))["pid"] for name in ("first", "second", "third")
        ]

        running.process.send_signal(number)
        code = await running.ended()

    assert code == 0
    await gone(*children)
    assert f"PROCESS: {number.name} received" in running.events
    assert [line["child"] for line in running.lines if line["event"] == "ended"] == [
        "third",
        "second",
        "first",
    ]
    assert running.events[-1] == "stopped"


async def test_a_child_that_does_not_stop_is_killed() -> None:
    async with started(SCENARIO, "stubborn") as running:
        child = (await running.until("child ready"))["pid"]
        running.process.terminate()
        code = await running.ended()

    assert code == 0
    await gone(child)


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGUSR1], ids=["stopped", "caught in its loop"])
async def test_a_child_that_falls_silent_is_killed_and_started_again(number: signal.Signals) -> None:
    async with started(SCENARIO, "beating") as running:
        mute = (await running.until("child ready", child="mute"))["pid"]
        before = await running.until("child ready", child="beating")

        os.kill(before["pid"], number)
        silent = await running.until("child silent")
        death = await running.until("child died")
        again = await running.until("child ready", times=2, child="beating")
        os.kill(mute, 0)  # of which nobody expects a beat

    assert (silent["child"], silent["pid"]) == ("beating", before["pid"])
    assert silent["seconds"] >= 1.5
    assert (death["child"], death["exit"]) == ("beating", "SIGKILL")
    assert again["pid"] != before["pid"]
    assert "mute" not in {line["child"] for line in running.lines if line["event"] == "child died"}


async def test_time_in_which_the_supervisor_was_stopped_itself_is_no_silence() -> None:
    pulse = Pulse()
    pipe, childs_end = os.pipe()
    listening = asyncio.create_task(pulse.listen(pipe))
    os.write(childs_end, f"{READY}\n".encode())
    waiting = asyncio.create_task(pulse.silence(0.4))
    await pulse.ready.wait()
    await asyncio.sleep(0)

    subprocess.run(["sleep", "1"], check=True)  # noqa: ASYNC221 - the loop is to stand still
    seconds = await waiting

    assert 0.4 <= seconds <= 0.5
    os.close(childs_end)
    assert await listening == ""


@pytest.mark.parametrize("end", ["full", "closed"])
async def test_a_child_lives_on_when_nobody_hears_its_beat(end: str) -> None:
    pipe, childs_end = os.pipe()
    if end == "full":
        os.set_blocking(childs_end, False)
        with suppress(BlockingIOError):
            while os.write(childs_end, bytes(4096)):
                pass
        os.set_blocking(childs_end, True)
    else:
        os.close(pipe)
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", BEATING),
        env={**os.environ, PIPE: str(childs_end)},  # noqa: TID251 - a child's
        pass_fds=(childs_end,),
        stdout=asyncio.subprocess.PIPE,
    )
    os.close(childs_end)
    said, _ = await asyncio.wait_for(child.communicate(), PATIENCE)
    assert (said, child.returncode) == (b"worked on\n", 0)
    if end == "full":
        os.close(pipe)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
async def test_the_children_of_a_killed_supervisor_die_with_it() -> None:
    async with started(SCENARIO, "three") as running:
        children = [
            (await running.until("child ready", child=name))["pid"] for name in ("first", "second", "third")
        ]
        running.process.kill()
        await gone(*children)


async def test_what_a_dead_child_had_started_is_ended_too() -> None:
    async with started(SCENARIO, "parent") as running:
        grandchild = (await running.until("grandchild"))["pid"]
        child = (await running.until("child ready"))["pid"]
        os.kill(child, signal.SIGKILL)
        await gone(grandchild)
        await running.until("child ready", times=2)


async def test_a_child_that_refuses_stops_the_start_with_its_reason() -> None:
    async with started(SCENARIO, "refusing") as running:
        code = await running.ended()

    assert code == 1
    assert running.errors == "refused: IMAP_PORT: must be a number\n"
    assert "child died" not in running.events


async def test_a_step_done_once_must_end_well_before_the_next_stage() -> None:
    async with started(SCENARIO, "once") as running:
        await running.until("child ready", child="second")

    async with started(SCENARIO, "failing") as running:
        assert await running.ended() == 1
    assert running.events == ["stopped"]


def test_the_supervisor_imports_nothing_heavy() -> None:
    heavy = (
        "sqlmodel",
        "sqlalchemy",
        "starlette",
        "arq",
        "redis",
        "valkey",
        "imap_tools",
        "pydantic",
        "structlog",
        "alembic",
    )
    code = (
        f"import sys, app.cli, app.supervisor.run; print(*[name for name in {heavy} if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == ""
