"""The commands of `newsletter site`, a module each."""
