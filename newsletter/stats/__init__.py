"""What can be known honestly: counts from the ledger, the events, the list and the pages.

Reads only. Refuses to guess who read what: opens and clicks are not measured.
"""
