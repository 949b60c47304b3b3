"""Notices: mail to one reader about their own subscription, by their own request.

Kept in the database until a transport has taken them, so that a crash or a mail server
that is away loses none. Never more than one to an address in a while.
"""
