"""What an address says of where it leads, as far as it can be read."""

from urllib.parse import urlsplit

PORTS = {"http": 80, "https": 443}


def host_of(url: str) -> str:
    """Name where an address leads, without what may be secret in it; "" when it cannot be read."""
    return "" if _place(url) is None else urlsplit(url).netloc.rpartition("@")[2]


def same_place(one: str, other: str) -> bool:
    """Say whether two addresses lead to the same service: what is told to one, the other learns too."""
    place = _place(one)
    return place is not None and place == _place(other)


def _place(url: str) -> tuple[str, str, int | None] | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if not parts.hostname:
        return None
    return parts.scheme, parts.hostname, PORTS.get(parts.scheme) if port is None else port
