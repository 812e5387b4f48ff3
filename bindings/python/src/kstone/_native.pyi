"""The extension that hatch_build.py makes of kstone.h: the C functions as they are, each releasing the GIL."""

from typing import Any

ffi: Any
lib: Any
