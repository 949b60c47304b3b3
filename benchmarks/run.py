"""Measure what the speed claims rest on: `make bench`. Prints Markdown tables.

Medians of real runs of the real commands; nothing is cached between cold runs but
the operating system's file cache. Ratios compare within one run, on one machine. With
--keep the ratios of delivery go to last_release.json.
"""

from __future__ import annotations

import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path

import audience
import delivery
import web

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


def editor_rows() -> Iterator[tuple[str, ...]]:
    def row(what: str, measured: str, wanted: str, is_met: bool) -> tuple[str, ...]:
        return what, measured, wanted, "ok" if is_met else "MISSED"

    help_time = cold("--help")
    yield row("newsletter --help, cold", f"{help_time:.3f} s", "< 0.15 s", help_time < 0.15)
    one = cold("check", "2.24")
    yield row("newsletter check 2.24, cold", f"{one:.3f} s", "< 0.5 s", one < 0.5)
    many = check_many(ISSUES)
    share = many / ISSUES / one  # of a cold check alone
    measured = f"{many:.2f} s; one of them costs {share:.2f} of a cold check"
    yield row(f"newsletter check, {ISSUES} issues", measured, "< 5 s", many < 5)
    warm = compose_warm()
    yield row("compose the sample edition, warm", f"{warm * 1000:.0f} ms", "< 150 ms", warm < 0.15)


def table(title: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> bool:
    """Print a table as it is measured; return whether everything wanted was reached."""
    print(f"\n## {title}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}", flush=True)
    is_met = True
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)
        is_met = is_met and row[-1] == "ok"
    return is_met


def main() -> None:
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    head = ("what", "measured", "wanted", "")
    met = [
        table("The editor's side", head, editor_rows()),
        table("The audience", head, audience.rows()),
        table("Delivery", delivery.HEAD, delivery.rows(keep="--keep" in sys.argv)),
        table("The public side", web.HEAD, web.rows()),
    ]
    sys.exit(0 if all(met) else 1)


if __name__ == "__main__":
    main()
