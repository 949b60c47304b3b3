"""The site: all pages of the archive, made at once from the editions that stand in it.

A snapshot that never changes, so that many requests can read it; something new is a new
one. Asks nobody for a person: what differs from reader to reader is rendered elsewhere,
with `Site.render`, in the same look.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from newsletter.compose.environment import environment, render
from newsletter.config import Config, Workspace
from newsletter.site import feeds
from newsletter.site.editions import (
    PDF,
    PICTURES,
    Publication,
    SiteEdition,
    read_editions,
)
from newsletter.site.pages import Page, page_of, tag_of_sha256
from newsletter.site.privacy import privacy_view
from newsletter.site.search import MAX_CHARACTERS, MAX_HITS, Hit, Searchable, search, searchable
from newsletter.site.views import edition_view, root_of, site_view, volumes

__all__ = ["Site", "site_of"]

RECENT = 5  # editions on the home page, besides the latest
FAVICON = "site/favicon.svg.j2"


class Site:
    """The pages by path, `pages["/vol-2-20/"]`; *problems* says which editions were left out.

    *is_static* leaves out what needs a server: the search form.

    Raises:
        TemplateError: a template of `site/` is missing or broken; file and line are named.
    """

    def __init__(
        self,
        config: Config,
        templates: Path,
        editions: Sequence[SiteEdition],
        *,
        problems: Sequence[str] = (),
        is_static: bool = False,
    ) -> None:
        self.config = config
        self.editions = tuple(sorted(editions, key=lambda one: one.number, reverse=True))
        self.problems = tuple(problems)
        self.root = root_of(config)
        self._environment = environment(templates, html=True)
        self._view = site_view(config, self.editions, is_static=is_static)
        self._texts: tuple[Searchable, ...] | None = None
        self.pages: Mapping[str, Page] = MappingProxyType(
            {page.path: page for page in self._pages()}
        )

    def render(
        self, template: str, /, *, path: str = "", noindex: bool = True, **values: object
    ) -> str:
        """Render a template that extends `site/base.html.j2`, as in "site/confirm.html.j2".

        It sees `site`, *path* (below the root, for the canonical address of a page that may
        be indexed), *noindex* and *values*.

        Raises:
            TemplateError: it is missing or broken; file and line are named.
        """
        known = {"site": self._view, "path": path, "noindex": noindex}
        return render(self._environment, template, **{**known, **values})

    def search(self, query: str) -> list[Hit]:
        """Return the editions that hold every word of *query*, the newest first."""
        if self._texts is None:  # two threads at once make the same
            self._texts = tuple(searchable(edition) for edition in self.editions)
        return search(self._texts, query)

    def render_search(self, query: str, hits: Sequence[Hit]) -> str:
        """Render the answer to *query*, with its form. Not to be indexed."""
        found = [{"edition": edition_view(hit.edition, self.config), "hit": hit} for hit in hits]
        return self.render(
            "site/search.html.j2",
            path="archive/",
            query=query[:MAX_CHARACTERS],
            found=found,
            is_cut=len(found) == MAX_HITS,
        )

    # ── pages ───────────────────────────────────────────────────────────────

    def _pages(self) -> Iterator[Page]:
        views = [edition_view(edition, self.config) for edition in self.editions]
        groups = volumes(self.editions, self.config)
        latest = views[0] if views else None
        yield self._rendered("", latest=latest, recent=views[1 : RECENT + 1], total=len(views))
        yield self._rendered("archive/", template="archive", volumes=groups, total=len(views))
        for volume in groups:
            yield self._rendered(volume.path, template="volume", volume=volume, volumes=groups)
        yield self._rendered("privacy/", template="privacy", privacy=privacy_view(self.config))
        for edition in self.editions:
            yield from _files_of(edition)
        yield from self._machine_read(groups_changed=[volume.path for volume in groups])

    def _rendered(self, path: str, *, template: str = "home", **values: object) -> Page:
        html = self.render(f"site/{template}.html.j2", path=path, noindex=False, **values)
        return page_of(f"/{path}", html.encode())

    def _machine_read(self, groups_changed: Sequence[str]) -> Iterator[Page]:
        config, editions = self.config, self.editions
        newest = max((edition.published_at for edition in editions), default=None)
        listed: list[tuple[str, datetime | None]] = [
            ("/", newest),
            ("/archive/", newest),
            *((f"/{path}", None) for path in groups_changed),
            *((f"/{edition.path}", edition.published_at) for edition in editions),
            ("/privacy/", None),
        ]
        icon = render(self._environment, FAVICON, site=self._view)
        for name, media_type, body in (
            (feeds.ATOM, "application/atom+xml; charset=utf-8", feeds.atom(config, editions)),
            (feeds.JSON_FEED, "application/feed+json", feeds.json_feed(config, editions)),
            (feeds.SITEMAP, "application/xml; charset=utf-8", feeds.sitemap(config, listed)),
            (feeds.ROBOTS, "text/plain; charset=utf-8", feeds.robots(config)),
            ("favicon.svg", "image/svg+xml", icon.encode()),
        ):
            yield page_of(f"/{name}", body, media_type=media_type, is_indexable=False)


def site_of(
    workspace: Workspace,
    publications: Sequence[Publication],
    *,
    before: Site | None = None,
    is_static: bool = False,
) -> Site:
    """Make the site of what is published; editions that *before* has are not read again.

    Raises:
        TemplateError: a template of `site/` is missing or broken.
    """
    known = () if before is None else before.editions
    editions, problems = read_editions(workspace, publications, known=known)
    return Site(
        workspace.config,
        workspace.templates,
        editions,
        problems=problems,
        is_static=is_static,
    )


def _files_of(edition: SiteEdition) -> Iterator[Page]:
    number = str(edition.number)
    changed = edition.published_at.replace(microsecond=0)
    yield page_of(f"/{edition.path}", edition.page, last_modified=changed, number=number)
    for name, sha256 in edition.files.items():
        file = edition.folder / name
        yield Page(
            path=f"/{edition.path}{name}",
            media_type="application/pdf" if name == PDF else PICTURES[file.suffix.lower()],
            body=file,
            size=file.stat().st_size,
            etag=tag_of_sha256(sha256),
            last_modified=changed,
            number=number,
        )
