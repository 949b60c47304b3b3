"""Import a few addresses from a file, as an operator would."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from newsletter.audience.importer import import_csv
from newsletter.audience.model import Reason
from newsletter.store.engine import Store


def import_people(
    store: Store, emails: Sequence[str], *, now: datetime, suppress: Reason | None = None
) -> None:
    """Take *emails* in as subscribers, or as addresses to suppress."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.csv"
        path.write_text("\n".join(["email", *emails, ""]), encoding="utf-8")
        report = import_csv(
            store,
            path,
            consent="" if suppress else "made up for a test",
            suppress=suppress,
            actor="operator",
            now=now,
        )
    assert report.rejected == 0
