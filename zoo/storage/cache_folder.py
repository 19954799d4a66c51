"""Where zoo keeps what it can make or fetch again."""

from __future__ import annotations

import os
from pathlib import Path

CACHE_VARIABLE = "ZOO_CACHE"


def cache_folder() -> Path:
    """``$ZOO_CACHE``, else the user's cache folder."""
    given = os.environ.get(CACHE_VARIABLE, "")
    if given:
        return Path(given).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("zoo"))
