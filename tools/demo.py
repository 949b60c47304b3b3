"""The main job, end to end, in a newsletter of its own below build/: compose, import people, send.

Runs the commands that an editor would type, and says where to look afterwards. Every
run starts anew, so that all of it is seen; a second `send` shows that nobody gets it twice.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMAND = Path(sys.executable).with_name("newsletter")
FOLDER = Path("build/demo")


def run(*arguments: str, inside: Path = FOLDER) -> None:
    print(f"\n$ newsletter {shlex.join(arguments)}", flush=True)
    done = subprocess.run([str(COMMAND), *arguments], cwd=ROOT / inside, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def main() -> None:
    newest = max(path.name for path in (ROOT / "issues").glob("vol-*"))
    shutil.rmtree(ROOT / FOLDER, ignore_errors=True)
    run("init", str(FOLDER), inside=Path())
    run("check", newest)
    run("preview", newest)
    run("subscribers", "import", "--consent", "example people, made up")
    run("send", newest, "--yes")
    run("send", newest, "--yes")
    run("status", newest)
    print(
        f"""
Look at it:
  {FOLDER}/build/{newest}/preview.html   e-mail (wide, narrow, dark), text, web page and PDF
  {FOLDER}/outbox/{newest}/new/          one .eml per subscriber; open one in your mail program

Next:
  cd {FOLDER}                   a newsletter to play with; make demo lays it out anew
  ../../.venv/bin/newsletter --help
  docs/quickstart.md                from here to your own newsletter
  docs/how-to/send.md               from the folder to a mail server or SendGrid""",
        flush=True,
    )


if __name__ == "__main__":
    main()
