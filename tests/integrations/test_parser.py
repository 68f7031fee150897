"""The parser's process: it serves, it dies alone, and it is replaced."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from app.integrations.errors import Failure, IntegrationError
from app.integrations.parser import Parser
from tests.servers import eventually_async

MAIL = b"Subject: =?utf-8?Q?M=C3=A9dia?=\r\nFrom: ada@example.com\r\n\r\n\xc3\xa0 faire pour 14h30"


async def test_a_mail_comes_back_read(parser: Parser) -> None:
    mail = await parser.mail(MAIL)
    assert (mail.subject, mail.plain, mail.text) == ("Média", "à faire pour 14h30", "à faire pour 14h30")
    assert mail.headers == (("subject", "Média"), ("from", "ada@example.com"))
    assert mail.notes == ()


async def test_header_blocks_come_back_in_their_order(parser: Parser) -> None:
    blocks = [b"Subject: %d\r\n\r\n" % number for number in range(20)]
    assert [block.subject for block in await parser.headers(blocks)] == [str(number) for number in range(20)]


async def test_many_callers_get_each_their_own(parser: Parser) -> None:
    mails = await asyncio.gather(*(parser.mail(b"\r\n%d" % number) for number in range(50)))
    assert [mail.plain for mail in mails] == [str(number) for number in range(50)]


async def test_a_big_mail_passes_within_the_memory(parser: Parser) -> None:
    body = b"--b\r\nContent-Disposition: attachment\r\n\r\n" + b"QUJD" * 19 + b"\r\n" * 1
    raw = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + body + b"QUJDREVGR0g=\r\n" * 3_000_000
    assert (await parser.mail(raw)).attachments == 1


async def test_one_process_serves_many_mails(parser: Parser) -> None:
    await parser.mail(MAIL)
    child = child_of(parser)
    await parser.mail(MAIL)
    assert child_of(parser) == child


async def test_the_process_imports_the_parser_and_nothing_of_ours_besides() -> None:
    code = "import app.integrations.parser_process, sys; print(*sys.modules)"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    names, _ = await process.communicate()
    ours = {name for name in names.decode().split() if name.startswith("app.")}
    assert all(name.startswith("app.integrations") for name in ours)
    assert not {"imap_tools", "httpx2", "asyncio"} & set(names.decode().split())


async def test_a_mail_that_takes_too_long_is_given_up_and_the_next_one_read() -> None:
    async with Parser(time_limit=0.0001) as hurried:
        with pytest.raises(IntegrationError) as late:
            await hurried.mail(b"\r\n" + b"x" * 20_000_000)
    assert late.value.reason is Failure.PARSER_TOO_SLOW


async def test_a_killed_process_is_named_and_replaced(parser: Parser) -> None:
    await parser.mail(MAIL)
    child = child_of(parser)
    os.kill(child, signal.SIGSTOP)
    reading = asyncio.create_task(parser.mail(MAIL))
    await asyncio.sleep(0)
    os.kill(child, signal.SIGKILL)
    with pytest.raises(IntegrationError) as failed:
        await reading
    assert failed.value.reason is Failure.PARSER_FAILED
    assert (await parser.mail(MAIL)).subject == "Média"


async def test_headers_do_not_wait_behind_a_mail(parser: Parser) -> None:
    await parser.mail(MAIL)
    child = child_of(parser)
    os.kill(child, signal.SIGSTOP)
    reading = asyncio.create_task(parser.mail(MAIL))
    assert [block.subject for block in await parser.headers([MAIL])] == ["Média"]
    assert not reading.done()
    os.kill(child, signal.SIGCONT)
    assert (await reading).subject == "Média"


async def test_a_mail_that_needs_too_much_memory_is_named_and_the_next_one_read() -> None:
    async with Parser(memory_limit=64 * 1024 * 1024) as small:
        with pytest.raises(IntegrationError) as failed:
            await small.mail(b"Subject: x\r\n\r\n" + b"x" * 70_000_000)
        assert failed.value.reason is Failure.PARSER_TOO_BIG
        assert (await small.mail(MAIL)).subject == "Média"


async def test_a_caller_who_gives_up_does_not_get_the_next_one_a_wrong_answer(parser: Parser) -> None:
    reading = asyncio.create_task(parser.mail(b"Subject: first\r\n\r\n" + b"x" * 1_000_000))
    await eventually_async(lambda: parser._mails.child)  # noqa: SLF001
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert (await parser.mail(MAIL)).subject == "Média"


async def test_the_process_does_not_hear_ctrl_c(parser: Parser) -> None:
    await parser.mail(MAIL)
    child = child_of(parser)
    os.kill(child, signal.SIGINT)
    await parser.mail(MAIL)
    assert child_of(parser) == child


async def test_closing_ends_the_process(parser: Parser) -> None:
    await parser.mail(MAIL)
    child = child_of(parser)
    await parser.aclose()
    assert not alive(child)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
async def test_the_process_dies_with_its_worker() -> None:
    code = (
        "import asyncio; from app.integrations.parser import Parser\n"
        "async def main():\n"
        "    parser = Parser(); await parser.mail(b'x'); print(parser._mails.child.pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())"
    )
    worker = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    assert worker.stdout is not None
    child = int(await worker.stdout.readline())
    worker.kill()
    await worker.communicate()
    await eventually_async(lambda: not alive(child))


def child_of(parser: Parser) -> int:
    child = parser._mails.child  # noqa: SLF001 - nobody else needs to know it
    assert child is not None
    return child.pid


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
