"""Runs of whole campaigns for delivery.py: workspaces, servers, and one function for each run.

A run returns what its process printed: `seconds` and `accepted` at least. Each is
checked: everybody was reached, and the other side got as many as the ledger says.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from audience import VARIABLE, imported, people_file

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
MESSAGE = 35_000  # bytes of a message of smtp-source: about those of the newest edition

# ── servers ─────────────────────────────────────────────────────────────────


class Sink:
    """sink.c, running. *messages* is known once it has ended."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen([program, "0"], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        self.messages = 0

    def __enter__(self) -> Sink:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        output, _ = self._process.communicate(timeout=10)
        found = re.match(r"messages ([0-9]+) ", output)
        assert found is not None, output
        self.messages = int(found[1])


def built_sink(folder: Path) -> Path:
    program = folder / "sink"
    subprocess.run(["cc", "-O2", "-o", program, HERE / "sink.c"], check=True)
    return program


class SendgridFake:
    """The fake of the tests, in a process of its own; it reads every request."""

    def __init__(self) -> None:
        program = ROOT / "tests" / "delivery" / "sendgrid_fake.py"
        self._process = subprocess.Popen(
            [sys.executable, program, "0"], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        self.recipients = 0

    def __enter__(self) -> SendgridFake:
        return self

    def __exit__(self, *_: object) -> None:
        with urlopen(f"{self.url}/stats") as answer:
            self.recipients = json.load(answer)["recipients"]
        self._process.terminate()
        self._process.communicate(timeout=10)


# ── workspaces ──────────────────────────────────────────────────────────────


def workspace(folder: Path) -> Path:
    """A newsletter with the repository's newest issue, not yet configured for sending."""
    folder.mkdir()
    for part in ("newsletter.toml", "people.txt", "terms.toml"):
        shutil.copy(ROOT / part, folder / part)
    shutil.copytree(ROOT / "templates", folder / "templates")
    newest = max((ROOT / "issues").glob("vol-*"))
    shutil.copytree(newest, folder / "issues" / newest.name)
    return folder


def configure(folder: Path, text: str) -> None:
    """Put *text* in the place of all that newsletter.toml says about sending."""
    path = folder / "newsletter.toml"
    ours = r"(?ms)^\[(?:transport|outbox|smtp|sendgrid|rates|delivery|dkim)\b.*?(?=^\[|\Z)"
    path.write_text(re.sub(ours, "", path.read_text("utf-8")) + "\n" + text, "utf-8")


def smtp(port: int, connections: int) -> str:
    return (
        f'[transport]\nkind = "smtp"\n[smtp]\nhost = "127.0.0.1"\nport = {port}\n'
        f'security = "none"\nconnections = {connections}\n'
    )


def with_people(folder: Path, people: int) -> Path:
    """A workspace whose SQLite database holds so many subscribers."""
    workspace(folder)
    people_file(folder / "people.csv", people)
    imported(folder, database(folder), folder / "people.csv")
    (folder / "people.csv").unlink()
    return folder


def database(folder: Path) -> str:
    return f"sqlite:///{folder / 'list.db'}"


@contextmanager
def copied(folder: Path) -> Iterator[Path]:
    """A copy to send from, as nothing can be sent twice; gone afterwards."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        yield Path(shutil.copytree(folder, Path(scratch) / "copy"))


# ── runs ────────────────────────────────────────────────────────────────────


def child(folder: Path, *arguments: str, url: str = "") -> dict[str, float]:
    """Run one of our scripts; return what it prints last, once it has reached everybody."""
    secrets = {VARIABLE: url, "NEWSLETTER_SENDGRID_KEY": "SG.benchmark", "PYTHONPATH": str(HERE)}
    script, *others = arguments
    done = subprocess.run(
        [sys.executable, HERE / script, *others],
        cwd=folder,
        env={**os.environ, **secrets},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    assert found["accepted"] == found.get("intended", found["accepted"]) > 0, found
    return found


def sent(people: Path, connections: int, program: Path) -> dict[str, float]:
    """A whole campaign over SMTP into a sink."""
    with copied(people) as folder:
        with Sink(program) as sink:
            configure(folder, smtp(sink.port, connections))
            found = child(folder, "send_once.py", "configured", url=database(folder))
        assert sink.messages == found["accepted"], (sink.messages, found)
    return found


def memory_of_sending(folder: Path) -> float:
    """MB: the most that `newsletter send` and the process it forks had resident together.

    What they share is counted twice.
    """
    secrets = {VARIABLE: database(folder), "NEWSLETTER_ACTOR": "benchmark"}
    process = subprocess.Popen(
        [sys.executable, "-m", "newsletter", "send", "--yes"],
        cwd=folder,
        env={**os.environ, **secrets},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    most = 0
    while process.poll() is None:
        most = max(most, sum(_resident(number) for number in _both(process.pid)))
        time.sleep(0.02)
    assert process.returncode == 0
    return most / 1024


def _both(sender: int) -> list[int]:
    """The sender, and what it forked: not what it started to compose with."""
    try:
        line = Path(f"/proc/{sender}/cmdline").read_bytes()
        children = Path(f"/proc/{sender}/task/{sender}/children").read_text().split()
        forked = [int(n) for n in children if Path(f"/proc/{n}/cmdline").read_bytes() == line]
    except OSError:
        return []
    return [sender, *forked]


def _resident(number: int) -> int:
    """kB"""
    try:
        found = re.search(r"VmRSS:\s+([0-9]+) kB", Path(f"/proc/{number}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) if found else 0


def by_smtplib(program: Path, number: int) -> dict[str, float]:
    with Sink(program) as sink:
        found = child(HERE, "smtplib_pool.py", str(sink.port), str(number))
    assert sink.messages == found["accepted"]
    return found


def by_smtp_source(program: Path, number: int) -> dict[str, float] | None:
    """Postfix's own test sender, with messages of our size; None where it is not installed."""
    found = shutil.which("smtp-source", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if found is None:
        return None
    options = ["-s", "10", "-m", str(number), "-l", str(MESSAGE), "-f", "a@example.org", "-d"]
    with Sink(program) as sink:
        start = time.perf_counter()
        subprocess.run(
            [found, *options, "-t", "b@example.org", f"inet:127.0.0.1:{sink.port}"], check=True
        )
        seconds = time.perf_counter() - start
    assert sink.messages == number
    return {"seconds": seconds, "accepted": number}


def by_sendgrid(people: Path) -> dict[str, float]:
    """A whole campaign to the fake of SendGrid."""
    with copied(people) as folder:
        with SendgridFake() as fake:
            configure(folder, f'[transport]\nkind = "sendgrid"\n[sendgrid]\nurl = "{fake.url}"\n')
            found = child(folder, "send_once.py", "configured", url=database(folder))
        assert fake.recipients == found["accepted"], (fake.recipients, found)
    return found


def ledger_alone(people: Path, url: str | None = None) -> dict[str, float]:
    with copied(people) as folder:
        configure(folder, smtp(25, 10))
        return child(folder, "send_once.py", "null", url=url or database(folder))
