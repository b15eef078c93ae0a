"""A JupyterLab server of our own, in directories of its own, that ends when we do."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
QUIET = '{"fetchNews":"false","checkForUpdates":false}'  # else a news window covers the page


class Lab:
    """The server; `url` opens a notebook of `folder`."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "notebooks"
        self.folder.mkdir(parents=True)
        self.token = secrets.token_hex(16)
        self.port = free_port()
        environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        for name in ("CONFIG", "DATA", "RUNTIME"):
            environment[f"JUPYTER_{name}_DIR"] = made(home / name.lower())
        environment["IPYTHONDIR"] = made(home / "ipython")
        environment["JUPYTERLAB_WORKSPACES_DIR"] = made(home / "workspaces")
        settings = home / "settings"
        environment["JUPYTERLAB_SETTINGS_DIR"] = str(settings)
        plugin = settings / "@jupyterlab" / "apputils-extension"
        plugin.mkdir(parents=True)
        (plugin / "notification.jupyterlab-settings").write_text(QUIET)
        self.log = (home / "server.log").open("w")
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1",
                f"--port={self.port}", "--allow-root", "--ServerApp.port_retries=0",
                f"--IdentityProvider.token={self.token}", f"--ServerApp.root_dir={self.folder}",
                "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
                "--LabApp.extension_manager=readonly", "--LabApp.expose_app_in_browser=True",
            ],
            env=environment, cwd=self.folder, stdout=self.log, stderr=self.log,
            start_new_session=True,
        )  # fmt: skip
        try:
            self.wait()
        except BaseException:
            self.close()
            raise

    def wait(self, patience: float = 240) -> None:
        """Return once the server answers."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"JupyterLab ended; see {self.log.name}")
            try:
                urllib.request.urlopen(f"{self.base}/api?token={self.token}", timeout=2).close()
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.2)
            else:
                return
        raise TimeoutError(f"JupyterLab did not answer in {patience} s; see {self.log.name}")

    @property
    def base(self) -> str:
        """The address without a path."""
        return f"http://127.0.0.1:{self.port}"

    def url(self, name: str) -> str:
        """The address of a notebook."""
        return f"{self.base}/lab/tree/{name}?reset&token={self.token}"

    def close(self) -> None:
        """End the server and the kernels that it started."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(timeout=60)
        self.log.close()


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def made(folder: Path) -> str:
    """Make a folder and return its name."""
    folder.mkdir(parents=True, exist_ok=True)
    return str(folder)
