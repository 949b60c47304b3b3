"""A newsletter, published as code: editors draft in a folder, subscribers get it by e-mail."""

__version__ = "0.1.0"
