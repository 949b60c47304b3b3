"""Hand an edition's messages to a transport. Never renders; refuses what was not composed."""
