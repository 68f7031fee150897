"""Which addresses in a mail lead to files."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.rules.links import Link, extract, mentions_files, provider_of

FOLDER = "https://www.dropbox.com/scl/fo/abc"


def urls(text: str) -> list[str]:
    return [link.raw_url for link in extract(text)]


@pytest.mark.parametrize(
    ("url", "provider"),
    [
        (FOLDER, "dropbox"),
        ("https://dropbox.com/s/abc/file.mp4", "dropbox"),
        ("https://dl.dropbox.com/s/abc", "dropbox"),
        ("HTTPS://WWW.DROPBOX.COM/scl/fo/ABC", "dropbox"),
        ("https://www.dropbox.com:443/scl/fo/abc", "dropbox"),
        ("http://fromsmash.com/abc", "fromsmash"),
        ("https://app.fromsmash.com/abc", "fromsmash"),
        ("https://www.swisstransfer.com/d/abc", "swisstransfer"),
        ("https://wetransfer.com/downloads/abc/def", "wetransfer"),
        ("https://we.tl/t-abc", "wetransfer"),
        ("https://drive.google.com/file/d/abc/view?usp=sharing", "google_drive"),
        ("https://drive.google.com/open?id=abc", "google_drive"),
        ("https://drive.google.com/uc?export=download&id=abc", "google_drive"),
    ],
)
def test_every_provider_is_known(url: str, provider: str) -> None:
    (link,) = extract(f"Voici : {url} merci")
    assert (link.provider, link.raw_url, link.upload) == (provider, url, False)
    assert provider_of(url) == provider


@pytest.mark.parametrize(
    "text",
    [
        *("https://www.dropbox.com.evil.example/scl/fo/abc", "https://fromsmash.community/abc"),
        *(
            "https://evil-dropbox.com/scl/fo/abc",
            "https://x.dropbox.com/scl/fo/abc",
            "https://dropbox.com@evil.example/a",
        ),
        *(
            "https://user@dropbox.com/a",
            "https://dropbox.com:8443/a",
            "https://dl.dropboxusercontent.com/s/abc",
        ),
        *(
            "https://www.dropbox.com",
            "https://www.dropbox.com/",
            "https://www.dropbox.com//",
            "https://we.tl/?a=b",
        ),
        *("www.dropbox.com/scl/fo/abc", "ftp://fromsmash.com/a", "https://team.wetransfer.com/downloads/a"),
        *(
            "https://drive.google.com/file/xyz",
            "https://drive.google.com/drive/folders/abc",
            "https://docs.google.com/d/a",
        ),
        "https://www.dropbox.com/scl/fi/x/MS.png?rlkey=foo&raw=1",
        "https://www.dropbox.com/scl/fi/x/Avatar_12.webp?rlkey=1&raw=1",
    ],
)
def test_nothing_else_is_a_delivery(text: str) -> None:
    assert extract(text) == ()


@pytest.mark.parametrize(
    "around",
    [
        *(
            "{}.",
            "{},",
            "({})",
            "« {} »",
            '"{}"',
            "'{}'",
            "<{}>",
            "&lt;{}&gt;",
            "&quot;{}&quot;",
            "{}!?…",
            "**{}**",
        ),
        *(
            "[ici]({})",
            "<a href='{}'>x</a>",
            '<a href="{}">x</a>',
            "<a href='{}'/>",
            "{}&nbsp;merci",
            "“{}”",
            "{}</p>",
        ),
        "https://track.example/?u={}",
    ],
)
def test_what_stands_around_a_link_is_not_part_of_it(around: str) -> None:
    assert urls(around.format(FOLDER)) == [FOLDER]


def test_brackets_that_belong_to_a_name_stay() -> None:
    assert urls(f"{FOLDER}/film_(1)") == [f"{FOLDER}/film_(1)"]
    assert urls(f"(voir {FOLDER}/film_(1))") == [f"{FOLDER}/film_(1)"]


def test_entities_are_decoded_once() -> None:
    assert urls(f"{FOLDER}?a=1&amp;b=2") == [f"{FOLDER}?a=1&b=2"]
    assert urls(f"{FOLDER}?a=1&amp;amp;b=2") == [f"{FOLDER}?a=1&amp;b=2"]
    assert urls(f"{FOLDER}?a=1&copy=2") == [f"{FOLDER}?a=1&copy=2"]
    assert urls("https:&#x2F;&#47;www.dropbox.com/scl/fo/abc") == [FOLDER]


@pytest.mark.parametrize(
    "again",
    [
        *(FOLDER, f"{FOLDER}?dl=0", f"{FOLDER}?dl=1", f"{FOLDER}/", "https://WWW.dropbox.com/scl/fo/abc"),
        *("http://www.dropbox.com/scl/fo/abc", "https://dropbox.com/scl/fo/abc", f"{FOLDER}?dl=0&amp;dl=1"),
    ],
)
def test_the_spellings_of_one_link_are_one_link_and_the_first_stays(again: str) -> None:
    assert urls(f"{FOLDER} {again}") == [FOLDER]


def test_different_links_stay_different() -> None:
    text = f"{FOLDER} {FOLDER}?rlkey=1 {FOLDER}D https://fromsmash.com/a?dl=0 https://fromsmash.com/a?dl=1"
    assert len(extract(text)) == 5


def test_links_glued_together_are_two() -> None:
    assert urls(f"{FOLDER},https://fromsmash.com/a") == [FOLDER, "https://fromsmash.com/a"]


def test_an_upload_request_is_told_apart() -> None:
    (link,) = extract("https://www.dropbox.com/request/AbC?x=1")
    assert link == Link("dropbox", "https://www.dropbox.com/request/AbC?x=1", upload=True, key=link.key)


@pytest.mark.parametrize(
    "url", ["", None, "https://evil.example/?r=fromsmash.com", "dropbox.com", "://dropbox.com/"]
)
def test_an_unknown_address_has_no_provider(url: str | None) -> None:
    assert provider_of(url) == "unknown"


def test_an_address_without_scheme_is_a_mention_on_the_exact_host() -> None:
    assert mentions_files("voir dropbox.com/scl/fo/abc")
    assert mentions_files("WWW.SWISSTRANSFER.COM/D/abc")
    assert not mentions_files("voir evil-dropbox.com/scl/fo/abc")
    assert not mentions_files("https://dropbox.com.evil.example/scl/fo")


_HEADS = st.sampled_from(
    ["https://www.dropbox.com/", "http://we.tl/", "https://drive.google.com/file/d/", FOLDER, "x"]
)
_TAILS = st.text("abc/?&=dl01'()[].,!#%~ <>\"\n\u00e9\u00a0", max_size=20)


@settings(deadline=None)
@given(st.lists(st.builds(str.__add__, _HEADS, _TAILS), max_size=5).map(" ".join))
def test_reading_the_links_found_finds_them_again(text: str) -> None:
    found = extract(text)
    assert extract("\n".join(link.raw_url for link in found)) == found
