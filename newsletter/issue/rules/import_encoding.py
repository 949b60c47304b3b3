"""NL902 import-encoding: The encoding of the source was inferred.

The file is not UTF-8 and does not say what it is. It was read as Windows-1252, which
most programs mean that write no UTF-8. Look whether quotes, dashes and names came out
right; if not, save the file as UTF-8 and import it again.
"""

from __future__ import annotations

from newsletter.diagnostics import Severity

CODE = "NL902"
SEVERITY = Severity.WARNING
