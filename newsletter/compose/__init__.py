"""Compose an Issue once into an Edition: e-mail, plain text, web page, PDF, images, manifest.

Pure: the same issue, templates and configuration give the same bytes, on another
day and in another folder. Refuses to fetch anything and to know any subscriber.
"""
