"""Notice changes of newsletter.toml while a long process runs.

A file that cannot be used changes nothing; it is reported once, and not at the first
look, because somebody may be about to write it.
"""

from __future__ import annotations

from newsletter.config import Config, Workspace
from newsletter.config.load import CONFIG_NAME, load
from newsletter.errors import ConfigError


class ConfigurationFile:
    """The file of *workspace*, whose configuration was read just now."""

    def __init__(self, workspace: Workspace) -> None:
        self._path = workspace.root / CONFIG_NAME
        self._config = workspace.config
        self._stamp: tuple[int, ...] | None = None  # unknown: it may have changed since
        self._fault: ConfigError | None = None
        self._looks = 0  # at the same fault

    def news(self) -> Config | None:
        """Read the file if it was touched; return what it says if that is new."""
        stamp = self._stamp_of_file()
        if stamp == self._stamp:
            return None
        try:
            config = load(self._path)
        except ConfigError as error:
            self._fault = error
            self._looks += 1
            return None
        self._stamp, self._fault, self._looks = stamp, None, 0
        if config == self._config:
            return None
        self._config = config
        return config

    def fault(self) -> ConfigError | None:
        """Return what is wrong with the file, at the second look that finds it so."""
        return self._fault if self._looks == 2 else None

    def _stamp_of_file(self) -> tuple[int, ...]:
        try:
            found = self._path.stat()
        except OSError:
            return ()
        return (found.st_mtime_ns, found.st_size, found.st_ino)
