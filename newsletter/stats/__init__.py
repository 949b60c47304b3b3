"""What can be known honestly: counts from the ledger, the events, the list and the pages.

Reads, but for the counts of page loads. Refuses to guess: what the records do not tell is
None, with the reason; opens and clicks are not measured at all.
"""
