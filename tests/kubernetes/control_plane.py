"""A real Kubernetes control plane on loopback: etcd, API server, controller manager. No kubelet, no scheduler.

    python tests/kubernetes/control_plane.py up DIRECTORY     start it; prints the path of a kubeconfig
    python tests/kubernetes/control_plane.py down DIRECTORY   stop exactly what was started there

The three are one Go program (`go_build`). DIRECTORY keeps data, certificates, token, logs and the
kubeconfig. Python code uses `running(directory)`.
"""

import contextlib
import json
import os
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

sys.path.insert(0, str(Path(__file__).parent))
from building import BuildFailed  # noqa: E402
from go_build import CONTROL_PLANE, built  # noqa: E402

CONTROLLERS = (
    "garbage-collector-controller",
    "namespace-controller",
    "serviceaccount-controller",
    "root-ca-certificate-publisher-controller",
    "endpointslice-controller",
    "deployment-controller",
    "replicaset-controller",
    "resourcequota-controller",
    "clusterrole-aggregation-controller",
)


class ControlPlaneFailed(RuntimeError):
    """It cannot be built, or does not come up; the message has the end of the part's log."""


def say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


# ── its three processes ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Ports:
    api: int
    etcd: int
    peer: int


@dataclass(frozen=True)
class ControlPlane:
    """`directory` holds everything; `kubeconfig` is an administrator's."""

    directory: Path
    server: str
    token: str
    pids: tuple[int, ...]

    @property
    def kubeconfig(self) -> Path:
        return self.directory / "kubeconfig"


def start(directory: Path, controllers: tuple[str, ...] = CONTROLLERS, *, is_synced: bool = False) -> ControlPlane:
    """Bring all three up; raises ControlPlaneFailed. `is_synced`: etcd syncs its writes, as anywhere but in tests."""
    try:
        program = built(CONTROL_PLANE)
    except BuildFailed as error:
        raise ControlPlaneFailed(str(error)) from error
    directory.mkdir(parents=True, exist_ok=True)
    token, ports = secrets.token_urlsafe(24), Ports(*_free_ports(3))
    server = f"https://127.0.0.1:{ports.api}"
    _write_private(directory / "tokens.csv", f'{token},admin,admin,"system:masters"\n')
    _write_service_account_key(directory / "service-account.key")
    _write_kubeconfig(directory, server, token)
    pids: list[int] = []
    try:
        pids.append(_spawn(directory, program, "etcd", _etcd_flags(directory, ports, is_synced=is_synced)))
        pids.append(_spawn(directory, program, "kube-apiserver", _apiserver_flags(directory, ports)))
        _until(lambda: _is_ready(server, token), pids, directory)
        pids.append(_spawn(directory, program, "kube-controller-manager", _manager_flags(directory, controllers)))
        _until(lambda: _has_default_account(server, token), pids, directory)
    except BaseException:
        _end(pids)
        raise
    (directory / "pids").write_text("\n".join(map(str, pids)))
    return ControlPlane(directory, server, token, tuple(pids))


def stop(directory: Path) -> None:
    """End the processes that `start` began in this directory."""
    file = directory / "pids"
    if file.exists():
        _end([int(pid) for pid in file.read_text().split()])
        file.unlink()


@contextlib.contextmanager
def running(directory: Path, controllers: tuple[str, ...] = CONTROLLERS) -> Iterator[ControlPlane]:
    """A control plane for as long as the block lasts."""
    plane = start(directory, controllers)
    try:
        yield plane
    finally:
        stop(directory)


def _etcd_flags(directory: Path, ports: Ports, *, is_synced: bool) -> list[str]:
    client, peer = f"http://127.0.0.1:{ports.etcd}", f"http://127.0.0.1:{ports.peer}"
    return [
        f"--data-dir={directory}/etcd",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        f"--unsafe-no-fsync={str(not is_synced).lower()}",
        "--log-level=error",
    ]


def _apiserver_flags(directory: Path, ports: Ports) -> list[str]:
    key = f"{directory}/service-account.key"
    return [
        f"--etcd-servers=http://127.0.0.1:{ports.etcd}",
        f"--secure-port={ports.api}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--cert-dir={directory}/certificates",
        f"--token-auth-file={directory}/tokens.csv",
        "--authorization-mode=RBAC",
        "--service-cluster-ip-range=10.96.0.0/16",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--endpoint-reconciler-type=none",
        "--disable-admission-plugins=ServiceAccount,TaintNodesByCondition",
        "--profiling=false",
    ]


def _manager_flags(directory: Path, controllers: tuple[str, ...]) -> list[str]:
    return [
        f"--kubeconfig={directory}/kubeconfig",
        "--leader-elect=false",
        "--controllers=" + ",".join(controllers),
        "--secure-port=0",
        f"--service-account-private-key-file={directory}/service-account.key",
        f"--root-ca-file={directory}/certificates/apiserver.crt",
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
    ]


def _spawn(directory: Path, program: Path, part: str, flags: list[str]) -> int:
    with (directory / f"{part}.log").open("ab") as log:
        process = subprocess.Popen(
            [program, part, *flags], stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
    _children[process.pid] = process
    return process.pid


_children: dict[int, subprocess.Popen[bytes]] = {}


def _end(pids: list[int]) -> None:
    """In reverse order; a part that does not stop in time is killed."""
    for pid in reversed(pids):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
            _wait_for_end(pid, 10)


def _wait_for_end(pid: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while _is_alive(pid):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            deadline = float("inf")
        time.sleep(0.02)


def _is_alive(pid: int) -> bool:
    if pid in _children:
        return _children[pid].poll() is None
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


# ── its files, and whether it is up ──────────────────────────────────────────────────────────────────────────────────


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def _write_service_account_key(path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    _write_private(path, pem.decode())


def write_kubeconfig(path: Path, server: str, authority: Path, token: str) -> None:
    """A kubeconfig with one cluster and one user."""
    name = "arkwright"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority": str(authority)}}],
        "users": [{"name": name, "user": {"token": token}}],
    }
    _write_private(path, json.dumps(config, indent=1))


def _write_kubeconfig(directory: Path, server: str, token: str) -> None:
    write_kubeconfig(directory / "kubeconfig", server, directory / "certificates" / "apiserver.crt", token)


def _until(is_so: Callable[[], bool], pids: list[int], directory: Path, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        if not all(map(_is_alive, pids)) or time.monotonic() > deadline:
            logs = {file.name: file.read_text(errors="replace")[-600:] for file in directory.glob("*.log")}
            raise ControlPlaneFailed("the control plane does not come up:\n" + json.dumps(logs, indent=1))
        time.sleep(0.05)


def _is_ready(server: str, token: str) -> bool:
    return _answers(server + "/readyz", token)


def _has_default_account(server: str, token: str) -> bool:
    return _answers(server + "/api/v1/namespaces/default/serviceaccounts/default", token)


def _answers(url: str, token: str) -> bool:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, context=context, timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def main() -> None:
    try:
        match sys.argv[1:]:
            case ["up", directory]:
                print(start(Path(directory).resolve()).kubeconfig)
            case ["down", directory]:
                stop(Path(directory).resolve())
            case _:
                sys.exit(__doc__)
    except ControlPlaneFailed as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
