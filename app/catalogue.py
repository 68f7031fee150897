"""What we say in other languages: the compiled catalogues."""

from functools import cache
from gettext import NullTranslations, translation
from pathlib import Path

CATALOGUES = Path(__file__).resolve().parents[1] / "locale"


@cache
def catalogue(language: str) -> NullTranslations:
    """Give the catalogue of a language; what it does not have stays English."""
    return translation("messages", str(CATALOGUES), [language], fallback=True)
