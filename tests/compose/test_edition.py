"""The edition: equal input gives equal bytes, the manifest is true, writing is all or nothing."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import UserDict
from dataclasses import replace
from email import message_from_bytes
from email.policy import default as default_policy
from pathlib import Path

import pytest
from composed import an_issue
from workspaces import a_photo, a_workspace, encoded

from newsletter.compose import manifest
from newsletter.compose.edition import Edition, compose, verify, write
from newsletter.config import open_workspace
from newsletter.errors import StorageError, TemplateError

FILES = (
    "email.html email.txt hero.jpg issue.pdf manifest.json message.eml web.html".split()
)  # sorted


@pytest.fixture(scope="module")
def edition(tmp_path_factory) -> Edition:
    workspace, folder = a_workspace(tmp_path_factory.mktemp("workspace"))
    return compose(an_issue(), folder, workspace)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def left_over(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


# ── composing ───────────────────────────────────────────────────────────────


def test_edition_holds_every_form_and_its_manifest(edition):
    assert list(edition.files) == FILES
    assert edition.number == "2.20"
    assert edition.hash == hashlib.sha256(edition.files["manifest.json"]).hexdigest()


def test_manifest_tells_the_truth_about_every_file(edition):
    content = json.loads(edition.files["manifest.json"])
    assert sorted(content["files"]) == [name for name in FILES if name != "manifest.json"]
    for name, entry in content["files"].items():
        assert entry["bytes"] == len(edition.files[name])
        assert entry["sha256"] == hashlib.sha256(edition.files[name]).hexdigest()


def test_manifest_names_sources_templates_and_configuration(tmp_path):
    workspace, folder = a_workspace(tmp_path)
    content = json.loads(compose(an_issue(), folder, workspace).files["manifest.json"])
    for name, sha256 in content["sources"].items():
        assert sha256 == hashlib.sha256((folder.path / name).read_bytes()).hexdigest()
    assert sorted(content["sources"]) == ["hero.jpg", "issue.md"]
    for name, sha256 in content["templates"].items():
        assert sha256 == hashlib.sha256((workspace.templates / name).read_bytes()).hexdigest()
    main = {"email/issue.mjml.j2", "text/issue.txt.j2", "web/issue.html.j2", "print/issue.typ"}
    assert main <= set(content["templates"])
    assert content["configuration"]["publisher"]["name"] == "Harbor Street Institute"
    assert "check" not in content["configuration"]
    assert str(tmp_path) not in json.dumps(content)


def test_sample_message_has_the_planned_date_and_both_bodies(edition):
    message = message_from_bytes(edition.files["message.eml"], policy=default_policy)
    assert message["To"] == "Alex Example <alex@example.org>"
    assert message["Subject"] == edition.view.subject
    assert message["Date"].datetime.isoformat() == "2023-10-31T09:53:00-04:00"
    assert [part.get_content_subtype() for part in message.iter_parts()] == ["plain", "html"]
    body = message.get_body(("html",))
    assert body is not None
    assert "slot.invalid" not in body.get_content()


def test_issue_without_a_picture_has_none(tmp_path):
    workspace, folder = a_workspace(tmp_path)
    edition = compose(an_issue(hero=None), folder, workspace)
    assert list(edition.files) == [name for name in FILES if name != "hero.jpg"]
    assert list(json.loads(edition.files["manifest.json"])["sources"]) == ["issue.md"]


SCRIPT = """
import sys
sys.path[:0] = sys.argv[2:]
from pathlib import Path
from composed import an_issue
from newsletter.compose.edition import compose, write
from newsletter.config import open_workspace
from newsletter.issue.folder import IssueFolder
workspace = open_workspace(Path(sys.argv[1]))
write(compose(an_issue(), IssueFolder(workspace.issues / "vol-2-20"), workspace), Path("out"))
"""


def test_same_input_gives_the_same_bytes_in_another_folder_process_zone_and_locale(tmp_path):
    here = Path(__file__)
    found = []
    for zone, language, name in (
        ("Asia/Tokyo", "C.UTF-8", "one"),
        ("America/New_York", "C", "two"),
    ):
        root = tmp_path / name / "deeper"
        a_workspace(root)
        subprocess.run(
            [sys.executable, "-c", SCRIPT, str(root), str(here.parents[2]), str(here.parent)],
            cwd=tmp_path / name,
            env={
                **os.environ,
                "TZ": zone,
                "LC_ALL": language,
                "PYTHONHASHSEED": str(len(name + zone)),
            },
            check=True,
        )
        found.append(contents(tmp_path / name / "out"))
    assert found[0] == found[1]
    assert sorted(found[0]) == FILES


@pytest.mark.parametrize("part", ["text", "picture", "template", "configuration"])
def test_any_change_changes_the_hash_and_shows_by_name(tmp_path, edition, part):
    workspace, folder = a_workspace(tmp_path)
    issue = an_issue()
    if part == "text":
        folder.file.write_text("another text", encoding="utf-8")
        where = ("sources", "issue.md")
    elif part == "picture":
        (folder.path / "hero.jpg").write_bytes(encoded(a_photo(1600, 900)))
        where = ("sources", "hero.jpg")
    elif part == "template":
        with (workspace.templates / "print" / "issue.typ").open("a", encoding="utf-8") as file:
            file.write("// a comment\n")
        where = ("templates", "print/issue.typ")
    else:
        path = tmp_path / "newsletter.toml"
        text = path.read_text(encoding="utf-8").replace('"09:53"', '"10:53"')
        path.write_text(text, encoding="utf-8")
        workspace = open_workspace(tmp_path)
        where = ("configuration", "schedule")
    changed = compose(issue, folder, workspace)
    assert changed.hash != edition.hash
    before, after = (json.loads(e.files["manifest.json"]) for e in (edition, changed))
    assert before[where[0]][where[1]] != after[where[0]][where[1]]


def test_back_ups_and_hidden_files_beside_the_templates_change_nothing(tmp_path, edition):
    workspace, folder = a_workspace(tmp_path)
    for name in (".DS_Store", "issue.html.j2~", ".issue.swp"):
        (workspace.templates / "web" / name).write_text("x", encoding="utf-8")
    assert compose(an_issue(), folder, workspace).hash == edition.hash


def test_missing_templates_are_named(tmp_path):
    workspace, folder = a_workspace(tmp_path)
    (workspace.templates / "web" / "issue.html.j2").unlink()
    with pytest.raises(TemplateError, match=r"web/issue\.html\.j2 is missing"):
        compose(an_issue(), folder, workspace)


# ── writing ─────────────────────────────────────────────────────────────────


def test_written_edition_is_what_was_composed(edition, tmp_path):
    target = tmp_path / "build" / "deep" / "vol-2-20"
    write(edition, target)
    assert contents(target) == dict(edition.files)
    assert verify(target) == []
    assert not left_over(target.parent)


def test_edition_replaces_an_edition_and_an_empty_folder(edition, tmp_path):
    target = tmp_path / "out"
    target.mkdir()
    write(edition, target, beside={"preview.html": b"old"})
    write(edition, target)
    assert sorted(contents(target)) == FILES
    assert not left_over(tmp_path)


def test_files_that_are_no_longer_part_of_it_are_gone(edition, tmp_path):
    write(edition, tmp_path / "out")
    files = {name: data for name, data in edition.files.items() if name != "hero.jpg"}
    listed = json.loads(files["manifest.json"])
    del listed["files"]["hero.jpg"]
    files["manifest.json"] = json.dumps(listed).encode()
    write(replace(edition, files=files), tmp_path / "out")
    assert not (tmp_path / "out" / "hero.jpg").exists()


@pytest.mark.parametrize("with_edition", [True, False])
def test_folder_with_other_files_is_left_alone(edition, tmp_path, with_edition):
    target = tmp_path / "out"
    target.mkdir()
    if with_edition:
        write(edition, target)
    (target / "thesis.txt").write_text("years of work", encoding="utf-8")
    before = contents(target)
    with pytest.raises(StorageError) as caught:
        write(edition, target)
    assert "another folder" in str(caught.value.hint)
    assert contents(target) == before
    assert not left_over(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        "not json",
        '{"format": "newsletter edition 1", "files": {"../x": {"sha256": ""}}}',
        '{"format": "web app", "files": {}}',
        "[" * 100_000,
    ],
)
def test_folder_with_a_foreign_manifest_is_left_alone(edition, tmp_path, text):
    target = tmp_path / "out"
    target.mkdir()
    (target / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(StorageError, match="not an edition"):
        write(edition, target)
    assert contents(target) == {"manifest.json": text.encode()}


def test_file_in_the_place_of_the_folder_is_left_alone(edition, tmp_path):
    (tmp_path / "out").write_text("x", encoding="utf-8")
    with pytest.raises(StorageError, match="is a file"):
        write(edition, tmp_path / "out")
    with pytest.raises(StorageError, match="cannot be written"):
        write(edition, tmp_path / "out" / "below")
    assert (tmp_path / "out").read_text(encoding="utf-8") == "x"


def test_folder_one_is_in_is_refused(edition, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StorageError, match="the folder that you are in"):
        write(edition, Path())


@pytest.mark.parametrize("name", ["a\0b", "x" * 300])
def test_impossible_name_is_a_clear_error(edition, tmp_path, name):
    with pytest.raises(StorageError, match="cannot be written"):
        write(edition, tmp_path / name)


def test_read_only_place_is_a_clear_error(edition, tmp_path):
    target = Path("/proc/newsletter")  # read-only for root as well
    if os.geteuid() != 0:
        tmp_path.chmod(0o500)
        target = tmp_path / "out"
    with pytest.raises(StorageError, match="cannot be written") as caught:
        write(edition, target)
    assert "you may write to" in str(caught.value.hint)


FULL = """
import resource, signal, sys
sys.path[:0] = sys.argv[3:]
from pathlib import Path
from composed import an_issue
from newsletter.compose.edition import compose, write
from newsletter.config import open_workspace
from newsletter.errors import StorageError
from newsletter.issue.folder import IssueFolder
workspace = open_workspace(Path(sys.argv[1]))
edition = compose(an_issue(), IssueFolder(workspace.issues / "vol-2-20"), workspace)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
try:
    write(edition, Path(sys.argv[2]))
