"""The documents name all there is, and nothing that is not."""

import re
from pathlib import Path

import pytest
from pydantic import AliasChoices
from starlette.routing import BaseRoute, Mount, Route

from app import __version__, crash, ready
from app.cli import ROLES, main
from app.config import Config, Environment, FirstRun
from app.models import Setting
from app.routes import PUBLIC, ROUTES
from app.rules import payload, template

ROOT = Path(__file__).parents[1]
RECORDS = sorted((ROOT / "docs/decisions").glob("*.md"))
LIVING = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]  # kept true
COMMANDS = {"run", *ROLES}
ONE_PAGE = 600  # words
PAGES = {"README.md": 1, "CONTRIBUTING.md": 2, "docs/architecture.md": 4, "docs/operations.md": 3}
OUR_FOLDERS = "alembic|app|docs|locale|requirements|static|templates|tests|cloudflare-worker"
MACHINE_PATHS = r"(?<![\w.>/])/(home|mnt|opt|root|tmp|usr|work)\b"
HOSTS = {"127.0.0.1", "imap.example.org", "keepachangelog.com", "receiver.example.org", "signal.example.org"}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


every_document = pytest.mark.parametrize("document", [*LIVING, ROOT / "CHANGELOG.md", *RECORDS], ids=name)
every_living_document = pytest.mark.parametrize("document", LIVING, ids=name)


def code(text: str) -> str:
    """What stands in a document as code: the blocks, and the spans, one a line."""
    blocks = re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return "\n".join([*blocks, *spans(text)])


