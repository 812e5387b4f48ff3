"""What the wheel needs in addition to Python: libkstone, built by cargo, and the extension, made of `kstone.h` by cffi.

The extension finds the library in its own folder, so the installed package needs nothing of the source tree. Where
`KSTONE_LIBRARY` names a libkstone that is there already, cargo is not asked.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from cffi import FFI
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path(__file__).resolve().parent
# The library's sources: in an sdist their copy, otherwise the clone around this directory.
SDIST_ROOT = HERE / "kstone-source"
ROOT = SDIST_ROOT if SDIST_ROOT.is_dir() else HERE.parents[1]
HEADER = ROOT / "include" / "kstone.h"
PICKLED = HERE / "pickled.c"
BOUND = HERE / "bound.c"
GATHER = ROOT / "bindings" / "go" / "gather.h"
MANY = HERE / "many.c"
PACKAGE = HERE / "src" / "kstone"
EXTENSION = "_native.abi3.so"
# What the extension asks the loader for, and where the loader looks: in the extension's own directory.
if sys.platform == "darwin":
    LIBRARY, ORIGIN = "libkstone.0.dylib", "@loader_path"
else:
    LIBRARY, ORIGIN = "libkstone.so.0", "$ORIGIN"


def version() -> str:
    """The version of the library, which is the package's."""
    found = re.search(r'(?m)^version = "([^"]+)"', (ROOT / "Cargo.toml").read_text(encoding="utf-8"))
    if found is None:
        raise SystemExit(f"{ROOT / 'Cargo.toml'} has no version")
    return found[1]


class NativeBuildHook(BuildHookInterface[Any]):
    """Adds library and extension to the wheel, and tags it for this platform and every Python from 3.11 on."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build both, before the files of the wheel are gathered."""
        if not HEADER.is_file():
            raise SystemExit(
                f"{HEADER} is missing: install kstone from a clone, pip install ./bindings/python, or an sdist"
            )
        self.work = Path(tempfile.mkdtemp(prefix="kstone-"))
        library = self.work / LIBRARY
        shutil.copy(stripped(built_library(), self.work), library)
        extension = build_extension(library, self.work)
        if version == "editable":
            # Python imports the package from the source tree, so both lie there; git ignores them.
            for file in (library, extension):
                shutil.move(shutil.copy(file, PACKAGE / f"{file.name}.new"), PACKAGE / file.name)
        else:
            build_data["force_include"].update(
                {str(library): f"kstone/{LIBRARY}", str(extension): f"kstone/{EXTENSION}"},
            )
        build_data["pure_python"] = False
        build_data["tag"] = "cp311-abi3-" + re.sub(r"\W", "_", sysconfig.get_platform())

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what the wheel now holds."""
        shutil.rmtree(self.work)


def built_library() -> Path:
    """The shared library, from `KSTONE_LIBRARY` or from cargo, which builds what is not built yet."""
    if given := os.environ.get("KSTONE_LIBRARY"):
        return Path(given)
    cargo = shutil.which("cargo")
    if cargo is None:
        raise SystemExit("cargo is missing: install Rust (https://rustup.rs), or set KSTONE_LIBRARY to a libkstone")
    command = [cargo, "build", "--release", "--locked", "--package", "kstone", "--lib"]
    messages = subprocess.run(
        [*command, "--message-format=json-render-diagnostics"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    suffix = ".dylib" if sys.platform == "darwin" else ".so"
    for message in map(json.loads, messages.splitlines()):
        if message["reason"] == "compiler-artifact" and message["target"]["name"] == "kstone":
            for name in message["filenames"]:
                if name.endswith(suffix):
                    return Path(name)
    raise SystemExit(f"{' '.join(command)} built no library whose name ends in {suffix}")


def stripped(library: Path, work: Path) -> Path:
    """The library without its debug information, where there is what takes it out."""
    if os.environ.get("KSTONE_LIBRARY") or sys.platform == "darwin" or not shutil.which("objcopy"):
        return library
    subprocess.run([str(ROOT / "scripts" / "finish-library"), str(library.parent), str(work / "lib")], check=True)
    return (work / "lib" / LIBRARY).resolve()


def build_extension(library: Path, work: Path) -> Path:
    """The cffi extension in API mode: a call costs half of what it does through dlopen."""
    ffi = FFI()
    helpers = "\n".join(file.read_text(encoding="utf-8") for file in (GATHER, PICKLED, BOUND, MANY))
    ffi.cdef(declarations(HEADER.read_text(encoding="utf-8")))
    ffi.cdef(
        "\n".join(f"{function};" for function in re.findall(r"^(?!static)\w+ kpy_\w+\([^)]*\)", helpers, re.MULTILINE))
    )
    ffi.set_source(
        "_native",
        helpers,
        include_dirs=[str(HEADER.parent)],
        extra_link_args=[str(library), f"-Wl,-rpath,{ORIGIN}"],
    )
    return Path(ffi.compile(tmpdir=str(work), target=EXTENSION))


def declarations(header: str) -> str:
    """What `kstone.h` declares, as cffi reads it: no comments, no directives; the compiler says what constants are."""
    text = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)
    text = re.sub(r"^#ifdef __cplusplus\n.*?^#endif\n", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"^#define (KSTONE_\w+) \(?-?(?:\d|\(size_t\)).*$", r"constant \1", text, flags=re.MULTILINE)
    text = re.sub(r"^#define (?:.*\\\n)+.*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"\bKSTONE_MUST_USE\s+", "", text)
    text = re.sub(r"^#.*$", "", text, flags=re.MULTILINE)
    return re.sub(r"^constant (\w+)$", r"#define \1 ...", text, flags=re.MULTILINE)
