"""Files that are whole or not there at all, whenever the power goes. Leans on nothing."""

# Grown in notebooks: 3_01_keeping_state. Edit there, then `make extract`.

from __future__ import annotations

import errno
import os
from pathlib import Path

__all__ = ["settle", "sync_folder", "write_safely"]


def settle(temporary: Path, path: Path) -> None:
    """Give the finished file `temporary` the name `path`, in one step that survives a power cut.

    The bytes are on the disk before the name points at them, and the name before this returns.
    """
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Wait until the names in `folder` are on the disk; Windows cannot be asked, and does so."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_safely(path: Path, content: bytes) -> None:
    """Write `content` to `path`: whoever reads it sees the old file or the new, never half of one.

    Raises OSError, and leaves the old file as it was, when the disk is full or may not be written,
    or when `path` is a device, which the new file would take the place of.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise OSError(errno.EINVAL, "it is a device or a pipe", str(path))
    temporary = path.with_name(f"{path.name}.part")
    try:
        temporary.write_bytes(content)
        settle(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
