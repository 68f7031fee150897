"""How the code is built, read off the code itself: sizes, names, and that whatever is named exists."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from starlette.routing import BaseRoute, Mount, Route

from app import crash
from app.events import Event
from app.integrations.errors import Failure
from app.jobs import queue
from app.routes import PUBLIC, ROUTES
from app.rules.outcome import Word
from app.web.templates import environment

ROOT = Path(__file__).parents[1]
LONGEST_FILE, LONGEST_TEMPLATE, LONGEST_FUNCTION = 300, 150, 50
DEEPEST, MOST_PARAMETERS = 3, 7
NO_NAMES = {
    "base",
    "common",
    "handler",
    "helpers",
    "legacy",
    "manager",
    "misc",
    "new",
    "service",
    "utils",
    "v2",
}
READ_THE_ENVIRONMENT = {"app/cli.py", "app/config.py", "app/ready.py"}  # and the supervisor, for its children
BORDERS = {"app/jobs/border.py", "app/web/failures.py"}
WAITS = "tests/servers/waiting.py"
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.TryStar, ast.With, ast.AsyncWith, ast.Match)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def files(*folders: str, suffix: str = ".py") -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob(f"*{suffix}"))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def walk(*folders: str) -> list[tuple[str, ast.AST]]:
    return [(name(path), node) for path in files(*folders) for node in ast.walk(tree(path))]


def functions(*folders: str) -> Iterator[tuple[str, Function]]:
    for path, node in walk(*folders):
        if isinstance(node, Function):
            yield f"{path}:{node.lineno} {node.name}", node


def text_of(node: ast.AST) -> str:
    """A string as it stands in the code; what an f-string puts in is `{}`."""
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) for part in node.values)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return "{}" if isinstance(node, ast.FormattedValue) else ""


def test_no_file_is_too_long() -> None:
    sizes = {name(path): (path, LONGEST_FILE) for path in files("app", "tests")}
    sizes |= {name(path): (path, LONGEST_TEMPLATE) for path in files("templates", suffix=".html")}
    lengths = {file: (len(path.read_text().splitlines()), limit) for file, (path, limit) in sizes.items()}
    assert not {file: length for file, (length, limit) in lengths.items() if length > limit}


def test_no_function_is_longer_than_a_screen() -> None:
    lengths = {place: (node.end_lineno or 0) - node.lineno + 1 for place, node in functions("app", "tests")}
    assert not {place: length for place, length in lengths.items() if length > LONGEST_FUNCTION}


def test_no_function_nests_deeper_than_one_can_follow() -> None:
    depths = {place: depth(node.body) for place, node in functions("app", "tests")}
    assert not {place: deep for place, deep in depths.items() if deep > DEEPEST}


def depth(body: list[ast.stmt]) -> int:
    return max((_depth(statement) for statement in body), default=0)


def _depth(statement: ast.stmt) -> int:
    """An `elif` stands beside its `if`, and a function inside a function counts by itself."""
    if not isinstance(statement, BLOCKS):
        return 0
    inside = [
        getattr(statement, "body", []),
        getattr(statement, "orelse", []),
        getattr(statement, "finalbody", []),
    ]
    inside += [part.body for part in (*getattr(statement, "handlers", []), *getattr(statement, "cases", []))]
    if (
        isinstance(statement, ast.If)
        and len(statement.orelse) == 1
        and isinstance(statement.orelse[0], ast.If)
    ):
        return max(1 + depth(statement.body), _depth(statement.orelse[0]))
    return 1 + max(map(depth, inside))


def test_no_function_takes_more_than_seven_things() -> None:
    taken = {place: len(parameters(node)) for place, node in functions("app", "tests")}
    assert not {place: count for place, count in taken.items() if count > MOST_PARAMETERS}


def parameters(node: Function) -> list[str]:
    given = [one.arg for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    return [one for one in given if one not in {"self", "cls"}]


def test_every_module_is_named_for_what_it_holds() -> None:
    assert not [name(path) for path in files("app", "tests") if {path.stem, path.parent.name} & NO_NAMES]


def test_every_module_says_what_it_is() -> None:
    modules = [path for path in files("app", "tests", "alembic") if path.stat().st_size]
    assert not [name(path) for path in modules if not ast.get_docstring(tree(path))]


def test_the_environment_is_read_in_one_place() -> None:
    attributes = [(path, node) for path, node in walk("app") if isinstance(node, ast.Attribute)]
    readers = {path for path, node in attributes if ast.unparse(node) in {"os.environ", "os.getenv"}}
    allowed = READ_THE_ENVIRONMENT | {name(path) for path in files("app/supervisor")}
    assert readers <= allowed


def test_only_the_two_borders_catch_whatever_comes() -> None:
    broad = [path for path, node in walk("app") if isinstance(node, ast.ExceptHandler) and catches_all(node)]
    assert sorted(broad) == sorted(BORDERS)


def catches_all(handler: ast.ExceptHandler) -> bool:
    """A handler that only tidies up and raises again catches nothing."""
    last = handler.body[-1]
    goes_on = not (isinstance(last, ast.Raise) and last.exc is None)
    caught = ast.unparse(handler.type) if handler.type else "BaseException"
    return goes_on and bool(re.search(r"\b(Base)?Exception\b", caught))


def test_no_test_replaces_a_part_or_sleeps() -> None:
    odd = [
        f"{path}:{node.lineno}"
        for path, node in walk("tests")
        if isinstance(node, ast.stmt | ast.expr | ast.arg) and is_odd(path, node)
    ]
    assert not odd


def is_odd(path: str, node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        imported = {f"{node.module}.{one.name}" for one in node.names} | {node.module or ""}
        return bool(imported & {"unittest", "unittest.mock", "pytest_mock", "time.sleep"})
    if isinstance(node, ast.Import):
        return bool({one.name for one in node.names} & {"unittest", "unittest.mock", "pytest_mock"})
    if isinstance(node, ast.arg):
        return node.arg in {"monkeypatch", "mocker"}
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "time.sleep" and path != WAITS


def test_every_fragment_is_a_block_of_its_own_file() -> None:
    templates = environment(lambda *_, **__: "/")
    wanted = set(fragments())
    assert wanted
    assert not [(file, block) for file, block in wanted if block not in templates.get_template(file).blocks]


def fragments() -> Iterator[tuple[str, str]]:
    """What the code asks for: `"x.html#block"`, or a file and `fragment=` in one call."""
    for _, node in walk("app"):
        if reference := re.fullmatch(r"([\w/]+\.html)#(\w+)", text_of(node)):
            yield reference[1], reference[2]
        if isinstance(node, ast.Call):
            named = [text_of(one) for one in node.args if text_of(one).endswith(".html")]
            yield from (
                (one, text_of(word.value))
                for one in named
                for word in node.keywords
                if word.arg == "fragment"
            )


def test_every_route_has_a_name_and_every_public_name_a_route() -> None:
    names = [getattr(route, "name", "") for route in ROUTES]
    assert all(names)
    assert set(names) >= PUBLIC


@pytest.mark.parametrize(
    "route", ROUTES, ids=lambda route: f"{route.name} {sorted(getattr(route, 'methods', []))}"
)
def test_every_route_is_asked_in_a_test(route: BaseRoute) -> None:
    assert any(re.search(pattern(route), text) for text in strings_of_tests())


@cache
def strings_of_tests() -> set[str]:
    about_code = ("tests/test_architecture.py", "tests/test_docs.py")
    return {text_of(node) for path, node in walk("tests") if path not in about_code}


def pattern(route: BaseRoute) -> str:
    """A path as tests write it: parameters filled in, perhaps after a host and before a query."""
    assert isinstance(route, Route | Mount)
    path = re.sub(r"\\\{[^}]*\}", r"[^/?#]+", re.escape(route.path.removesuffix("/{path:path}")))
    end = r"/[^/]" if isinstance(route, Mount) else r"/?([?#]|$)" if route.path != "/" else r"([?#]|$)"
    return rf"^(POST |GET )?(\{{\}}|https?://[^/]+)?{path}{end}"


def test_every_crash_point_is_a_step_of_a_job() -> None:
    passed = [
        text_of(node.args[0])
        for _, node in walk("app/jobs")
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("crash.point")
    ]
    assert sorted(passed) == sorted(crash.POINTS)


def test_every_ring_of_the_bell_is_heard() -> None:
    calls = [node for _, node in walk("app/jobs") if isinstance(node, ast.Call)]
    rung = {ast.unparse(call.args[0]) for call in calls if ast.unparse(call.func) == "self._ring"}
    (listen,) = [
        node
        for node in ast.walk(tree(ROOT / "app/worker.py"))
        if isinstance(node, ast.AsyncFunctionDef) and node.name == "_listen"
    ]
    heard = {node.id for node in ast.walk(listen) if isinstance(node, ast.Name) and node.id.isupper()}
    assert rung == heard
    assert {getattr(queue, one) for one in rung} == {"poll", "decide", "deliver", "trial", "replay", "test"}


def test_pages_listen_for_events_that_exist() -> None:
    sources = [*files("templates", suffix=".html"), *files("static", suffix="app.js")]
    heard = {word for path in sources for word in re.findall(r"\b[a-z]+-changed\b", path.read_text())}
    assert heard == {event.value for event in Event}


def test_every_event_is_told_somewhere() -> None:
    told = {
        node.attr
        for path, node in walk("app")
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "Event"
    }
    assert told == set(Event.__members__)


def test_neighbours_and_rules_call_a_failure_by_the_same_word() -> None:
    assert {(one.name, one.value) for one in Failure} <= {(one.name, one.value) for one in Word}


def test_importing_starts_nothing_and_needs_no_environment(tmp_path: Path) -> None:
    modules = [
        name(path).removesuffix(".py").replace("/", ".").removesuffix(".__init__") for path in files("app")
    ]
    code = f"import {', '.join(modules)}, threading; assert threading.active_count() == 1"
    said = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (said.returncode, said.stdout + said.stderr) == (0, "")
    assert not list(tmp_path.iterdir())
