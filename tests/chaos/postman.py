"""Brings mails while the program works, at uneven moments, and remembers when."""

import random
import time
from collections.abc import Callable

from tests.chaos.ground import USER
from tests.letters import a_mail
from tests.servers import Dovecot


class Postman:
    """`brought`: by its number, the moment before each mail was put into the mailbox."""

    def __init__(self, dovecot: Dovecot, *, mails: int, seed: int, rate: float) -> None:
        self._dovecot, self._mails, self._rate = dovecot, mails, rate
        self._chance = random.Random(f"{seed} post")
        self.brought: dict[int, float] = {}

    def bring(self, wait: Callable[[float], bool]) -> None:
        due = time.monotonic()
        for lot in range(self._mails):
            due += self._chance.expovariate(self._rate)
            if wait(max(0.0, due - time.monotonic())):
                return
            mail = a_mail(f"chaos {lot}", f"Number {lot}", message_id=f"<{lot}@chaos.example.com>")
            self.brought[lot] = time.monotonic()
            self._dovecot.deliver(USER, mail)
