"""Import subscribers from CSV files: our own and those of other newsletter systems.

Reads a file once to know its encoding and its hash, then streams it in batches; each
batch is one transaction, so that a crash or Ctrl-C keeps whole batches and the same
command goes on. Refuses to guess: a bad row is reported with its place and written to
a rejects file, and nobody who left or is suppressed comes back by an import.

The way of the data: `reading` gives rows, `columns` and `peers` say what they mean,
`row` and `cells` make candidates of them, `chunk` and `statements` judge and apply
these in the database, `run` puts it together.
"""

from newsletter.audience.importer.columns import parse_mapping
from newsletter.audience.importer.report import Progress, Reject, Report
from newsletter.audience.importer.run import import_csv
from newsletter.audience.importer.taken import fingerprint, is_taken

__all__ = [
    "Progress",
    "Reject",
    "Report",
    "fingerprint",
    "import_csv",
    "is_taken",
    "parse_mapping",
]
