"""How mail leaves: one file each."""
