"""0001 and on. A published file is never changed again; the next one mends it."""
