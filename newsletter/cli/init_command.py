"""`newsletter init`: a workspace from the same files that this repository works with."""

from __future__ import annotations

import os
import shutil
import tempfile
from importlib.resources import files
from pathlib import Path

import click

from newsletter.cli.shared import FOLDER, plural
from newsletter.errors import StorageError, UsageError
from newsletter.issue.folder import shown

# What a new newsletter starts with; issues beyond the newest sample stay behind.
PARTS = ("newsletter.toml", "people.txt", "terms.toml", "templates", "subscribers")


@click.command("init")
@click.argument("folder", type=FOLDER)
def command(folder: Path) -> None:
    """Lay out a new workspace in FOLDER.

    It holds a configuration to fill in, templates, an example subscriber list
    and one sample issue. FOLDER must be new or empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} exists and is not empty", hint="name a new folder")
    count = lay_out(folder)
    click.echo(f"{shown(folder)}: {plural(count, 'file')} laid out")
    click.echo(
        "next:\n"
        f"  cd {folder}\n"
        "  edit newsletter.toml      your title, publisher and addresses\n"
        "  newsletter check          judges the sample issue\n"
        "  newsletter preview        shows it as e-mail, text, web page and PDF\n"
        "  newsletter new            makes your first own issue"
    )


def lay_out(folder: Path) -> int:
    """Write the workspace and return how many files it has; all of it or nothing."""
    source = seed()
    final = Path(os.path.realpath(folder))  # resolve() fails on a link that leads in a circle
    parent = final.parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".newsletter-init-", dir=parent) as scratch:
            target = Path(scratch) / "workspace"
            target.mkdir(mode=0o755)
            for part in PARTS:
                _copy(source / part, target / part)
            sample = max((source / "issues").glob("vol-*"))
            _copy(sample, target / "issues" / sample.name)
            if folder.exists():
                folder.rmdir()
            target.rename(final)
    except OSError as error:
        raise StorageError(
            f"{folder} cannot be written: {error.strerror or error}",
            hint="choose a folder that you may write to, on a disk with room",
        ) from error
    return sum(1 for path in folder.rglob("*") if path.is_file())


def seed() -> Path:
    """Folder of the files to start from: in the wheel, or the repository itself."""
    packaged = Path(str(files("newsletter"))) / "workspace"
    return packaged if packaged.is_dir() else Path(str(files("newsletter"))).parent


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    else:
        shutil.copyfile(source, target)
