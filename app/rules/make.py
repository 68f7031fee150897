"""Addresses of Make.com's webhooks, in the short forms that its own pages show."""

import re

_ALIAS = re.compile(r"([^\s/@]+)@(hook\.[a-z0-9-]+\.make\.com)", re.IGNORECASE)
_WORD = re.compile(r"[^\s/@]+")
_USUAL = "hook.eu2.make.com"


def normalised(text: str | None) -> str | None:
    """The whole address for `token@hook.<zone>.make.com` or a token alone; None for what is neither."""
    typed = (text or "").strip()
    if typed.startswith(("http://", "https://")):
        return typed
    if alias := _ALIAS.match(typed):
        return f"https://{alias[2].lower()}/{alias[1]}"
    return f"https://{_USUAL}/{typed}" if _WORD.fullmatch(typed) else None
