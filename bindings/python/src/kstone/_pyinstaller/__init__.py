"""What PyInstaller asks this package for: the directory of its hook."""

from pathlib import Path


def hook_directories() -> list[str]:
    """Where `hook-kstone.py` is."""
    return [str(Path(__file__).parent)]
