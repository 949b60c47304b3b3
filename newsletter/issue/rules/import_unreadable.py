"""NL901 import-unreadable: The source cannot be read.

`newsletter import` takes a web page as text or HTML, a Word file (.docx) and a
draft in Markdown. This file is empty, larger than an issue can be (5 MB of text,
50 MB for Word), locked by a password, damaged, or of another kind, such as a PDF or
a picture. Nothing is written.

Wrong: a .doc file of an old Word, or a .docx with a password. Right: open it in a
word processor and save it as .docx, without a password.
"""

from __future__ import annotations

from newsletter.diagnostics import Severity

CODE = "NL901"
SEVERITY = Severity.ERROR
