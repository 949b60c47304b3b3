"""Time zones to choose from. Refuses nothing: `fields.time_zone_of` says what may be kept."""

from __future__ import annotations

from functools import cache

_AREAS = frozenset(
    "Africa America Antarctica Arctic Asia Atlantic Australia Europe Indian Pacific".split()
)


@cache
def common_time_zones() -> tuple[str, ...]:
    """The zones named after places, in order, and UTC: without the aliases of old systems."""
    from zoneinfo import available_timezones  # reads a folder tree

    places = (name for name in available_timezones() if name.partition("/")[0] in _AREAS)
    return ("UTC", *sorted(places))
