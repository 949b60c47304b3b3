"""The public side to try out: a newsletter below build/serve whose links lead to this machine.

Laid out once, with the sample issues in its archive; what readers do in it is kept until
`make clean`. Mail goes into its outbox, where the links to confirm are found.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMAND = Path(sys.executable).with_name("newsletter")
FOLDER = Path("build/serve")
PORT = 8000


def run(*arguments: str, inside: Path = FOLDER) -> None:
    done = subprocess.run([str(COMMAND), *arguments], cwd=ROOT / inside, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def main() -> None:
    folder = ROOT / FOLDER
    if not (folder / "newsletter.toml").exists():
        run("init", str(FOLDER), inside=Path())
        path = folder / "newsletter.toml"
        text = path.read_text("utf-8")
        site = re.search(r'(?m)^\[site\]\nurl = "(.*)"$', text)
        assert site is not None
        path.write_text(text.replace(site[1], f"http://127.0.0.1:{PORT}"), "utf-8")
        for issue in sorted((ROOT / "issues").glob("vol-*")):
            if not (folder / "issues" / issue.name).exists():
                shutil.copytree(issue, folder / "issues" / issue.name)
        run("publish", "--all")
    print(
        f"""
  http://127.0.0.1:{PORT}/       in a browser: sign up with any address, nothing leaves this machine
  {FOLDER}/outbox/test/new/  the mail to confirm by, a moment later
  Ctrl-C                     ends it
""",
        flush=True,
    )
    run("serve", "--port", str(PORT))


if __name__ == "__main__":
    main()
