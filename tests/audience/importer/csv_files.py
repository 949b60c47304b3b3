"""Import a file in one line, and look at what is on the list afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from newsletter.audience import subscribers
from newsletter.audience.importer import Report, import_csv
from newsletter.audience.model import Reason, Subscriber
from newsletter.store.engine import Store
from tests.audience.people import NOW

BASIS = "asked on paper at the harbor festival"


def written(folder: Path, content: str | bytes, name: str = "people.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def take(store: Store, path: Path, **options: Any) -> Report:
    """Import *path*, and check that the counts add up."""
    report = import_csv(
        store, path, **{"consent": BASIS, "actor": "operator", "now": NOW} | options
    )
    assert report.read == sum(
        (
            report.added,
            report.updated,
            report.unchanged,
            report.repeated,
            report.left_alone,
            report.suppressed,
            report.rejected,
        )
    )
    return report


def person(store: Store, email: str) -> Subscriber:
    with store.read() as conn:
        found = subscribers.find(conn, email)
    assert found is not None
    return found


def suppressed(store: Store, email: str) -> Reason | None:
    with store.read() as conn:
        return subscribers.suppression_of(conn, email)


def record(store: Store, email: str) -> dict[str, Any]:
    with store.read() as conn:
        return subscribers.record(conn, email)
