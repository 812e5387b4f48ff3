"""The extension that hatch_build.py makes of kstone.h and pickled.c: the C functions, each releasing the GIL."""

from typing import Any

ffi: Any
lib: Any
