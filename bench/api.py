"""The embedded Kubernetes API beside a real one (kube-apiserver and etcd), in one run, both syncing every write to disk.

    python bench/api.py [--objects 10000] [--rounds 3]

Prints writes per second at 1, 8 and 64 in flight; how long after a write 50 watchers know of it; and with that many objects how long a
list takes, the memory and the time of a start. Rounds alternate between the two, and of all rounds the median counts. Ratios are comparable
between machines; times are not. The client is this process: it costs both the same.
"""

import argparse
import asyncio
import contextlib
import json
import signal
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import uvloop
import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "kubernetes")]
import control_plane  # noqa: E402

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
FORMS = {"whole": "application/json", "as a table": "application/json;as=Table;v=v1;g=meta.k8s.io"}
IN_FLIGHT, WATCHERS, WATCHED_WRITES = (1, 8, 64), 50, 300
SECONDS = 3.0
CONTROLLERS = ("namespace-controller", "serviceaccount-controller")
PADDING = "x" * 600


class Connection(asyncio.Protocol):
    """One request after the other, each answered with a length; or a watch, whose pieces go to `on_piece`."""

    def __init__(self):
        self._buffer, self._waiting, self.on_piece = b"", None, None

    def connection_made(self, transport):
        self._transport = transport

    def data_received(self, data):
        if self.on_piece:
            self.on_piece(data)
            return
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if found and len(rest) >= _length(head):
            self._buffer = b""
            self._waiting.set_result((int(head[9:12]), rest))

    def connection_lost(self, error):
        if self._waiting and not self._waiting.done():
            self._waiting.set_exception(error or ConnectionResetError())

    def send(self, request):
        self._transport.write(request)

    async def ask(self, request):
        """(status, body)"""
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting

    def close(self):
        self._transport.close()


def _length(head):
    lower = head.lower()
    at = lower.index(b"content-length:") + 15
    return int(lower[at:].split(b"\r\n", 1)[0])


@dataclass
class Server:
    """One of the two. `pids`: of the processes that it is."""

    name: str
    kubeconfig: Path
    pids: list
    rates: dict = field(default_factory=dict)
    latencies: list = field(default_factory=list)
    lists: dict = field(default_factory=dict)
    memory: float = 0.0
    starts: list = field(default_factory=list)

    def read(self):
        config = yaml.safe_load(self.kubeconfig.read_text())
        cluster = config["clusters"][0]["cluster"]
        self.address, self.token = urlsplit(cluster["server"]), config["users"][0]["user"]["token"]
        self.tls = ssl.create_default_context()
        self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE

    async def connected(self):
        _, made = await asyncio.get_running_loop().create_connection(
            Connection, self.address.hostname, self.address.port, ssl=self.tls
        )
        return made

    def request(self, method, path, body=b"", accept="*/*"):
        lines = [f"{method} {path} HTTP/1.1", "Host: bench", f"Authorization: Bearer {self.token}", f"Accept: {accept}"]
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}", "", ""]
        return "\r\n".join(lines).encode() + body

    def creation(self, name, number=0):
        document = {"metadata": {"name": name}, "data": {"n": str(number), "padding": PADDING}}
        return self.request("POST", CONFIGMAPS, json.dumps(document).encode())

    def resident_bytes(self):
        pages = (Path(f"/proc/{pid}/statm").read_text().split()[1] for pid in self.pids)
        return sum(map(int, pages)) * 4096


async def created(server, in_flight, prefix, *, seconds=0.0, count=0):
    """Create objects, for a time or so many; how many a second."""
    numbers, began = iter(range(count or 10**9)), time.perf_counter()

    async def one():
        connection = await server.connected()
        for number in numbers:
            status, body = await connection.ask(server.creation(f"{prefix}-{number}"))
            assert status == 201, body[:300]
            done.append(number)
            if seconds and time.perf_counter() - began > seconds:
                break
        connection.close()

    done = []
    await asyncio.gather(*(one() for _ in range(in_flight)))
    return len(done) / (time.perf_counter() - began)


async def listed(server, form):
    """Seconds. Real servers answer in chunks: a connection that is closed says where the list ends."""
    connection, pieces = await server.connected(), []
    over = asyncio.get_running_loop().create_future()
    connection.on_piece = pieces.append
    connection.connection_lost = lambda error: over.set_result(error)
    began = time.perf_counter()
    connection.send(server.request("GET", CONFIGMAPS, accept=form).replace(b"Host:", b"Connection: close\r\nHost:", 1))
    await over
    assert b" 200 " in pieces[0][:20], pieces[0][:300]
    return time.perf_counter() - began


class Listener:
    """Hears the pieces of a watch; `found`: seconds since the write of each event was `sent`."""

    def __init__(self, sent, found):
        self._sent, self._found, self._rest = sent, found, b""

    def __call__(self, piece):
        now = time.perf_counter()
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            at = line.find(b'"n":"')
            if at > 0:
                self._found.append(now - self._sent[int(line[at + 5 : line.index(b'"', at + 5)])])


