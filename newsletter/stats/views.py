"""Page loads of issues: add to them, read them. Knows loads, not people, and keeps nothing else.

Who serves the pages collects for some seconds and leaves known robots out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from newsletter.store.tables import view

WEB, PDF = "web", "pdf"

NOT_COUNTED = "no page load was counted yet; newsletter serve counts them"


@dataclass(frozen=True, kw_only=True, slots=True)
class Views:
    """Page loads of one issue since it stands there."""

    web: int
    pdf: int


def count_views(conn: sa.Connection, increments: Mapping[tuple[str, str, str], int]) -> None:
    """Add *increments* to the page loads, by (day of UTC as in "2026-12-01", number, form).

    One statement, in the order of the keys: two servers that add at once do not deadlock.
    """
    rows = [
        {"day": day, "number": number, "form": form, "count": times}
        for (day, number, form), times in sorted(increments.items())
        if times
    ]
    if not rows:
        return
    dialect = sqlite if conn.dialect.name == "sqlite" else postgresql
    insert = dialect.insert(view).values(rows)
    added = view.c.count + insert.excluded.count
    statement = insert.on_conflict_do_update(
        index_elements=[view.c.day, view.c.number, view.c.form], set_={"count": added}
    )
    conn.execute(statement)


def views(conn: sa.Connection) -> dict[str, Views]:
    """Return the page loads of every issue that has some, by number."""
    query = sa.select(
        view.c.number,
        *(sa.func.sum(view.c.count).filter(view.c.form == form) for form in (WEB, PDF)),
    ).group_by(view.c.number)
    # int: PostgreSQL adds BIGINTs up to a NUMERIC.
    return {
        number: Views(web=int(web or 0), pdf=int(pdf or 0))
        for number, web, pdf in conn.execute(query)
    }
