"""NL908 import-picture: The picture was left out, or something about it is missing.

A picture is taken from the disk only: embedded in a Word file, or beside the page. One
on the web is never fetched, its address is named. A credit without a picture is kept in
the issue file as a remark, `<!-- Image Source: … -->`, for the editor who adds the
picture. A picture that comes without a description or a credit needs one before the
issue can be sent.
"""

from __future__ import annotations

from newsletter.diagnostics import Severity

CODE = "NL908"
SEVERITY = Severity.WARNING
