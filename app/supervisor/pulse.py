"""What a child says through its pipe: why it never will run, or that it is ready and then still lives."""

import asyncio
import os
import time

from app.ready import READY

LOOKS = 20  # within the longest silence
SLEPT = 5  # looks: who was late by so many was stopped, or the machine was, and the child perhaps with it


class Pulse:
    def __init__(self) -> None:
        self.ready = asyncio.Event()
        self._heard = False

    async def listen(self, pipe: int) -> str:
        """Listen until nobody holds the other end; gives what was said instead of being ready."""
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(lambda: protocol, os.fdopen(pipe, "rb"))
        said = b""
        try:
            while more := await reader.read(1024):
                self._heard = True
                said = b"" if self.ready.is_set() else said + more
                if said.startswith(f"{READY}\n".encode()):
                    self.ready.set()
        finally:
            transport.close()
        return "" if self.ready.is_set() else said.decode(errors="replace").strip()

    async def silence(self, longest: float) -> float:
        """Wait until a child that was ready has said nothing for so long; gives the seconds.

        Only time in which we were awake ourselves is counted.
        """
        await self.ready.wait()
        look = longest / LOOKS
        silent = 0.0
        while silent < longest:
            self._heard = False
            began = time.monotonic()
            await asyncio.sleep(look)
            took = time.monotonic() - began
            silent = 0.0 if self._heard or took > SLEPT * look else silent + took
        return silent
