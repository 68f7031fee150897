"""The mail parser at arm's length: child processes that may be killed by what they read, and are replaced."""

import asyncio
import contextlib
import json
import os
import sys
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self, cast

from app.integrations.errors import Failure, IntegrationError
from app.integrations.parsed import HEADERS, LENGTH, MAIL, TOO_BIG_EXIT, ParsedHeaders, ParsedMail

TIME_LIMIT = 10.0
MEMORY_LIMIT = 256 * 1024 * 1024  # address space: a mail of 100 MB takes 210 MB, one of 25 MB takes 75
_PROGRAM = "app.integrations.parser_process"
_ROOT = Path(__file__).parents[2]  # where `app` is found
_LAST_WORDS = 300


class Parser:
    """`await parser.mail(raw)`: a ParsedMail, or an IntegrationError for what this mail did to the parser."""

    def __init__(self, *, time_limit: float = TIME_LIMIT, memory_limit: int = MEMORY_LIMIT) -> None:
        self._mails = _Lane(time_limit, memory_limit)
        self._headers = _Lane(time_limit, memory_limit)  # so that mail comes in while a slow one is read

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def mail(self, raw: bytes) -> ParsedMail:
        return ParsedMail(**_frozen(await self._mails.ask(MAIL, raw)))

    async def headers(self, blocks: Sequence[bytes]) -> list[ParsedHeaders]:
        return [ParsedHeaders(**_frozen(await self._headers.ask(HEADERS, block))) for block in blocks]

    async def aclose(self) -> None:
        """End the children; the next mail starts another."""
        await asyncio.gather(self._mails.aclose(), self._headers.aclose())


class _Lane:
    """One child, started when it is first asked, that answers one question at a time."""

    def __init__(self, time_limit: float, memory_limit: int) -> None:
        self._memory_limit = memory_limit
        self._time_limit = time_limit
        self._turn = asyncio.Lock()
        self.child: Process | None = None

    async def aclose(self) -> None:
        async with self._turn:
            await self._end()

    async def ask(self, kind: bytes, content: bytes) -> dict[str, Any]:
        async with self._turn:
            child = await self._living()
            answer = None
            try:
                async with asyncio.timeout(self._time_limit):
                    answer = await _exchange(child, kind, content)
            except TimeoutError as error:
                raise IntegrationError(
                    Failure.PARSER_TOO_SLOW, f"more than {self._time_limit:g} s"
                ) from error
            except (asyncio.IncompleteReadError, ConnectionError) as error:
                raise await _verdict(child) from error
            finally:
                if answer is None:  # cancelled, too: the rest of this answer would be taken for the next one
                    await self._end()
            return answer

    async def _living(self) -> Process:
        if self.child is None or self.child.returncode is not None:
            self.child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-W", "ignore", "-m", _PROGRAM, str(os.getpid()), str(self._memory_limit)),
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                cwd=_ROOT,
                env={"PYTHONUTF8": "1"},
            )
        return self.child

    async def _end(self) -> None:
        child, self.child = self.child, None
        if child is None:
            return
        with contextlib.suppress(ProcessLookupError):  # it went by itself
            child.kill()
        await child.communicate()
        if child.stdin is not None:  # early Pythons 3.11 complain where nobody asks how that ended
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(1):
                    await child.stdin.wait_closed()


async def _exchange(child: Process, kind: bytes, content: bytes) -> dict[str, Any]:
    asking, answering = cast("StreamWriter", child.stdin), cast("StreamReader", child.stdout)
    asking.write(kind + LENGTH.pack(len(content)))
    asking.write(content)
    await asking.drain()
    length = LENGTH.unpack(await answering.readexactly(LENGTH.size))[0]
    answer: dict[str, Any] = json.loads(await answering.readexactly(length))
    return answer


async def _verdict(child: Process) -> IntegrationError:
    """Why the child died, by its exit status and its last words."""
    said = (await cast("StreamReader", child.stderr).read()).decode("utf-8", "replace").strip()
    status = await child.wait()
    if status == TOO_BIG_EXIT:
        return IntegrationError(Failure.PARSER_TOO_BIG, "the mail needs more memory than the parser may have")
    last = said.splitlines()[-1] if said else f"ended with {status}"
    return IntegrationError(Failure.PARSER_FAILED, last[:_LAST_WORDS])


def _frozen(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: _tuples(value) for key, value in answer.items()}


def _tuples(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
