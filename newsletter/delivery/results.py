"""What transports reported since the last fold; the Feed fills it, the Ledger empties it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from newsletter.delivery.model import Delivery, Outcome


class Report(NamedTuple):
    """An outcome other than “accepted”; *after* is the wait in seconds that a server asked for."""

    delivery: Delivery
    outcome: Outcome
    reply: str
    after: float | None = None


class Postponed(NamedTuple):
    """A delivery that goes back unsent, not to be claimed again for *after* seconds."""

    delivery: Delivery
    after: float = 0.0


@dataclass(slots=True)
class Results:
    accepted: list[Delivery] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    postponed: list[Postponed] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.accepted or self.reports or self.postponed)

    def places(self) -> list[int]:
        """In the journal, of all of them."""
        held = [*self.accepted]
        held += [report.delivery for report in self.reports]
        held += [back.delivery for back in self.postponed]
        return [delivery.place for delivery in held]

    def extend(self, later: Results) -> None:
        self.accepted += later.accepted
        self.reports += later.reports
        self.postponed += later.postponed