def spans(text: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```\n.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def section(title: str) -> str:
    configuration = (ROOT / "docs/configuration.md").read_text()
    return configuration.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(title: str) -> dict[str, str]:
    """A table of the configuration: what each row is about, with the rest of it."""
    return dict(re.findall(r"^\| `([^`]+)` (.*)$", section(title), re.MULTILINE))


def variables(of: type[Environment]) -> dict[str, list[str]]:
    """The variables that a class reads, each with its other names."""
    read = {}
    for field, info in of.model_fields.items():
        alias = info.validation_alias
        first, *others = alias.choices if isinstance(alias, AliasChoices) else [field]
        read[str(first).upper()] = [str(other).upper() for other in others]
    return read


HOMES: dict[str, type[Environment]] = {"Environment": Config, "Read once into the database": FirstRun}
BETWEEN_OURSELVES = {one for one in variables(Config) if one.startswith("SIGNAL_")} | {ready.PIPE}


def every_variable() -> set[str]:
    named = [*variables(Config).items(), *variables(FirstRun).items()]
    return BETWEEN_OURSELVES | {one for first, others in named for one in (first, *others)}


@pytest.mark.parametrize("title", HOMES)
def test_every_variable_is_documented_with_its_other_names(title: str) -> None:
    documented, read = rows(title), variables(HOMES[title])
    assert set(documented) == set(read) - BETWEEN_OURSELVES
    assert not [
        other for first in documented for other in read[first] if f"`{other}`" not in documented[first]
    ]


@pytest.mark.parametrize("title", HOMES)
def test_a_documented_default_is_the_default(title: str) -> None:
    fields = {field.upper(): info.default for field, info in HOMES[title].model_fields.items()}
    told = {variable: row.split("|")[1].strip() for variable, row in rows(title).items()}
    assert not {one: told[one] for one in told if in_words(fields[one]) not in {"", told[one]}}


def in_words(default: object) -> str:
    if isinstance(default, bool):
        return "yes" if default else "no"
    return str(default) if isinstance(default, int | str) else ""


def test_what_the_supervisor_tells_its_children_is_documented() -> None:
    assert set(spans(section("Environment"))) >= BETWEEN_OURSELVES


def test_every_live_setting_is_documented() -> None:
    assert set(rows("Settings in the database")) == set(Setting.model_fields) - {"id"}


def test_every_name_that_a_template_may_use_is_documented() -> None:
    assert list(rows("Payload templates")) == [*template.NAMES, *payload.LINK]


def test_every_command_is_documented_with_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    documented = rows("Commands")
    assert set(documented) == {f"signal-server {command}" for command in COMMANDS}
    for_all = section("Commands").rpartition("All of them take")[2]
    for command in COMMANDS:
        said = documented[f"signal-server {command}"] + for_all
        assert not [option for option in options(command, capsys) if f"`{option}" not in said]


def options(command: str, capsys: pytest.CaptureFixture[str]) -> set[str]:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    return set(re.findall(r"--[a-z-]+", capsys.readouterr().out))


def test_every_route_is_documented_and_marked_when_it_answers_anybody() -> None:
    assert {(address, *row.split("|")[:2]) for address, row in rows("Addresses").items()} == {
        (f"{method(route)} {address(route)}", "● " if name_of(route) in PUBLIC else "", f" {name_of(route)} ")
        for route in ROUTES
    }


def method(route: BaseRoute) -> str:
    return "POST" if isinstance(route, Route) and "POST" in (route.methods or ()) else "GET"


def address(route: BaseRoute) -> str:
    assert isinstance(route, Route | Mount)
    return (
        f"{route.path.removesuffix('/{path:path}')}/…"
        if isinstance(route, Mount)
        else re.sub(r":\w+", "", route.path)
    )


def name_of(route: BaseRoute) -> str:
    return str(getattr(route, "name", ""))


def test_every_crash_point_says_what_a_death_there_costs() -> None:
    assert set(spans((ROOT / "docs/architecture.md").read_text())) >= set(crash.POINTS)


@every_living_document
def test_a_variable_that_is_named_exists(document: Path) -> None:
    named = set(re.findall(r"(?<![\w/])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?![\w/:])", document.read_text()))
    assert named <= every_variable()


@every_living_document
def test_a_command_that_is_named_exists(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command, rest in re.findall(r"\bsignal-server ([a-z-]+)([^\n]*)", code(document.read_text())):
        assert command in COMMANDS
        assert set(re.findall(r"--[a-z-]+", rest)) <= options(command, capsys)
    alone = {word for span in spans(document.read_text()) for word in re.findall(r"^--[a-z-]+", span)}
    assert alone <= {option for command in COMMANDS for option in options(command, capsys)}


@every_living_document
def test_a_make_target_that_is_named_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)", code(document.read_text()))) <= targets


@every_living_document
def test_an_address_that_is_named_leads_somewhere(document: Path) -> None:
    named = [
        one.partition("?")[0] for one in spans(document.read_text()) if re.match(r"((GET|POST) )?/", one)
    ]
    assert not [one for one in named if not leads_somewhere(*reversed(one.split(" ")))]


def leads_somewhere(path: str, wanted: str = "") -> bool:
    """Parameters may be named or filled in; what is left out (`…`) may be anything."""
    routes = [address(route) for route in ROUTES if wanted in {"", method(route)}]
    if path.endswith("…"):
        return any(route.startswith(path.removesuffix("…")) for route in routes)
    return any(re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(route)), path) for route in routes)


@every_living_document
def test_a_file_that_is_named_is_there(document: Path) -> None:
    text = document.read_text()
    named = re.findall(rf"(?<![\w./])(?:{OUR_FOLDERS})/[\w./<>*-]*", code(text))
    whole = [path for path in named if "NNNN" not in path]
    assert not [path for path in whole if not (ROOT / path.partition("<")[0].rpartition("/")[0]).is_dir()]
    assert not [path for path in whole if "<" not in path and not (ROOT / path).exists()]


@every_document
def test_a_link_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", document.read_text())
    assert not [link for link in links if "://" not in link and not (document.parent / link).exists()]


@every_document
def test_no_document_names_a_strange_host_or_a_place_of_some_machine(document: Path) -> None:
    text = document.read_text()
    assert set(re.findall(r"\bhttps?://([\w.-]*\w)", text)) <= HOSTS
    assert not re.findall(MACHINE_PATHS, text)


@pytest.mark.parametrize("document", PAGES)
def test_a_document_keeps_to_its_pages(document: str) -> None:
    assert len((ROOT / document).read_text().split()) <= PAGES[document] * ONE_PAGE


@pytest.mark.parametrize("record", RECORDS, ids=name)
def test_a_record_is_a_page_of_one_shape(record: Path) -> None:
    text = record.read_text()
    number = int(record.name[:4])
    assert re.match(rf"# {number}\. \S.*\n\n20\d\d-\d\d-\d\d\n", text)
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Decision", "Rejected", "Consequences"]
    assert len(text.split()) <= ONE_PAGE


def test_records_are_numbered_without_a_gap() -> None:
    assert [int(record.name[:4]) for record in RECORDS] == list(range(1, len(RECORDS) + 1))


def test_the_newest_entry_of_the_changelog_is_this_version() -> None:
    versions = re.findall(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == __version__
