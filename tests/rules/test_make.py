"""Addresses of Make.com in their short forms."""

import pytest

from app.rules.make import normalised


@pytest.mark.parametrize("zone", ["eu1", "eu2", "us1", "us2", "celonis"])
def test_every_zone_is_understood(zone: str) -> None:
    assert normalised(f" tok123@hook.{zone}.make.com") == f"https://hook.{zone}.make.com/tok123"


@pytest.mark.parametrize("typed", ["two words", "a@b", "hook.eu2.make.com/abc", "ftp://x", "", None])
def test_what_is_neither_is_none(typed: str | None) -> None:
    assert normalised(typed) is None
