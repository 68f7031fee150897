"""French for a browser that asks for it; English for every other."""

import pytest

from app.catalogue import CATALOGUES
from app.web.i18n import choose, missing
from tests.web.client import Site


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("fr", "fr"),
        ("fr-FR,fr;q=0.9,en;q=0.8", "fr"),
        ("FR-ca", "fr"),
        ("en-GB,en;q=0.9,fr;q=0.8", "en"),
        ("de-DE,de;q=0.9,fr;q=0.5,en;q=0.3", "fr"),
        ("fr;q=0.1,en;q=0.2", "en"),
        ("fr;q=0,de", "en"),
        ("*", "en"),
        ("de", "en"),
        (";;;,=,q=fr;q=nan,fr;q=x", "en"),
        ("x" * 100_000, "en"),
    ],
)
def test_the_browser_is_obeyed(header: str, language: str) -> None:
    assert choose("", "", header) == language


@pytest.mark.parametrize(
    ("asked", "kept", "language"),
    [("en", "fr", "en"), ("", "en", "en"), ("de", "en", "en"), ("../fr", "", "fr"), ("", "<script>", "fr")],
)
def test_a_choice_wins_over_the_browser_when_it_is_one(asked: str, kept: str, language: str) -> None:
    assert choose(asked, kept, "fr") == language


def test_every_catalogue_was_compiled() -> None:
    assert CATALOGUES.is_dir()
    assert missing() == []


async def test_a_choice_is_kept(site: Site) -> None:
    async with site.browser(**{"Accept-Language": "fr"}) as browser:
        assert '<html lang="fr"' in (await browser.get("/login")).text
        assert '<html lang="en"' in (await browser.get("/login?lang=en")).text
        assert '<html lang="en"' in (await browser.get("/login")).text
        assert '<html lang="en"' in (await browser.get("/login?lang=xx")).text


async def test_a_refusal_speaks_the_readers_language_and_an_api_english(site: Site) -> None:
    async with site.signed_in(**{"Accept-Language": "fr"}) as browser:
        page, program = await browser.get("/nowhere"), await browser.get("/api/nowhere")
    assert '<html lang="fr"' in page.text
    assert "There is nothing here" not in page.text
    assert "There is nothing here" in program.json()["message"]
