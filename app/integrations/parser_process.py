"""The parser's own process: reads mails from its standard input, answers in JSON, dies with its worker."""

import ctypes
import dataclasses
import json
import os
import resource
import signal
import sys
from typing import BinaryIO

from app.integrations.mime import headers, parse
from app.integrations.parsed import LENGTH, MAIL, TOO_BIG_EXIT

_PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, memory = int(sys.argv[1]), int(sys.argv[2])
    _die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the worker decides
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # macOS counts what it maps for every program, which is more
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    try:
        _serve(sys.stdin.buffer, sys.stdout.buffer)
    except MemoryError:
        os._exit(TOO_BIG_EXIT)


def _serve(asked: BinaryIO, answers: BinaryIO) -> None:
    while (kind := asked.read(1)) and (length := asked.read(LENGTH.size)):
        content = asked.read(LENGTH.unpack(length)[0])
        read = parse(content) if kind == MAIL else headers(content)
        said = {field.name: getattr(read, field.name) for field in dataclasses.fields(read)}
        answer = json.dumps(said).encode()
        answers.write(LENGTH.pack(len(answer)) + answer)
        answers.flush()


def _die_with(parent: int) -> None:
    if sys.platform == "linux":  # elsewhere the end of standard input has to do
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we could ask to be told
        sys.exit()


if __name__ == "__main__":
    main()
