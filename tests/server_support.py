"""The dashboard as a process that listens, and a browser's side of it without a browser.

with served(home) as server:                         # streamlit run dashboard.py, folders of its own below ``home``
    server.status("GET", "/", {"Host": "evil.example"})   # 403
    with session(server) as opened:                  # a websocket, as a page of the dashboard opens it
        opened.run("Train")                          # what stands on that page, as text
"""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets import Subprotocol
from websockets.sync.client import ClientConnection, connect

from cxr_core.settings import remember_dataset
from tests import ROOT

START_SECONDS = 60
Headers = Mapping[str, str | None]
FOLDERS = ("runs", "cache", "data")


@dataclass(frozen=True)
class Served:
    """A dashboard that listens on ``port``, at least on 127.0.0.1."""

    port: int
    log: Path
    process: "subprocess.Popen[bytes]"

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def request(
        self, method: str, path: str, headers: Headers | None = None, body: bytes | None = None
    ) -> tuple[int, str]:
        """Status and body. ``headers``: Host is ours unless given, and left out where it is None."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in {"Host": self.host, **(headers or {})}.items():
                if value is not None:
                    connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            # A websocket that was accepted goes on; its body never ends.
            return answer.status, "" if answer.status == 101 else answer.read().decode("utf-8", "replace")
        finally:
            connection.close()

    def status(self, method: str, path: str, headers: Headers | None = None, body: bytes | None = None) -> int:
        return self.request(method, path, headers, body)[0]

    def handshake(self, headers: Headers) -> int:
        """Status of a websocket's handshake: 101 where it was accepted."""
        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
        key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
        return self.status("GET", "/_stcore/stream", {**upgrade, **key, **headers})


@contextmanager
def served(
    home: Path, *flags: str, script: str = "dashboard.py", port: int | None = None, **environment: str
) -> Iterator[Served]:
    """``streamlit run SCRIPT`` on ``port`` (default: a free one), with runs, cache and data below ``home``."""
    home.mkdir(parents=True, exist_ok=True)
    log = home / "server.txt"
    port = port or free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / script), "--server.port", str(port)]
    folders = {f"CXR_{name.upper()}": str(home / name) for name in FOLDERS}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--server.headless", "true", *flags],
            cwd=ROOT,
            env={**os.environ, **folders, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        wait_until_it_listens(port, process, log)
        yield Served(port, log, process)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def opened_before(home: Path, dataset: Path) -> None:
    """As if a person had opened this data set in the dashboard of ``home``: a link to it opens it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXR_DATA", str(home / "data"))
        remember_dataset(dataset)


def wait_until_it_listens(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Until any answer comes: a server that shows nothing answers 403. Raises RuntimeError with the log."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2):
                return
        except urllib.error.HTTPError:
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            if process.poll() is not None or time.monotonic() > deadline:
                said = log.read_text(errors="replace")[-3000:]
                raise RuntimeError(f"the dashboard did not start on port {port}:\n{said}") from None
        time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass
class Session:
    """One visitor: a websocket on which pages are run, as Streamlit's own page does it."""

    socket: ClientConnection
    id: str = ""
    page: str = ""
    buttons: dict[str, str] = field(default_factory=dict)
    redirect: str = ""

    def run(self, page: str = "", query: str = "", pressed: str = "") -> str:
        """Run a page ("" is home) and return what stands on it; ``pressed``: the label of a button."""
        asked = BackMsg()
        asked.rerun_script.query_string = query
        asked.rerun_script.page_name = page
        if pressed:
            widget = asked.rerun_script.widget_states.widgets.add()
            widget.id, widget.trigger_value = self.buttons[pressed], True
        self.socket.send(asked.SerializeToString())
        said: list[str] = []
        while True:
            message = ForwardMsg()
            message.ParseFromString(self.socket.recv(timeout=30))
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self.id = message.new_session.initialize.session_id
                said.clear()
            elif kind == "delta":
                said.append(str(message.delta))
                button = message.delta.new_element.button
                if button.id:
                    self.buttons[button.label] = button.id
            elif kind == "auth_redirect":
                self.redirect = message.auth_redirect.url
            elif kind == "script_finished":
                # Markdown's escapes are for its reader.
                return re.sub(r"\\+(?=[^\w\s\"'])", "", "\n".join(said))


@contextmanager
def session(server: Served, headers: Mapping[str, str] | None = None) -> Iterator[Session]:
    """A visitor of ``server``; ``headers``: Host, Origin, Cookie as the visitor's browser sends them.

    With the token that a page of the dashboard reads from its cookie and sends along: without it no login counts.
    """
    given = dict(headers or {})
    token = xsrf_token(server)
    given["Cookie"] = "; ".join(filter(None, [given.get("Cookie"), f"_streamlit_xsrf={token}"]))
    uri = f"ws://{given.pop('Host', server.host)}/_stcore/stream"
    raw = socket.create_connection(("127.0.0.1", server.port))
    protocols = [Subprotocol(name) for name in ("streamlit", token)]
    with connect(uri, sock=raw, additional_headers=given, subprotocols=protocols, max_size=None) as opened:
        yield Session(opened)


def xsrf_token(server: Served) -> str:
    """As the server hands it to every browser."""
    with urllib.request.urlopen(f"{server.base}/_stcore/health", timeout=10) as answer:
        return str(answer.headers["Set-Cookie"]).split("=", 1)[1].split(";")[0]
