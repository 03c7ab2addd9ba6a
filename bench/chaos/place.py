"""One site in a network, a file system and a clock of its own. In: a directory. Out: the site's processes, begun and killed, and questions to its API.

Not done here: what is wished of the site (`wishes`), what goes wrong with it (`faults`).
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import ssl
import struct
import subprocess
import sys
import time
from pathlib import Path

import aiohttp
import psutil

ROOT = Path(__file__).parents[2]
API_PORT = 6443
ADDRESSES = "127.61.0.0/24"
DISK_BYTES = 256 << 20
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
TOOLS = {"nft": "nftables", "unshare": "util-linux", "mount": "mount", "ip": "iproute2"}
MERGE = "application/merge-patch+json"
ASK_SECONDS = 10


class Refused(Exception):
    """By the API, with that status; nothing is said to have been written."""

    def __init__(self, status, words):
        super().__init__(f"{status}: {words}")
        self.status = status


UNANSWERED = (aiohttp.ClientError, OSError, TimeoutError)


def lacks():
    """Packages of Debian that this machine would need."""
    found = [
        package for tool, package in TOOLS.items() if subprocess.run(["which", tool], capture_output=True).returncode
    ]
    return found + ([] if FAKETIME.exists() else ["faketime"])


def forgetful(address):
    """A socket whose end is the end of what it has not sent yet: else a request that was given up arrives when the network is whole again."""
    family, kind, protocol, _, _ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return made


class Site:
    """A directory, and the processes that it belongs to."""

    def __init__(self, scratch):
        self.disk = scratch / "disk"
        self.clock = scratch / "clock"
        self.ended_by_itself, self._process, self._was_up = [], None, False
        self._session = None
        self._ssl = ssl._create_unverified_context()

    def make_place(self):
        """Nothing of it is seen outside: the namespaces are this process' own."""
        self.disk.mkdir()
        for words in (
            "ip link set lo up",
            f"mount -t tmpfs -o size={DISK_BYTES} tmpfs {self.disk}",
            "nft add table inet cuts",
            "nft add chain inet cuts in { type filter hook input priority 0; }",
        ):
            subprocess.run(words.split(), check=True)
        (self.disk / "tmp").mkdir()
        self.set_clock(0)

    @property
    def data(self):
        return self.disk / "site"

    def set_clock(self, seconds):
        """All of the site sees it within a second."""
        half = self.clock.with_suffix(".new")
        half.write_text(f"{seconds:+d}\n")
        half.replace(self.clock)

    def clock_variables(self):
        return {
            "LD_PRELOAD": str(FAKETIME),
            "FAKETIME_TIMESTAMP_FILE": str(self.clock),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",  # else a thread waits for the interpreter a hundred times as long
            "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
            "FAKETIME_DISABLE_SHM": "1",
        }

    # ── processes ──

    def begin(self, is_excused=False):
        """`is_excused`: as things are, it may not come up."""
        self._was_up, self._is_excused = False, is_excused
        words = ["up", "--foreground", "--data-dir", str(self.data), "--port", str(API_PORT), "--addresses", ADDRESSES]
        known = {name: value for name, value in os.environ.items() if name != "KUBECONFIG"} | {
            "PYTHONPATH": str(ROOT / "src")
        }
        with self._log() as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "arkwright", *words],
                env=known | self.clock_variables() | {"TMPDIR": str(self.disk / "tmp")},
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    def _log(self):
        """Where `arkwright up` has it, too; nowhere while no file can be made."""
        log = self.data / "logs" / "site.log"
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            return log.open("ab")
        except OSError:
            return open(os.devnull, "ab")

    def look_after(self, is_excused):
        """Whoever keeps the site begins it anew when it has ended. `is_excused`: it may not come up; once it is up it never ends by itself."""
        self._was_up |= bool(self.state())
        if self._process is not None and (code := self._process.poll()) is not None:
            if self._was_up or not (is_excused or self._is_excused):
                self.ended_by_itself.append(f"the site ended by itself, with code {code}")
            self.begin(is_excused)

    def kill(self, everything=False):
        """Its own process, or all of them in one moment, as a power cut does; `begin` brings it back."""
        family = [psutil.Process(self._process.pid)]
        family += self.family() if everything else []
        for one in family:
            with contextlib.suppress(psutil.Error):
                one.kill()
        self._process.wait()
        self._process = None

    def end(self):
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                self._process.kill()

    def family(self):
        """All processes below the site's own."""
        try:
            return psutil.Process(self._process.pid).children(recursive=True) if self._process else []
        except psutil.Error:
            return []

    def part(self, word):
        """The process of `arkwright WORD`, or None."""
        for one in self.family():
            with contextlib.suppress(psutil.Error):
                if one.cmdline()[2:4] == ["arkwright", word]:
                    return one
        return None

    def pod_processes(self):
        """Each pod's name, and its process."""
        found = {}
        for one in self.family():
            with contextlib.suppress(psutil.Error, KeyError):
                if one.ppid() == self._process.pid and "POD_NAME" in (about := one.environ()):
                    found[about["POD_NAME"]] = one
        return found

    def state(self):
        """What the site says of itself; {} while it does not say that it is up, and of what one before has said."""
        try:
            found = json.loads((self.data / "site.json").read_text())
        except (OSError, ValueError):
            return {}
        return found if self._process and found["pid"] == self._process.pid else {}

    # ── the API ──

    async def say_no_more(self):
        if self._session:
            await self._session.close()

    async def ask(self, method, path, body=None, content=MERGE):
        """The answer's document. Raises Refused, or one of UNANSWERED where nobody knows what became of it."""
        try:
            token = (self.data / "admin.token").read_text().strip()
        except OSError as error:
            raise aiohttp.ClientError("there is no token yet") from error
        kind = {
            "Content-Type": content if method == "PATCH" else "application/json",
            "Authorization": f"Bearer {token}",
        }
        if self._session is None:
            timeout, connector = (
                aiohttp.ClientTimeout(total=ASK_SECONDS),
                aiohttp.TCPConnector(ssl=self._ssl, socket_factory=forgetful),
            )
            self._session = aiohttp.ClientSession(timeout=timeout, connector=connector)
        url, content = f"https://127.0.0.1:{API_PORT}{path}", json.dumps(body) if body else None
        async with self._session.request(method, url, data=content, headers=kind) as response:
            text = await response.text()
            if response.status >= 400:
                raise Refused(response.status, text[:300])
            return json.loads(text) if text.startswith("{") else text

    async def until_up(self, seconds=60):
        """Raises TimeoutError."""
        end = time.monotonic() + seconds
        while not self.state():
            if time.monotonic() > end:
                raise TimeoutError((self.data / "logs" / "site.log").read_text()[-3000:])
            await asyncio.sleep(0.2)
