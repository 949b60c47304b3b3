"""What comes back after sending: events of providers and of the bounce mailbox.

Reads them, writes the ledger and the suppressions. Refuses to bring anybody back onto
the list, and to take silence for news.
"""