except StorageError as error:
    print(error)
"""


def test_disk_that_fills_up_leaves_the_old_edition_and_no_rest(edition, tmp_path):
    """The kernel refuses to write past 30 kB, as a full disk or a quota would."""
    a_workspace(tmp_path / "workspace")
    target = tmp_path / "build" / "out"
    write(edition, target)
    here = Path(__file__)
    run = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "workspace"), str(target),
         str(here.parents[2]), str(here.parent)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "cannot be written: File too large" in run.stdout
    assert contents(target) == dict(edition.files)
    assert list(target.parent.iterdir()) == [target]


class InterruptedFiles(UserDict[str, bytes]):
    """Files at whose third a person presses Ctrl-C."""

    def __getitem__(self, name: str) -> bytes:
        if name == sorted(self.data)[2]:
            raise KeyboardInterrupt
        return super().__getitem__(name)


def test_interrupted_writing_leaves_the_old_edition(edition, tmp_path):
    target = tmp_path / "out"
    write(edition, target)
    with pytest.raises(KeyboardInterrupt):
        write(replace(edition, files=InterruptedFiles(edition.files)), target)
    assert contents(target) == dict(edition.files)
    assert list(tmp_path.iterdir()) == [target]


# ── verifying ───────────────────────────────────────────────────────────────


def test_changed_missing_and_replaced_files_are_named(edition, tmp_path):
    target = tmp_path / "out"
    write(edition, target)
    (target / "web.html").write_bytes(edition.files["web.html"] + b" ")
    (target / "email.txt").unlink()
    (target / "issue.pdf").unlink()
    (target / "issue.pdf").mkdir()
    (target / "hero.jpg").rename(tmp_path / "hero.jpg")
    (target / "hero.jpg").symlink_to(tmp_path / "hero.jpg")
    assert verify(target) == ["email.txt", "hero.jpg", "issue.pdf", "web.html"]


def test_folder_without_a_manifest_is_a_clear_error(tmp_path):
    with pytest.raises(StorageError, match=r"manifest\.json is missing"):
        verify(tmp_path)


def test_manifest_that_points_elsewhere_is_refused(edition, tmp_path):
    content = json.loads(edition.files["manifest.json"])
    content["files"] = {"../../etc/passwd": {"bytes": 1, "sha256": "0"}}
    (tmp_path / "manifest.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(StorageError, match="not the manifest of an edition"):
        manifest.read(tmp_path)
