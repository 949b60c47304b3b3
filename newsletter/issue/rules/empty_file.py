"""NL011 empty-file: The issue file is empty.

`newsletter new` lays out an issue with number, date and five headings, ready to
fill in.
"""

from __future__ import annotations

from newsletter.diagnostics import Severity

CODE = "NL011"
SEVERITY = Severity.ERROR
