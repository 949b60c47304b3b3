"""Draw docs/images/mail.png: the newest sample issue as mail, in three frames of its preview.

Needs Chromium; run it after changing a template: .venv/bin/python tools/draw_mail.py
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "images" / "mail.png"
SIZE = (1460, 1000)
FRAMES = {"E-mail, 600 pixels": 600, "E-mail, 375 pixels": 375, "E-mail, dark": 375}
CHROMIUM = (
    "chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync --hide-scrollbars"
).split()


def page(preview: str) -> str:
    frames = []
    for title, width in FRAMES.items():
        found = re.search(rf'<iframe title="{title}" sandbox srcdoc="([^"]*)"', preview)
        assert found is not None, title
        frames.append(f'<iframe style="width:{width}px" srcdoc="{found[1]}"></iframe>')
    style = (
        "body{margin:0;padding:30px;background:#dfe3e8;display:flex;gap:25px}"
        "iframe{height:940px;border:0;border-radius:10px;box-shadow:0 6px 24px rgb(0 0 0/.18)}"
    )
    return f'<!DOCTYPE html><meta charset="utf-8"><style>{style}</style>{"".join(frames)}'


def main() -> None:
    newsletter = Path(sys.executable).with_name("newsletter")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        subprocess.run([newsletter, "preview", "--to", folder / "out"], cwd=ROOT, check=True)
        preview = (folder / "out" / "preview.html").read_text(encoding="utf-8")
        (folder / "page.html").write_text(page(preview), encoding="utf-8")
        shot = folder / "shot.png"
        subprocess.run(
            [
                *CHROMIUM,
                f"--user-data-dir={folder / 'profile'}",
                f"--window-size={SIZE[0]},{SIZE[1]}",
                f"--screenshot={shot}",
                (folder / "page.html").as_uri(),
            ],
            check=True,
            capture_output=True,
            timeout=60,
        )
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(shot) as image:
            image.convert("RGB").quantize(200, dither=Image.Dither.NONE).save(
                PICTURE, optimize=True
            )


if __name__ == "__main__":
    main()
