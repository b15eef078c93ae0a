"""Files from the network, believed only when their checksum agrees. Leans on `files`."""

# Grown in notebooks: 3_04_data. Edit there, then `make extract`.

from __future__ import annotations

import errno
import hashlib
import http.client
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple

from minitorch.digits import DataError
from minitorch.files import settle

__all__ = ["Source", "check_md5", "data_folder", "fetch", "is_there", "md5_of", "receive"]


_PIECE = 1 << 18  # bytes read at once
_PATIENCE = 30  # seconds without an answer


class Source(NamedTuple):
    """A file of a data set: its name, size and MD5 as published, and where it is to be had."""

    name: str
    size: int
    md5: str
    urls: tuple[str, ...]


def data_folder(name: str) -> Path:
    """Where the data set `name` lies: below `MINITORCH_DATA`, else in the platform's cache."""
    if given := os.environ.get("MINITORCH_DATA"):
        return Path(given).expanduser() / name
    try:
        home = Path.home()
    except RuntimeError as error:
        raise DataError(
            f"{name}: there is no home folder to keep it in ({error}). Set the environment "
            "variable MINITORCH_DATA to a folder."
        ) from error
    if os.name == "nt":
        cache = Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local"))
    elif sys.platform == "darwin":
        cache = home / "Library" / "Caches"
    else:
        cache = Path(os.environ.get("XDG_CACHE_HOME", home / ".cache"))
    return cache / "minitorch" / name


def is_there(path: Path) -> bool:
    """Whether there is such a file; raises DataError where its folder does not let one look."""
    try:
        return path.exists()
    except OSError as error:
        raise DataError(
            f"{path.parent} cannot be looked into ({error.strerror}). Set the environment variable "
            "MINITORCH_DATA to a folder that can."
        ) from error


def md5_of(path: Path) -> str:
    """MD5 of a file, which shows accidents; published checksums of old data sets are MD5."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def check_md5(path: Path, md5: str) -> None:
    """Raise DataError where a file is not the one with this MD5."""
    try:
        found = md5_of(path)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}.") from error
    if found != md5:
        raise DataError(
            f"{path} is damaged: its MD5 is {found} and not {md5}. Delete it, and it is "
            "downloaded anew."
        )


def fetch(source: Source, folder: Path) -> Path:
    """The file of `source` in `folder`, downloaded when it is not there yet.

    Each address is tried in turn, going on from what an interrupted attempt left. The file gets
    its name when it is whole and its checksum agrees. Raises DataError, which says what to do.
    """
    path = folder / source.name
    if is_there(path):
        return path
    partial = folder / f"{source.name}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial.open("ab").close()
    except OSError as error:
        raise DataError(
            f"{path} is not there, and its folder cannot be written to ({error.strerror}). Set the "
            "environment variable MINITORCH_DATA to a folder that can."
        ) from error
    faults = []
    for url in source.urls:
        try:
            receive(url, source, partial)
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                raise DataError(
                    f"{source.name} of {source.size / 1e6:.1f} MB does not fit: the disk of "
                    f"{folder} is full. Make room, and it goes on from what is there; or set the "
                    "environment variable MINITORCH_DATA to a folder elsewhere."
                ) from error
            faults.append(f"{url}: {getattr(error, 'reason', error) or type(error).__name__}")
            continue
        if (size := partial.stat().st_size) < source.size:
            faults.append(f"{url}: ended after {size:,} of {source.size:,} bytes")
        elif size == source.size and md5_of(partial) == source.md5:
            settle(partial, path)
            return path
        else:
            partial.write_bytes(b"")
            faults.append(f"{url}: gave another file, its MD5 is not {source.md5}")
    if not partial.stat().st_size:
        partial.unlink()
    raise DataError(
        f"{source.name} could not be downloaded. " + "; ".join(faults) + ". Try again when there "
        f"is a network, or download it elsewhere and put it into {folder}."
    )


def receive(url: str, source: Source, partial: Path) -> None:
    """Add what `partial` lacks from `url`, with a progress bar; never more than the file's size."""
    from tqdm.auto import tqdm

    have = partial.stat().st_size
    if have >= source.size:
        return
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
        goes_on = answer.status == http.client.PARTIAL_CONTENT
        have = have if goes_on else 0
        with (
            partial.open("ab" if goes_on else "wb") as file,
            tqdm(
                total=source.size, initial=have, desc=source.name, unit="B", unit_scale=True
            ) as bar,
        ):
            # One byte more than there should be is enough to see that it is another file.
            while have <= source.size and (
                piece := answer.read(min(_PIECE, source.size + 1 - have))
            ):
                file.write(piece)
                have += len(piece)
                bar.update(len(piece))
