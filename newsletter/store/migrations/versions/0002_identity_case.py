"""Letter case before the @ makes another person: identities are taken from the address again.

Only rows whose address has a capital there are written. `identity_hash` stays, because
it is over lower case. So does `suppression.identity`: the spelling that was meant is
lost, and suppressions are matched by the hash alone.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    place = "instr" if op.get_context().dialect.name == "sqlite" else "strpos"
    # Neither holds a second @: quoted local parts (RFC 5321 §4.1.2) never came in. The
    # domain of the identity is right already (A-labels).
    local = f"substr(email, 1, {place}(email, '@') - 1)"
    domain = f"substr(identity, {place}(identity, '@'))"
    written = f"{local} || {domain}"
    op.execute(f"UPDATE subscriber SET identity = {written} WHERE identity <> {written}")  # noqa: S608
