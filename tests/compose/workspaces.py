"""A workspace in a temporary folder: our templates and configuration, one issue, its picture."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

from composed import ROOT, TEMPLATES
from PIL import Image

from newsletter.config import Workspace, open_workspace
from newsletter.issue.folder import IssueFolder

ISSUE_TEXT = "what check has read; the model is built by hand\n"


def a_photo(width: int = 1656, height: int = 932, mode: str = "RGB") -> Image.Image:
    """A picture with as much detail as a photograph: gradients that cross."""
    across = Image.linear_gradient("L").rotate(90).resize((width, height))
    down = Image.linear_gradient("L").resize((width, height))
    rings = Image.radial_gradient("L").resize((width, height))
    return Image.merge("RGB", (across, down, rings)).convert(mode)


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def a_workspace(root: Path) -> tuple[Workspace, IssueFolder]:
    """Lay out a workspace in *root*; issue 2.20 has `hero.jpg`."""
    folder = root / "issues" / "vol-2-20"
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "newsletter.toml", root)
    shutil.copytree(TEMPLATES, root / "templates")
    (folder / "issue.md").write_text(ISSUE_TEXT, encoding="utf-8")
    (folder / "hero.jpg").write_bytes(encoded(a_photo()))
    return open_workspace(root), IssueFolder(folder)
