"""Import an issue that was written elsewhere: a web page, a Word file, a two-list draft.

Takes the text exactly, letter for letter, and leaves the furniture of the page
out. Refuses to guess silently and to fetch anything: what was inferred, dropped
or not understood is a diagnostic; a picture is taken only from the disk.

The way of the data: a reader (`page_text`, `page_html`, `word`, `draft`) turns the
file into blocks, `content` finds the issue in them, `read` puts it together and
`folder` writes it.
"""

from newsletter.issue.importer.folder import write_import
from newsletter.issue.importer.imported import Imported
from newsletter.issue.importer.read import import_file

__all__ = ["Imported", "import_file", "write_import"]
