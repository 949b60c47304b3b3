"""NL911 import-not-writable: An issue file cannot hold this text as it is.

The issue file is read back after it is composed, and must give the same text letter
for letter. This text does not survive, as a bullet that begins with “Sources:” does
not: there it would be the line of sources. Nothing is written; reword it in the source.
"""

from __future__ import annotations

from newsletter.diagnostics import Severity

CODE = "NL911"
SEVERITY = Severity.ERROR
