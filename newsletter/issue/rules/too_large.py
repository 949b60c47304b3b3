"""NL001 too-large: The issue file is too large to be an issue.

An issue is five short items, some 4 kB. A file of more than 50 kB is something
else: a picture pasted into the text, a whole archive, the wrong file. Nothing
else is checked until it is put right.

Pictures stand beside the text as files of their own:

    ![Two flags in front of a conference room](hero.jpg)
"""

from __future__ import annotations

from newsletter.diagnostics import Severity

CODE = "NL001"
SEVERITY = Severity.ERROR
