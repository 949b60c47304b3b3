"""Settings for all tests: how hard Hypothesis tries, and the databases they run on."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# A slow machine is no failure; `make soak` looks forty times as hard.
settings.register_profile("test", deadline=None, max_examples=100)
settings.register_profile(
    "soak", deadline=None, max_examples=4_000, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("soak" if os.environ.get("NEWSLETTER_SOAK") else "test")

pytest_plugins = ["tests.databases"]
