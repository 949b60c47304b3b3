"""What the statistics need: whether a bounce was permanent, and who left when, by an index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    # Of bounces that are known already it stays NULL: their texts alone would be a guess.
    op.add_column("event", sa.Column("permanent", sa.Boolean))
    op.create_index(
        "ix_consent_withdrawn",
        "consent",
        ["at"],
        sqlite_where=sa.text("kind = 'withdrawn'"),
        postgresql_where=sa.text("kind = 'withdrawn'"),
    )
