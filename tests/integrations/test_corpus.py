"""Real mails, well and badly made."""

from email import message_from_bytes

import pytest

from app.integrations.parser import Parser
from tests.corpus import SOURCES, mails


@pytest.mark.parametrize("source", SOURCES)
async def test_every_real_mail_is_read_with_all_its_headers(
    source: str, parser: Parser, pytestconfig: pytest.Config
) -> None:
    corpus = mails(source, pytestconfig)
    for name, raw in corpus.items():
        mail = await parser.mail(raw)
        expected = [header.lower() for header in message_from_bytes(raw).keys()]  # noqa: SIM118 - not a dict
        assert [header for header, _ in mail.headers] == expected, name
