"""The routes, one module for each part of the public side; each makes a router from a Context."""
