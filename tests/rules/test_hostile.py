"""Texts made to hold a process. Every pattern is linear, so these end; a quadratic one would not."""

import pytest

from app.rules import links, sender, window
from app.rules.decide import decide
from app.rules.outcome import Answer, treat
from app.rules.payload import encode
from app.rules.settings import Settings
from tests.rules.cast import ALL, MONDAY, a_mail

SIZE = 256 * 1024


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "a",
            " ",
            "\n",
            "\u00e9",
            "\u200b",
            "\u0315\u0300",
            "(",
            "((",
            ")",
            "<",
            "<a",
            ">",
            '"',
            '\\"',
            "'",
            "&",
            "&#",
            "@",
        ),
        *(
            "re:",
            "re ",
            "[a] ",
            "[a",
            "lot ",
            "9",
            "9h",
            "9:",
            "12: ",
            "24h/",
            "midi ",
            "le ",
            "le 3/9/",
            "3 septembre ",
        ),
        *(
            "à faire pour ",
            "a faire pour a ",
            "le 2025 \n",
            "le 2025 a ecrit",
            "de : \n",
            "> ",
            "moment",
            "urgence ",
        ),
        *(
            "http",
            "https://",
            "https://www.dropbox.com/",
            "https://www.dropbox.com/a)",
            "dropbox.com",
            "fromsmash.com/",
        ),
        *("https://www.dropbox.com/scl/fi/ms.", "a@", "a.", "=?", "[", "{", "\\", "\x00", "\ud800"),
    ],
)
def test_a_quarter_of_a_megabyte_of_the_same_is_read(piece: str) -> None:
    text = piece * (SIZE // len(piece))
    mail = a_mail(text, text)
    judgement = decide(
        mail=mail, rules=ALL, settings=Settings(exclude_keywords=("none",)), marks={}, now=MONDAY
    )
    answer = Answer(status=200, body=text, retry_after=text)
    assert judgement.verdict
    assert treat(answer, tries=0, refusals=0, now=MONDAY, random=0.5)
    assert len(sender.bare_address(text)) <= SIZE
    assert links.provider_of(text)
    assert window.parse_time(text) is None
    assert encode({"text": text})
