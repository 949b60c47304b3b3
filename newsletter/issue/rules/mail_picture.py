"""NL804 mail-picture: A picture of the e-mail has no alt text.

Many mail programs show no pictures at first, and a screen reader never shows one.
The hero has the description that the editor wrote; what only decorates says so.

    wrong: <img src="…/line.png">
    right: <img src="…/line.png" alt="">
"""

from __future__ import annotations

from newsletter.diagnostics import Severity

CODE = "NL804"
SEVERITY = Severity.ERROR
