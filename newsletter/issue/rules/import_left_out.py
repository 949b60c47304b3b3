"""NL909 import-left-out: Text of the source was left out.

It stands where the issue stands, but is neither a headline, a bullet, a credit nor
part of the page that issues never have (title, download lines, standard text,
footer, menus). If it belongs to the issue, copy it into the file by hand.
"""

from __future__ import annotations

from newsletter.diagnostics import Severity

CODE = "NL909"
SEVERITY = Severity.WARNING
