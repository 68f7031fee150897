"""What goes wrong while the program works: children are killed, Redis is flushed and stopped."""

import random
import socket
import threading
from collections.abc import Callable

from tests.chaos.children import children, kill
from tests.chaos.ledger import Ledger
from tests.servers import Redis

Wait = Callable[[float], bool]

FLUSH_EVERY, STOP_EVERY = 2.0, 10.0  # seconds on average
SHORTEST_STOP, LONGEST_STOP = 0.5, 4.0


class Trouble:
    """Its gaps come from the seed; what they meet is up to the machine."""

    def __init__(self, pid: int, redis: Redis, ledger: Ledger, *, seed: int, every: float) -> None:
        self._pid, self._redis, self._ledger = pid, redis, ledger
        self._seed, self._every = seed, every
        self._lock = threading.Lock()  # on Redis, while it is being started or stopped
        self.kills: dict[str, int] = {}
        self.in_flight: list[str] = []  # webhook-ids that a worker was sending when it was killed

    def kill(self, wait: Wait) -> None:
        """Kill one of the living again and again."""
        chance = random.Random(f"{self._seed} kill")
        while not wait(chance.expovariate(1 / self._every)):
            living = [*children(self._pid), *([] if self._lock.locked() else [("redis", 0)])]
            if living:
                role = chance.choice(sorted({role for role, _ in living}))
                self._kill(role, chance.choice([pid for name, pid in living if name == role]))
                self.kills[role] = self.kills.get(role, 0) + 1

    def _kill(self, role: str, pid: int) -> None:
        if role == "redis":
            with self._lock:
                self._redis.kill()
                self._redis.start()
            return
        kill(pid)
        if role == "worker":
            self.in_flight += self._ledger.sending(pid)

    def flush(self, wait: Wait) -> None:
        """Empty Redis again and again."""
        chance = random.Random(f"{self._seed} flush")
        while not wait(chance.expovariate(1 / FLUSH_EVERY)):
            with self._lock, socket.create_connection(("127.0.0.1", self._redis.port), 5) as redis:
                redis.sendall(b"FLUSHALL\r\n")
                assert redis.recv(100) == b"+OK\r\n"

    def stop(self, wait: Wait) -> None:
        """Stop Redis for some seconds, again and again."""
        chance = random.Random(f"{self._seed} stop")
        while not wait(chance.expovariate(1 / STOP_EVERY)):
            with self._lock:
                self._redis.kill()
                wait(chance.uniform(SHORTEST_STOP, LONGEST_STOP))
                self._redis.start()
