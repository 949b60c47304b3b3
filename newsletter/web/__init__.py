"""The public server: pages, sign-up and leaving, the JSON API, webhooks, health.

Denies by default: a route that is not listed is not there. A GET changes nothing. Sets no
cookie, loads nothing from anybody else, and logs no address.
"""
