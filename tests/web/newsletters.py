"""Our newsletter as its readers meet it: a workspace whose links lead to the server's own port."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from lxml import html as lxml_html

from newsletter.config import Workspace, open_workspace
from newsletter.store.engine import open_store
from tests.compose.composed import ROOT
from tests.web.serving import PATIENCE, Serving

SITE = "https://digest.example.org"  # what newsletter.toml says
Found = TypeVar("Found")


@dataclass(frozen=True, kw_only=True)
class Newsletter:
    """*root* is its workspace; it will be served at *port*, below the path *prefix*."""

    root: Path
    port: int
    prefix: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.prefix}"

    @property
    def workspace(self) -> Workspace:
        return open_workspace(self.root)

    def run(self, *arguments: str) -> None:
        """Call `newsletter …` in the workspace; it must go well."""
        done = subprocess.run(
            [sys.executable, "-m", "newsletter", *arguments],
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    @contextmanager
    def served(self) -> Iterator[Serving]:
        server = Serving(self.root, "--port", str(self.port))
        try:
            assert server.url == self.url
            yield server
        finally:
            server.end()

    @contextmanager
    def changing(self) -> Iterator[sa.Connection]:
        """Write into its database, as another process would."""
        with open_store(self.workspace) as store, store.begin() as conn:
            yield conn

    def sent(self) -> list[EmailMessage]:
        """The notices that have left."""
        return messages(self.root / "outbox/test")

    def mail(self, to: str, subject: str) -> EmailMessage:
        """Wait for the notice to *to* whose subject begins so."""

        def found() -> EmailMessage | None:
            for message in self.sent():
                if message["To"].addresses[0].addr_spec == to and message["Subject"].startswith(
                    subject
                ):
                    return message
            return None

        return until(found)


def laid_out(root: Path, *, prefix: str = "", **subscribe: object) -> Newsletter:
    """Our newsletter in *root*, with these keys of [subscribe]."""
    root.mkdir()
    for part in ("people.txt", "terms.toml"):
        shutil.copy(ROOT / part, root)
    for part in ("templates", "issues", "subscribers"):
        shutil.copytree(ROOT / part, root / part)
    with socket.create_server(("127.0.0.1", 0)) as free:
        made = Newsletter(root=root, port=free.getsockname()[1], prefix=prefix)
    keys = {"per_ip_per_hour": 100_000, **subscribe}
    text = (ROOT / "newsletter.toml").read_text("utf-8").replace(SITE, made.url)
    text += "\n[subscribe]\n" + "".join(f"{k} = {str(v).lower()}\n" for k, v in keys.items())
    (root / "newsletter.toml").write_text(text, "utf-8")
    return made


def messages(folder: Path) -> list[EmailMessage]:
    """What lies in *folder* of an outbox, in the order of its files' names."""
    found = []
    for path in sorted((folder / "new").glob("*.eml")):
        message = message_from_bytes(path.read_bytes(), policy=default)
        assert isinstance(message, EmailMessage)
        found.append(message)
    return found


def addresses(message: EmailMessage, kind: str) -> list[str]:
    """What the part of *kind* ("html", "plain") leads to and loads, in order."""
    body = message.get_body((kind,))
    assert body is not None
    text = body.get_content()
    if kind == "plain":
        return re.findall(r"https?://[^\s<>)]+", text)
    tree = lxml_html.document_fromstring(text)
    return [link for _, attribute, link, _ in tree.iterlinks() if attribute in ("href", "src")]


def address(message: EmailMessage, path: str) -> str:
    """The address in the HTML part that has *path* in it."""
    return next(url for url in addresses(message, "html") if path in url)


def until(found: Callable[[], Found | None]) -> Found:
    """Ask again until something is found."""
    deadline = time.monotonic() + PATIENCE
    while (thing := found()) is None:
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)
    return thing
