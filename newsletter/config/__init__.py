"""`newsletter.toml`: what this newsletter is called, who publishes it, how it looks.

Read once, checked whole, frozen. Refuses secrets: they come from the environment
or from files of their own.
"""

from newsletter.config.load import (
    CONFIG_NAME,
    Workspace,
    find_root,
    load,
    open_workspace,
    read_text,
)
from newsletter.config.model import CheckConfig, Config, config_schema

__all__ = [
    "CONFIG_NAME",
    "CheckConfig",
    "Config",
    "Workspace",
    "config_schema",
    "find_root",
    "load",
    "open_workspace",
    "read_text",
]
