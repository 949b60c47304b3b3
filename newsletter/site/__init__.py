"""The archive: the pages and feeds that are the same for everybody, made from frozen editions.

Pure but for reading: the same editions give the same bytes, served or built into a folder.
Knows no subscriber. The one exception is `publishing`, which an operator calls.
"""
