"""NL808 pdf-pages: The PDF has more than two pages.

The digest is one sheet of paper, printed on both sides. An issue of 600 words with a
picture fits; long sources, a long note or many long headlines may not.

    wrong: a third page with the imprint alone
    right: two pages: shorten the longest bullet, or a line of sources

Where more pages are meant, name NL808 under `ignore` in newsletter.toml, section [check].
"""

from __future__ import annotations

from newsletter.diagnostics import Severity

CODE = "NL808"
SEVERITY = Severity.WARNING
