"""What a time was measured on: processor, threads, BLAS kernel, versions."""

from __future__ import annotations

import datetime
import importlib
import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

PACKAGES = ("numpy", "torch", "jax", "autograd", "mygrad", "numba")


def head(name: str, does: str) -> dict[str, Any]:
    """How every record of a run begins: what was measured, when, and on what."""
    return {
        "name": name,
        "does": does,
        "date": datetime.date.today().isoformat(),
        "machine": describe_machine(),
        "versions": versions(),
    }


def describe_machine() -> dict[str, str | int]:
    """The kind of machine: processor, cores, system, Python."""
    return {
        "cpu": processor_name(),
        "cores": cores(),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def cores() -> int:
    """How many cores this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)  # Linux
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def processor_name() -> str:
    """The processor's model, with family and model number where its name says little."""
    if not (info := Path("/proc/cpuinfo")).exists():
        return platform.processor() or platform.machine()
    lines = (line.partition(":") for line in info.read_text().splitlines())
    fields = {key.strip(): value.strip() for key, _, value in lines}
    name = fields.get("model name", platform.machine())
    return f"{name} (family {fields.get('cpu family', '?')}, model {fields.get('model', '?')})"


def versions() -> dict[str, str]:
    """Versions of the packages that take part and are installed."""
    installed = {}
    for package in PACKAGES:
        try:
            installed[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return installed


def blas_kernels() -> str:
    """The kernel and the thread count of each BLAS and OpenMP library that is loaded."""
    threadpoolctl: Any = importlib.import_module("threadpoolctl")
    return "; ".join(
        f"{pool['internal_api']} {pool.get('architecture', '')}".strip()
        + f", {pool['num_threads']} threads"
        for pool in threadpoolctl.threadpool_info()
    )
