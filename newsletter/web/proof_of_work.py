"""Proof of work: a browser computes for a moment, so that a thousand sign-ups cost something.

Off unless newsletter.toml asks for it. A challenge is signed, lives for an hour and
counts once; nothing is kept of it but those that were used. Whoever has no JavaScript
waits instead: the same challenge counts without a solution once it is old enough.
Refuses to replace the limits: it only makes reaching them dearer.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import OrderedDict
from enum import StrEnum

from newsletter.audience.tokens import Tokens

LIFETIME = 3600  # seconds
WAIT = 20  # seconds that stand for the work
_MAX_USED = 100_000
_MAX_TEXT = 100
_PURPOSE = "proof of work"


class Verdict(StrEnum):
    DONE = "done"
    EARLY = "early"  # no solution, and not old enough to count without one
    VOID = "void"  # not ours, too old, used, or a wrong solution


class ProofOfWork:
    """The challenges of one server. Safe in threads."""

    def __init__(self, tokens: Tokens, bits: int) -> None:
        self.bits = bits
        self._tokens = tokens
        self._used: OrderedDict[str, float] = OrderedDict()  # until when
        self._lock = threading.Lock()

    def challenge(self, now: float) -> str:
        """ "16.<salt>.<token>"; the token holds the time in seconds."""
        salt = secrets.token_urlsafe(9)
        return f"{self.bits}.{salt}.{self._tokens.sign(self._purpose(salt), int(now))}"

    def judge(self, challenge: str, solution: str, now: float) -> Verdict:
        """Whether *challenge* is ours and is paid for. DONE uses it up."""
        made_at = self._made_at(challenge)
        if made_at is None or not 0 <= now - made_at <= LIFETIME:
            return Verdict.VOID
        if not solution and now - made_at < WAIT:
            return Verdict.EARLY
        if solution and not is_solution(challenge, solution, self.bits):
            return Verdict.VOID
        return Verdict.DONE if self._use(challenge, now) else Verdict.VOID

    def _made_at(self, challenge: str) -> int | None:
        parts = challenge.split(".")
        if len(challenge) > _MAX_TEXT or len(parts) != 3 or parts[0] != str(self.bits):
            return None
        return self._tokens.verify(self._purpose(parts[1]), parts[2])

    def _purpose(self, salt: str) -> str:
        return f"{_PURPOSE} {self.bits} {salt}"

    def _use(self, challenge: str, now: float) -> bool:
        with self._lock:
            while self._used and next(iter(self._used.values())) < now:
                self._used.popitem(last=False)
            if challenge in self._used or len(self._used) >= _MAX_USED:
                return False
            self._used[challenge] = now + LIFETIME
            return True


def is_solution(challenge: str, solution: str, bits: int) -> bool:
    """Whether SHA-256 of "challenge.solution" begins with so many zero bits."""
    if len(solution) > _MAX_TEXT:
        return False
    digest = hashlib.sha256(f"{challenge}.{solution}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "big") >> (32 - bits) == 0
