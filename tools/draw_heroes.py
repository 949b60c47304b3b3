"""Draw the hero pictures of the sample issues: `python tools/draw_heroes.py [FOLDER]`.

Original flat illustrations in pure code (Pillow), so that the repository holds no
one else's photograph and anyone can draw them again, byte for byte with the same
Pillow.
"""

from __future__ import annotations

import sys
from pathlib import Path

from formation import formation
from harbor import harbor
from PIL import Image

MAX_BYTES = 250_000


def save(picture: Image.Image, path: Path) -> None:
    """Write the best JPEG below `MAX_BYTES`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for quality in range(90, 40, -2):
        picture.save(path, "JPEG", quality=quality, optimize=True, progressive=True)
        if path.stat().st_size <= MAX_BYTES:
            print(
                f"{path}: {picture.width} × {picture.height}, quality {quality},"
                f" {path.stat().st_size:,} bytes"
            )
            return
    raise SystemExit(f"{path} does not fit {MAX_BYTES:,} bytes")


def main() -> None:
    issues = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "issues"
    save(harbor(), issues / "vol-2-23" / "hero.jpg")
    save(formation(), issues / "vol-2-24" / "hero.jpg")


if __name__ == "__main__":
    main()