async def watched(server, prefix):
    """Seconds between a write is sent and each watcher knows of it."""
    sent, found = {}, []
    writer = await server.connected()
    _, body = await writer.ask(server.request("GET", f"{CONFIGMAPS}?limit=1"))
    version = json.loads(body)["metadata"]["resourceVersion"]
    watchers = [await server.connected() for _ in range(WATCHERS)]
    for one in watchers:
        one.on_piece = Listener(sent, found)
        one.send(server.request("GET", f"{CONFIGMAPS}?watch=true&resourceVersion={version}"))
    await asyncio.sleep(0.5)
    for number in range(WATCHED_WRITES):
        sent[number] = time.perf_counter()
        status, body = await writer.ask(server.creation(f"{prefix}-{number}", number))
        assert status == 201, body[:300]
        await asyncio.sleep(0.02)
    deadline = time.perf_counter() + 10
    while len(found) < WATCHERS * WATCHED_WRITES and time.perf_counter() < deadline:
        await asyncio.sleep(0.01)
    assert len(found) == WATCHERS * WATCHED_WRITES, f"{len(found)} events arrived"
    for one in (*watchers, writer):
        one.close()
    return found


class Embedded:
    def __init__(self, directory):
        self._directory = directory

    def start(self):
        """(seconds, server); it answers when it says its address."""
        began = time.perf_counter()
        command = [sys.executable, "-m", "arkwright", "api", "--data-dir", str(self._directory), "--port", "0"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self._process.stdout.readline()
        passed = time.perf_counter() - began
        return passed, self._directory / "kubeconfig", [self._process.pid]

    def stop(self):
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)


class Real:
    def __init__(self, directory):
        self._directory = directory

    def start(self):
        """Without its controllers, which come up after it answers."""
        began = time.perf_counter()
        plane = control_plane.start(self._directory, CONTROLLERS, is_synced=True)
        return time.perf_counter() - began, Path(plane.kubeconfig), list(plane.pids[:2])

    def stop(self):
        control_plane.stop(self._directory)


async def filled(servers, objects):
    for server in servers:
        await created(server, 16, "kept", count=objects)
        server.memory = server.resident_bytes() / 2**20


async def measured(servers, rounds):
    for number in range(rounds):
        for in_flight in IN_FLIGHT:
            for server in servers:
                rate = await created(server, in_flight, f"r{number}-{in_flight}", seconds=SECONDS)
                server.rates.setdefault(in_flight, []).append(rate)
        for server in servers:
            server.latencies.append(await watched(server, f"w{number}"))
            for name, form in FORMS.items():
                server.lists.setdefault(name, []).append(await listed(server, form))


def median(values):
    return statistics.median(values)


def show(embedded, real, objects):
    print(f"{'':34}{'embedded':>12}{'real':>12}{'ratio':>9}")
    for in_flight in IN_FLIGHT:
        ours, theirs = median(embedded.rates[in_flight]), median(real.rates[in_flight])
        ratio = median([a / b for a, b in zip(embedded.rates[in_flight], real.rates[in_flight], strict=True)])
        print(f"writes/s, {in_flight:2} in flight{'':14}{ours:12.0f}{theirs:12.0f}{ratio:9.2f}")
    for percent in (50, 99):
        ours, theirs = (
            median([statistics.quantiles(one, n=100)[percent - 1] * 1000 for one in server.latencies])
            for server in (embedded, real)
        )
        print(f"write to {WATCHERS} watchers, p{percent}, ms{'':9}{ours:12.1f}{theirs:12.1f}{ours / theirs:9.2f}")
    for name in FORMS:
        ours, theirs = (median(server.lists[name]) * 1000 for server in (embedded, real))
        text = f"a list {name}, ms"
        print(f"{text:34}{ours:12.0f}{theirs:12.0f}{ours / theirs:9.2f}")
    for name, unit in (("memory", "MB"), ("start", "s")):
        ours, theirs = (server.memory if name == "memory" else median(server.starts) for server in (embedded, real))
        text = f"{name} with {objects} objects, {unit}"
        print(f"{text:34}{ours:12.2f}{theirs:12.2f}{ours / theirs:9.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--objects", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as stack:
        parts = [Embedded(Path(directory) / "embedded"), Real(Path(directory) / "real")]
        (Path(directory) / "embedded").mkdir()
        servers = [Server(name, *part.start()[1:]) for name, part in zip(("embedded", "real"), parts, strict=True)]
        for server, part in zip(servers, parts, strict=True):
            stack.callback(part.stop)
            server.read()
        uvloop.run(filled(servers, asked.objects))
        for _ in range(asked.rounds):
            for server, part in zip(servers, parts, strict=True):
                part.stop()
                passed, _, server.pids = part.start()
                server.starts.append(passed)
                server.read()
        uvloop.run(measured(servers, asked.rounds))
    show(*servers, asked.objects)


if __name__ == "__main__":
    main()
