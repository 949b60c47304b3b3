"""Who gets the edition. Reads subscriber files; refuses to guess what a bad row meant."""
