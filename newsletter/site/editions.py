"""Which editions stand in the archive, and what each one says, read as it was frozen.

An edition is verified against its hash before a byte of it is shown. One that is
altered or missing is left out, with a sentence that says so, and the others go on.
Of its folder only the page, the PDF and the pictures are public: never the mail.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from newsletter.compose import manifest
from newsletter.config import Workspace
from newsletter.delivery.campaign import edition_folder
from newsletter.delivery.model import State, Status
from newsletter.errors import StorageError
from newsletter.issue.folder import shown
from newsletter.issue.number import IssueNumber
from newsletter.site.frozen_page import FrozenPage, Headline, Hero, read_page
from newsletter.store.tables import campaign, delivery, publication

__all__ = ["Headline", "Hero", "Publication", "SiteEdition", "published", "read_editions"]

PAGE, PDF = "web.html", "issue.pdf"
PICTURES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".gif": "image/gif",
    ".webp": "image/webp",
}
# A folder holds the same bytes on every system: no name that means something elsewhere.
_PUBLIC_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

# What a reader may hold in their hands: the links in it must work.
_REACHED = [status.value for status in (Status.SENDING, Status.ACCEPTED, Status.UNCERTAIN)]


@dataclass(frozen=True, kw_only=True)
class Publication:
    """An edition that stands in the archive. *was_sent*: by a campaign, else by hand."""

    number: str  # the issue's, as in "2.20"
    edition_hash: str
    published_at: datetime
    was_sent: bool


def published(conn: sa.Connection, *, unread: set[int] | None = None) -> list[Publication]:
    """List what stands in the archive, the newest number first; one edition per number.

    That is the edition of the newest campaign of the number that goes on, is over, or was
    cancelled after somebody got it; without one, what was published by hand. It reads the
    campaigns, and looks into the ledger only for one that was cancelled and has no
    successor, up to the first message that went out.

    Where none did, that is the whole campaign. Who asks again and again passes a set,
    *unread*, that takes up such campaigns: nothing goes out of a cancelled one any more.
    """
    unread = set() if unread is None else unread
    found = {
        row.number: Publication(
            number=row.number,
            edition_hash=row.edition_hash,
            published_at=row.published_at,
            was_sent=False,
        )
        for row in conn.execute(sa.select(publication))
    }
    query = sa.select(
        campaign.c.id,
        campaign.c.number,
        campaign.c.edition_hash,
        campaign.c.state,
        campaign.c.created_at,
    ).order_by(campaign.c.number, campaign.c.id.desc())
    for number, rows in groupby(conn.execute(query).all(), key=lambda row: row.number):
        newest = next((row for row in rows if _has_readers(conn, row, unread)), None)
        if newest is not None:
            found[number] = Publication(
                number=number,
                edition_hash=newest.edition_hash,
                published_at=newest.created_at,
                was_sent=True,
            )
    return sorted(found.values(), key=lambda one: IssueNumber.parse(one.number), reverse=True)


def _has_readers(conn: sa.Connection, row: Any, unread: set[int]) -> bool:
    if row.state != State.CANCELLED.value:
        return True
    if row.id in unread:
        return False
    reached = sa.select(sa.literal(1)).where(
        delivery.c.campaign_id == row.id, delivery.c.status.in_(_REACHED)
    )
    if conn.execute(reached.limit(1)).first() is not None:
        return True
    unread.add(row.id)
    return False


# ── what an edition says ────────────────────────────────────────────────────


@dataclass(frozen=True, kw_only=True)
class SiteEdition:
    """An edition in the archive. *files* are the public ones beside the page, with their SHA-256.

    *page* is `web.html` as it was frozen, *text* its words. The bytes of the other files
    stay on disk.
    """

    number: IssueNumber
    label: str  # "Vol 2.20"
    title: str  # "Pacific Alliance Digest Vol 2.20"
    date: date
    subject: str
    preheader: str
    headlines: tuple[Headline, ...]
    hero: Hero | None
    published_at: datetime
    edition_hash: str
    folder: Path
    files: Mapping[str, str]
    pdf_bytes: int
    page: bytes = field(repr=False)
    text: str = field(repr=False)

    @property
    def path(self) -> str:
        """Where it stands, below the site's root: "vol-2-20/"."""
        return f"{self.number.folder}/"


def read_editions(
    workspace: Workspace,
    publications: Iterable[Publication],
    *,
    known: Sequence[SiteEdition] = (),
) -> tuple[tuple[SiteEdition, ...], tuple[str, ...]]:
    """Read each edition; return those that are as they were frozen, and what is wrong with others.

    Those that are *known* from an earlier call are not read again.
    """
    have = {(one.edition_hash, one.published_at): one for one in known}
    editions, problems = [], []
    for one in publications:
        try:
            edition = have.get((one.edition_hash, one.published_at))
            if edition is None or str(edition.number) != one.number:
                edition = read_edition(edition_folder(workspace, one.edition_hash), one)
            editions.append(edition)
        except StorageError as error:
            problems.append(error.message)
    return tuple(editions), tuple(problems)


def read_edition(folder: Path, published_as: Publication) -> SiteEdition:
    """Read the frozen edition in *folder*, and verify every byte of it.

    Raises:
        StorageError: it is missing, altered, or the edition of another issue.
    """
    try:
        altered = manifest.verify(folder)
        data = (folder / manifest.NAME).read_bytes()
        page = (folder / PAGE).read_bytes()
    except (StorageError, OSError) as error:
        raise _not_what_was_frozen(folder, published_as, "it is missing") from error
    if manifest.digest(data) != published_as.edition_hash:
        altered.append(manifest.NAME)
    if altered:
        raise _not_what_was_frozen(folder, published_as, f"altered: {', '.join(altered)}")
    content = json.loads(data)
    try:
        said = read_page(page)
        return _edition(folder, published_as, content, page, said)
    except (KeyError, TypeError, ValueError) as error:
        raise _not_what_was_frozen(folder, published_as, "its manifest is of another form") from (
            error
        )


def _edition(
    folder: Path,
    published_as: Publication,
    content: dict[str, Any],
    page: bytes,
    said: FrozenPage,
) -> SiteEdition:
    if content["number"] != published_as.number:
        raise _not_what_was_frozen(folder, published_as, f"it is Vol {content['number']}")
    number = IssueNumber.parse(published_as.number)
    files = {
        name: str(entry["sha256"])
        for name, entry in content["files"].items()
        if _PUBLIC_NAME.fullmatch(name) and (name == PDF or Path(name).suffix.lower() in PICTURES)
    }
    return SiteEdition(
        number=number,
        label=f"Vol {number}",
        title=str(content["title"]),
        date=date.fromisoformat(content["date"]),
        subject=str(content["subject"]),
        preheader=str(content["preheader"]),
        headlines=said.headlines,
        hero=said.hero if said.hero is not None and said.hero.file in files else None,
        published_at=published_as.published_at,
        edition_hash=published_as.edition_hash,
        folder=folder,
        files=files,
        pdf_bytes=int(content["files"][PDF]["bytes"]) if PDF in files else 0,
        page=page,
        text=said.text,
    )


def _not_what_was_frozen(folder: Path, published_as: Publication, why: str) -> StorageError:
    return StorageError(
        f"Vol {published_as.number} is left out of the archive: {shown(folder)} is not the "
        f"edition that was frozen ({why})",
        hint="restore the folder from a backup",
    )
