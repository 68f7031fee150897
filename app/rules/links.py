"""Links to files: which providers are known, and how their addresses are found in a text."""

import re
from dataclasses import dataclass
from html import unescape
from html.entities import html5

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Link:
    """`raw_url` is the first spelling met; `key` is the same for every spelling of one link."""

    provider: str
    raw_url: str
    upload: bool
    key: str


@dataclass(frozen=True, slots=True)
class Provider:
    """Hosts are exact; `www.` before them is understood. `paths` says which addresses lead to files."""

    name: str
    hosts: tuple[str, ...]
    paths: re.Pattern[str]


_ANY_PATH = re.compile(r"/+[^/?#]")

PROVIDERS = (
    Provider("dropbox", ("dropbox.com", "dl.dropbox.com"), _ANY_PATH),
    Provider("fromsmash", ("fromsmash.com", "app.fromsmash.com"), _ANY_PATH),
    Provider("swisstransfer", ("swisstransfer.com",), _ANY_PATH),
    Provider("wetransfer", ("wetransfer.com", "we.tl"), _ANY_PATH),
    Provider(
        "google_drive",
        ("drive.google.com",),
        re.compile(r"/file/(?:u/[0-9]/)?d/[^/?#]|/(?:open|uc)\?(?:[^#]*&)?id=[^&#]"),
    ),
)

_BY_HOST = {host: provider for provider in PROVIDERS for host in provider.hosts}
_HOSTS = "|".join(re.escape(host) for host in sorted(_BY_HOST, key=len, reverse=True))
_AUTHORITY = rf"(?:www\.)?({_HOSTS})(?::(?:80|443))?"

# A second address glued to the first begins a link of its own.
_LINK = re.compile(rf"https?://{_AUTHORITY}/(?:(?!https?://)[^\s<>\"])*", re.IGNORECASE)
_OF_PROVIDER = re.compile(rf"[a-z][a-z0-9+.-]{{0,20}}://{_AUTHORITY}(?:[/?#]|\Z)", re.IGNORECASE)
_WITHOUT_SCHEME = re.compile(
    r"(?<![\w.@/-])(?:www\.)?(?:dropbox\.com/scl/fo|fromsmash\.com/|swisstransfer\.com/d/)", re.IGNORECASE
)
_ENTITY = re.compile(r"&(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_TRAILING = frozenset(".,;:!?'\"`*_|\\([{]}>\u2018\u2019\u201c\u201d\u00ab\u00bb\u2026")
_PICTURE = re.compile(r"(?:ms|logo|avatar|profile).*\.(?:png|jpe?g|webp|gif)", re.IGNORECASE | re.DOTALL)


def extract(text: str | None) -> tuple[Link, ...]:
    """Every link to files in `text`, in order, each once. HTML entities are decoded once."""
    decoded = _ENTITY.sub(_character, text or "")
    found: dict[str, Link] = {}
    for match in _LINK.finditer(decoded):
        quoted = decoded[match.start() - 1 : match.start()] == "'"
        link = _link(match[1], _trimmed(match[0], quoted=quoted))
        if link is not None:
            found.setdefault(link.key, link)
    return tuple(found.values())


def provider_of(url: str | None) -> str:
    match = _OF_PROVIDER.match(url or "")
    return _BY_HOST[match[1].lower()].name if match else UNKNOWN


def mentions_files(text: str) -> bool:
    """A file address written without its scheme: no link, but enough to recognise a mission."""
    return _WITHOUT_SCHEME.search(text) is not None


def _character(match: re.Match[str]) -> str:
    name = match[1]
    return unescape(match[0]) if name.startswith("#") else html5.get(f"{name};", match[0])


def _trimmed(url: str, *, quoted: bool) -> str:
    """Without the punctuation around it; a closing bracket goes when it was not opened inside."""
    if quoted:
        url = url.partition("'")[0]
    end = len(url)
    surplus = url.count(")") - url.count("(")
    while end and (url[end - 1] in _TRAILING or (url[end - 1] == ")" and surplus > 0)):
        surplus += {")": -1, "(": 1}.get(url[end - 1], 0)
        end -= 1
    return url[:end]


def _link(host: str, url: str) -> Link | None:
    provider = _BY_HOST[host.lower()]
    address = "/" + url.partition("://")[2].partition("/")[2]
    if not provider.paths.match(address) or _is_signature_picture(provider, address):
        return None
    upload = address.lower().startswith("/request/")
    return Link(provider.name, url, upload, _key(provider, host.lower(), address))


def _is_signature_picture(provider: Provider, address: str) -> bool:
    """The logo or portrait under a mail's signature, kept on Dropbox and shown in place."""
    path, _, query = address.partition("?")
    if provider.name != "dropbox" or not path.lower().startswith("/scl/fi/"):
        return False
    return "raw=1" in query.lower().split("&") and _PICTURE.fullmatch(path.rpartition("/")[2]) is not None


def _key(provider: Provider, host: str, address: str) -> str:
    path, _, query = address.partition("?")
    if provider.name == "dropbox":
        query = "&".join(part for part in query.split("&") if part.partition("=")[0].lower() != "dl")
    return f"{provider.name}:{host}{path.rstrip('/')}?{query}"
