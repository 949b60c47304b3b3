"""`newsletter api-key …`: one module per command, imported when it is called."""
