"""Issues with numbers that were made up: for what draws and prints them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from newsletter.stats.model import IssueNumbers

START = datetime(2024, 1, 2, 9, tzinfo=UTC)


def an_issue(number: str = "2.20", **values: Any) -> IssueNumbers:
    """An issue that 1,200 people got, and nobody told anything of."""
    known = {
        "number": number,
        "tag": None,
        "first_delivery_at": START,
        **dict.fromkeys(("intended", "accepted", "list_then", "list_now"), 1200),
        **dict.fromkeys(("failed", "suppressed", "uncertain", "pending", "never_sent"), 0),
        **dict.fromkeys(("delivered", "bounced", "bounced_hard", "bounced_soft"), None),
        **dict.fromkeys(("complained", "joined", "left", "web_views", "pdf_views"), None),
        "unsubscribed": 0,
        **values,
    }
    names = [name for name, value in known.items() if value is None]
    return IssueNumbers(**known, unknown=dict.fromkeys([*names, "growth"], "nobody told"))


def a_trend(length: int) -> list[IssueNumbers]:
    """Issues of some years, oldest first; of every seventh nobody reports deliveries."""
    random, size, issues = Random(length), 1200, []
    for place in range(length):
        joined, left = random.randint(0, 120), random.randint(0, 60)
        size += joined - left if place else 0
        issues.append(
            an_issue(
                f"{1 + place // 26}.{1 + place % 26}",
                first_delivery_at=START + timedelta(days=14 * place),
                intended=size,
                accepted=size,
                list_then=size,
                delivered=None if place % 7 == 3 else size - random.randint(0, 80),
                bounced=random.randint(0, 9),
                unsubscribed=random.randint(0, left),
                joined=joined if place else None,
                left=left if place else None,
            )
        )
    return issues
