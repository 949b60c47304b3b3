"""Who gets the edition: subscribers, their consent, and the addresses never to be mailed.

`subscribers` is the door; `importer` and `export` read and write files. Refuses to
bring back anyone who left: that takes a lift with a reason, and then a new consent.
"""
