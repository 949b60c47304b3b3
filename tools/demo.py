"""The main job, end to end: check the newest issue, compose it, write the mail to a list of people.

Runs the commands that an editor would type, and says where to look afterwards.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMAND = Path(sys.executable).with_name("newsletter")
OUTBOX = "outbox"


def run(*arguments: str) -> None:
    print(f"\n$ newsletter {shlex.join(arguments)}", flush=True)
    done = subprocess.run([str(COMMAND), *arguments], cwd=ROOT, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def main() -> None:
    newest = max(path.name for path in (ROOT / "issues").glob("vol-*"))
    run("check", newest)
    run("preview", newest, "--to", f"build/{newest}")
    run("subscribers", "import", "--consent", "example people, made up")
    run("send", newest, "--to", OUTBOX, "--yes")
    print(
        f"""
Look at it:
  build/{newest}/preview.html      e-mail (wide, narrow, dark), text, web page and PDF side by side
  {OUTBOX}/{newest}/               one .eml per subscriber; open one in your mail program

Next:
  .venv/bin/newsletter subscribers list    the example people
  .venv/bin/newsletter new                 make the next issue, then edit it
  .venv/bin/newsletter --help              every command
  docs/quickstart.md                       from here to your own newsletter""",
        flush=True,
    )


if __name__ == "__main__":
    main()
