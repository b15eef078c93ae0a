"""Downloads, against a server on this machine that misbehaves in every way a network does."""

import errno
import hashlib
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from minitorch import downloads
from minitorch.datasets import cifar10, mnist
from minitorch.digits import DataError
from minitorch.downloads import Source, data_folder, fetch

CONTENT = np.random.default_rng(0).bytes(1_000_000)
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """The path says how to answer; `asked` keeps the requests."""

    asked: list[tuple[str, str | None]]

    def do_GET(self):
        start = self.headers["Range"]
        self.asked.append((self.path, start))
        behaviour, content = self.path.strip("/"), CONTENT
        if behaviour == "missing":
            self.send_error(404)
            return
        if behaviour == "other":
            content = CONTENT[:-1] + b"?"
        if behaviour == "longer":
            content = CONTENT * 3
        if start and behaviour != "no-range":
            content = content[int(start.removeprefix("bytes=").removesuffix("-")) :]
            self.send_response(206)
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: 400_000 if behaviour == "truncated" else len(content)])

    def log_message(self, *arguments):
        """Say nothing."""


@pytest.fixture
def server():
    class Fresh(Handler):
        asked: list[tuple[str, str | None]] = []  # noqa: RUF012 (one list per server is meant)

    with ThreadingHTTPServer(("127.0.0.1", 0), Fresh) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def source_at(server, *behaviours):
    urls = tuple(f"http://127.0.0.1:{server.server_port}/{one}" for one in behaviours)
    return Source("data.gz", len(CONTENT), MD5, urls)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_download_is_kept_and_not_repeated(server, tmp_path, capsys):
    folder = tmp_path / "new" / "folder"
    path = fetch(source_at(server, "good"), folder)
    assert path.read_bytes() == CONTENT
    assert "data.gz" in capsys.readouterr().err  # the progress bar
    assert fetch(source_at(server, "good"), folder) == path
    assert len(server.RequestHandlerClass.asked) == 1
    assert names(folder) == ["data.gz"]


@pytest.mark.parametrize("broken", ["missing", "other", "longer", "truncated"])
def test_the_mirror_helps_where_the_first_address_fails(server, tmp_path, broken):
    path = fetch(source_at(server, broken, "good"), tmp_path)
    assert path.read_bytes() == CONTENT
    assert names(tmp_path) == ["data.gz"]


@pytest.mark.parametrize(
    "broken, cause, left",
    [
        ("missing", "404|Not Found", []),
        ("other", "another file", []),
        ("longer", "another file", []),
        ("truncated", "400,000 of 1,000,000", ["data.gz.part"]),
    ],
)
def test_without_a_good_address_one_error_says_all(server, tmp_path, broken, cause, left):
    with pytest.raises(DataError, match=rf"data\.gz could not.*{cause}.*put it into"):
        fetch(source_at(server, broken), tmp_path)
    assert names(tmp_path) == left


def test_a_longer_file_is_not_read_to_its_end(server, tmp_path, monkeypatch):
    sizes = []
    monkeypatch.setattr(downloads, "md5_of", lambda path: sizes.append(path.stat().st_size))
    with pytest.raises(DataError):
        fetch(source_at(server, "longer"), tmp_path)
    assert not sizes  # too long: not even looked at


def test_an_interrupted_download_goes_on(server, tmp_path):
    (tmp_path / "data.gz.part").write_bytes(CONTENT[:300_000])
    assert fetch(source_at(server, "good"), tmp_path).read_bytes() == CONTENT
    assert server.RequestHandlerClass.asked == [("/good", "bytes=300000-")]


def test_a_server_that_cannot_go_on_begins_anew(server, tmp_path):
    (tmp_path / "data.gz.part").write_bytes(CONTENT[:300_000])
    assert fetch(source_at(server, "no-range"), tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("size", [300_000, 1_000_000, 2_000_000])
def test_a_damaged_beginning_is_thrown_away(server, tmp_path, size):
    (tmp_path / "data.gz.part").write_bytes(bytes(size))
    assert fetch(source_at(server, "good", "good"), tmp_path).read_bytes() == CONTENT


def test_without_a_network_it_says_what_to_do(tmp_path):
    source = Source("data.gz", 10, MD5, ("http://127.0.0.1:9/data.gz",))
    with pytest.raises(DataError, match=r"127\.0\.0\.1:9.*refused.*when there is a network"):
        fetch(source, tmp_path)
    assert names(tmp_path) == []


def test_a_cache_that_cannot_be_written_names_the_variable(tmp_path, monkeypatch):
    def refused(*arguments, **settings):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(DataError, match=r"Permission denied.*MINITORCH_DATA"):
        fetch(Source("data.gz", 1, MD5, ()), tmp_path)


def test_a_cache_that_cannot_be_looked_into_names_the_variable(tmp_path, monkeypatch):
    def refused(*arguments, **settings):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setenv("MINITORCH_DATA", str(tmp_path))
    monkeypatch.setattr(Path, "exists", refused)
    for data in (mnist, cifar10):
        with pytest.raises(DataError, match=r"looked into.*Permission denied.*MINITORCH_DATA"):
            data()


def test_a_full_disk_keeps_what_has_come(server, tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "data.gz.part").write_bytes(CONTENT[:300_000])
    with monkeypatch.context() as patched:
        patched.setattr(downloads, "receive", full)
        with pytest.raises(DataError, match=r"1\.0 MB does not fit: the disk of.*is full"):
            fetch(source_at(server, "good"), tmp_path)
    assert fetch(source_at(server, "good"), tmp_path).read_bytes() == CONTENT
    assert server.RequestHandlerClass.asked == [("/good", "bytes=300000-")]


def test_a_user_without_a_home_can_say_where(monkeypatch, tmp_path):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    monkeypatch.delenv("MINITORCH_DATA", raising=False)
    with pytest.raises(DataError, match=r"mnist: there is no home folder.*MINITORCH_DATA"):
        data_folder("mnist")
    monkeypatch.setenv("MINITORCH_DATA", str(tmp_path))
    assert data_folder("mnist") == tmp_path / "mnist"


def test_a_read_only_cache_serves_what_it_has(tmp_path):
    (tmp_path / "data.gz").write_bytes(CONTENT)
    tmp_path.chmod(0o555)
    try:
        assert fetch(Source("data.gz", len(CONTENT), MD5, ()), tmp_path).read_bytes() == CONTENT
    finally:
        tmp_path.chmod(0o755)


def test_the_folder_is_where_the_variable_says_or_the_platform(monkeypatch, tmp_path):
    monkeypatch.setenv("MINITORCH_DATA", str(tmp_path))
    assert data_folder("mnist") == tmp_path / "mnist"
    monkeypatch.delenv("MINITORCH_DATA")
    assert data_folder("mnist").parts[-2:] == ("minitorch", "mnist")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert data_folder("mnist") == tmp_path / "cache" / "minitorch" / "mnist"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "Library" in data_folder("mnist").parts
