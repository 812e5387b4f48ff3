"""PyInstaller's hook for kstone: the extension imports cffi's runtime from C, which nothing else shows."""

hiddenimports = ["_cffi_backend"]
