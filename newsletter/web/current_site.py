"""The site as it is now: made anew when an edition comes or goes, and swapped whole.

Requests read one snapshot and never wait. Where a new one cannot be made, the last one
stays.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from newsletter.errors import StorageError
from newsletter.site.editions import Publication, published
from newsletter.site.site import Site, site_of

if TYPE_CHECKING:
    from newsletter.config import Workspace
    from newsletter.store.engine import Store


class CurrentSite:
    """The newest snapshot. `refresh` is for one thread at a time; reading is for all."""

    def __init__(self, workspace: Workspace, store: Store) -> None:
        self._workspace = workspace
        self._store = store
        self._site: Site | None = None
        self._of: list[Publication] | None = None
        self._unread: set[int] = set()  # cancelled campaigns that nobody got, looked through once
        self._lock = threading.Lock()

    @property
    def current(self) -> Site:
        """Raises StorageError where none could be made yet."""
        site = self._site
        if site is None:
            raise StorageError(
                "the pages of the archive are not made yet",
                hint="see the log of newsletter serve for what is in the way",
            )
        return site

    @property
    def current_or_none(self) -> Site | None:
        return self._site

    @property
    def problems(self) -> tuple[str, ...]:
        """Which editions are left out, and why."""
        return () if self._site is None else self._site.problems

    def refresh(self, *, again: bool = True) -> bool:
        """Look whether something is published or withdrawn; True where the site is a new one.

        Editions that were left out are tried again where *again* asks for it.

        Raises:
            StorageError: the database refused.
            TemplateError: a template is broken.
        """
        with self._lock:
            with self._store.read() as conn:
                found = published(conn, unread=self._unread)
            if found == self._of and not (again and self.problems):
                return False
            site = site_of(self._workspace, found, before=self._site)
            is_new = found != self._of or site.problems != self.problems
            if is_new:
                self._site, self._of = site, found
            return is_new
