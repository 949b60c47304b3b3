"""Measure what the speed claims rest on: `make bench`. Prints a Markdown table.

Medians of real runs of the real commands; nothing is cached between cold runs but
the operating system's file cache. Ratios compare within one run, on one machine.
"""

from __future__ import annotations

import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from audience import rows as audience_rows

ROOT = Path(__file__).resolve().parents[1]
COMMAND = str(Path(sys.executable).with_name("newsletter"))
COLD_RUNS, WARM_RUNS, ISSUES = 9, 30, 100


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def command(*arguments: str, cwd: Path = ROOT) -> float:
    def run() -> None:
        done = subprocess.run([COMMAND, *arguments], cwd=cwd, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()

    return seconds(run)


def cold(*arguments: str, runs: int = COLD_RUNS, cwd: Path = ROOT) -> float:
    command(*arguments, cwd=cwd)  # byte code is compiled at installation, not at every start
    return statistics.median(command(*arguments, cwd=cwd) for _ in range(runs))


def workspace_of_many(folder: Path, issues: int) -> None:
    """A workspace with *issues* issues made from the newest sample, each with its own words."""
    for part in ("newsletter.toml", "people.txt", "terms.toml"):
        shutil.copy(ROOT / part, folder / part)
    newest = max((ROOT / "issues").glob("vol-*"))
    text = (newest / "issue.md").read_text(encoding="utf-8")
    day = date(2019, 1, 1).toordinal()
    for index in range(issues):
        volume, number = 1 + index // 24, 1 + index % 24
        target = folder / "issues" / f"vol-{volume}-{number:02d}"
        shutil.copytree(newest, target)
        front, _, body = text.partition("\n---\n")
        when = date.fromordinal(day + 14 * index)
        front = f"---\nissue: {volume}.{number}\ndate: {when}"
        body = body.replace("\n## ", f"\n## Part {index}: ")
        (target / "issue.md").write_text(f"{front}\n---\n{body}", encoding="utf-8")


def check_many(issues: int) -> float:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        workspace_of_many(folder, issues)
        return statistics.median(
            seconds(
                lambda: subprocess.run(
                    [COMMAND, "check"], cwd=folder, capture_output=True, check=False
                )
            )
            for _ in range(3)
        )


def compose_warm() -> float:
    from newsletter.cli.shared import sound_issue, workspace_at
    from newsletter.compose.edition import compose

    workspace = workspace_at(str(ROOT))
    folder, issue = sound_issue(None, workspace)
    compose(issue, folder, workspace)
    return statistics.median(
        seconds(lambda: compose(issue, folder, workspace)) for _ in range(WARM_RUNS)
    )


def assembly() -> float:
    """Messages per second, assembled for example readers from one template."""
    from newsletter.cli.shared import sound_issue, workspace_at
    from newsletter.compose.edition import compose, planned_date
    from newsletter.compose.message import MessageTemplate, Recipient, headers_of

    workspace = workspace_at(str(ROOT))
    folder, issue = sound_issue(None, workspace)
    edition = compose(issue, folder, workspace)
    headers = headers_of(edition.view, workspace.config, planned_date(edition.view, workspace))
    template = MessageTemplate(
        headers, edition.files["email.html"].decode(), edition.files["email.txt"].decode()
    )
    names = ("Ada Okafor", "José Núñez", "佐藤 健", "")
    readers = [
        Recipient(
            email=f"reader{index}@example.org",
            name=names[index % len(names)],
            delivery=f"{index:022d}",
            unsubscribe_url=f"https://digest.example.org/unsubscribe/{index:022d}",
            preferences_url=f"https://digest.example.org/preferences/{index:022d}",
            web_url="https://digest.example.org/vol-2-24/",
        )
        for index in range(20_000)
    ]

    def run() -> None:
        for reader in readers:
            template.assemble(reader)

    return len(readers) / statistics.median(seconds(run) for _ in range(3))


def main() -> None:
    help_time = cold("--help")
    check_one = cold("check", "2.24")
    many = check_many(ISSUES)
    warm = compose_warm()
    rows = [
        ("newsletter --help, cold", f"{help_time:.3f} s", "< 0.15 s", help_time < 0.15),
        ("newsletter check 2.24, cold", f"{check_one:.3f} s", "< 0.5 s", check_one < 0.5),
        (f"newsletter check, {ISSUES} issues", f"{many:.2f} s", "< 5 s", many < 5),
        ("compose the sample edition, warm", f"{warm * 1000:.0f} ms", "< 150 ms", warm < 0.15),
    ]
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}\n")
    print("| what | measured | wanted | |\n|---|---|---|---|")
    for name, value, wanted, good in rows:
        print(f"| {name} | {value} | {wanted} | {'ok' if good else 'MISSED'} |")
    print(f"| assemble messages, one core | {assembly():,.0f}/s | | |", flush=True)
    audience = audience_rows()
    for row in audience:
        print(f"| {' | '.join(row)} |")
    print(
        f"\nOne issue among {ISSUES} costs {many / ISSUES / check_one:.2f} of a cold check alone."
    )
    missed = not all(good for *_, good in rows) or any(row[-1] != "ok" for row in audience)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
