"""The main job, told and checked: modules go online, are released in batches under load, and go offline.

    python examples/demo.py [--kubernetes] [--crash] [--keep]

On the embedded API; with `--kubernetes` on a real control plane on loopback; or on the cluster that KUBECONFIG names. Exits
with status 1 if anything is not as said. `--crash` kills the controller (-9) again and again on the way and starts it anew. `--keep` leaves everything
running before the deletion, until Ctrl-C.
"""

import json
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any, NoReturn

from rich.console import Console

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "kubernetes"))
import embedded  # noqa: E402

console = Console(highlight=False, soft_wrap=True)
MODULE_DEPLOYMENT = "moduledeployment-sample"
VIEW = "custom-columns=NAME:.metadata.name,STATUS:.status.status"


def tell(text: str) -> None:
    console.print(f"\n[bold]» {text}[/]")


def check(truth: bool, what: str) -> None:
    if not truth:
        give_up(what)
    console.print(f"  [green]✔[/] {what}")


def give_up(what: str) -> NoReturn:
    console.print(f"  [bold red]✖ not as said:[/] {what}")
    raise SystemExit(1)


def until(what: str, is_so: Callable[[], bool], seconds: float = 100) -> None:
    """Wait for it; give up after `seconds`."""
    began = time.monotonic()
    while not is_so():
        if time.monotonic() - began > seconds:
            give_up(f"{what} (waited {seconds:.0f} s)")
        time.sleep(0.1)
    console.print(f"  [green]✔[/] {what} [dim]({time.monotonic() - began:.1f} s)[/]")


class Cluster:
    """kubectl, as an administrator."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig

    def kubectl(self, *words: str, text: str | None = None) -> str:
        environment = {**os.environ, "KUBECONFIG": str(self.kubeconfig)}
        done = subprocess.run(["kubectl", *words], input=text, capture_output=True, text=True, env=environment)
        if done.returncode:
            give_up(f"kubectl {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def show(self, *words: str) -> None:
        console.print(f"  [cyan]$ kubectl {' '.join(words)}[/]")
        for line in self.kubectl(*words).splitlines():
            console.print(f"    {line}", markup=False)

    def apply(self, text: str) -> None:
        self.kubectl("apply", "-f", "-", text=text)

    def objects(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.kubectl("get", kind, "-o", "json"))["items"]
        return found

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.kubectl("get", "mddeploy", MODULE_DEPLOYMENT, "-o", "json"))
        return found.get("status", {})

    def progress(self) -> tuple[str, int]:
        """Where the release is, and how many replicas of the new version are available."""
        status = self.status()
        return status.get("releaseStatus", {}).get("progress", ""), status.get("updatedAvailableReplicas", 0)


class Asker:
    """A client that never stops asking one base pod."""

    def __init__(self, url: str) -> None:
        self.url, self.answers = url, Counter[str]()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask_on, daemon=True)
        self._thread.start()

    def _ask_on(self) -> None:
        while not self._stop.is_set():
            self.answers[ask(self.url)] += 1

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()


def ask(url: str) -> str:
    """The answer's text, or what went wrong."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return str(response.read().decode())
    except urllib.error.HTTPError as error:
        return f"HTTP {error.code}"
    except OSError as error:
        return f"{type(error).__name__}: {error}"


class Process:
    """One of arkwright's own processes; use as a context manager."""

    def __init__(self, command: list[str], log: Path, kubeconfig: Path) -> None:
        self._command, self._log = command, log
        self._environment = {**os.environ, "KUBECONFIG": str(kubeconfig)}

    def __enter__(self) -> "Process":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_alive()
        self._running.terminate()
        self._running.wait(30)

    def start(self) -> None:
        with self._log.open("ab") as output:
            self._running = subprocess.Popen(
                self._command, cwd=ROOT / "examples" / "base", env=self._environment, stdout=output, stderr=output
            )

    def kill(self) -> None:
        self._running.kill()
        self._running.wait()

    def is_alive(self) -> None:
        if self._running.poll() is not None:
            give_up(f"{' '.join(self._command)} ended by itself: {self._log.read_text()[-500:]}")


@contextmanager
def crashing(controller: Process) -> Iterator[Counter[str]]:
    """Kill the controller -9 every now and then, at moments that nobody chose, and start it again."""
    kills, stop = Counter[str](), threading.Event()

    def strike() -> None:
        while not stop.wait(random.uniform(0.5, 8)):
            controller.kill()
            kills["killed"] += 1
            time.sleep(random.uniform(0, 0.5))
            controller.start()

    thread = threading.Thread(target=strike)
    thread.start()
    try:
        yield kills
    finally:
        stop.set()
        thread.join()


def build(version: str, out: Path) -> str:
    command = [
        "arkwright",
        "module",
        "build",
        str(ROOT / "examples" / "provider"),
        "--out",
        str(out),
        "--version",
        version,
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        give_up(done.stderr)
    return Path(done.stdout.strip()).as_uri()


def sample(name: str, url: str) -> str:
    """A sample as it is, but for its url."""
    return re.sub(r"(?m)^(\s*url:).*$", rf"\1 {url}", (ROOT / "samples" / name).read_text())


def prepare(cluster: Cluster, work: Path, stack: ExitStack) -> Process:
    """The CRDs and roles, the controller with its own account, the base and the node that runs it."""
    tell("The eight files of deploy/, in order, with plain kubectl")
    cluster.kubectl("apply", "-f", str(ROOT / "deploy"))
    cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
    cluster.kubectl("scale", "deployment/arkwright", "--replicas=0")
    check(True, "applied; no container runs here, so the controller is started as a process")
    account = cluster.kubeconfig if is_embedded() else controller_kubeconfig(cluster, work)
    # A killed controller does not let go of its Lease, and the next would wait until it has run out. Here there is only one.
    lease = ["--no-leader-election"] if "--crash" in sys.argv else []
    controller = Process(["arkwright", "controller", "--health-port=0", *lease], work / "controller.log", account)
    stack.enter_context(controller)
    tell("A base: the Deployment dynamic-stock-deployment with 2 pods, each a process")
    if not is_embedded():  # `arkwright up` runs them as well
        node = ["arkwright", "pods", "--log-directory", str(pod_logs(work))]
        stack.enter_context(Process(node, work / "pods.log", cluster.kubeconfig))
    cluster.kubectl("apply", "-f", str(ROOT / "examples" / "base" / "deployment.yaml"))
    until("both pods are ready", lambda: len(addresses(cluster)) == 2)
    cluster.show("get", "pods", "-l", "app=dynamic-stock", "-o", "wide")
    return controller


def controller_kubeconfig(cluster: Cluster, work: Path) -> Path:
    """What the controller may use: its service account's token, so that its roles are what is tried."""
    from control_plane import write_kubeconfig

    token = cluster.kubectl("create", "token", "arkwright").strip()
    view = json.loads(cluster.kubectl("config", "view", "--minify", "--raw", "-o", "json"))["clusters"][0]["cluster"]
    path = work / "controller.kubeconfig"
    write_kubeconfig(path, view["server"], Path(view["certificate-authority"]), token)
    return path


def addresses(cluster: Cluster) -> list[str]:
    """Of the base pods that are ready."""
    pods = json.loads(cluster.kubectl("get", "pods", "-l", "app=dynamic-stock", "-o", "json"))["items"]
    return [
        pod["status"]["podIP"]
        for pod in pods
        if any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions", []))
    ]


def go_online(cluster: Cluster, url: str, pods: list[str]) -> None:
    tell("samples/online.yaml: 1.0.2 on 2 pods in 2 batches, with a confirm between them")
    cluster.apply(sample("online.yaml", url))
    until("batch 1 is done: 1 module, progress Paused", lambda: cluster.progress() == ("Paused", 1))
    cluster.show("get", "mddeploy,mdrs,modules")
    confirm(cluster)
    until("2 modules, progress Completed", lambda: cluster.progress() == ("Completed", 2))
    check([ask(f"http://{pod}:8080/provider/") for pod in pods] == ["1.0.2"] * 2, "both pods answer 1.0.2")


def confirm(cluster: Cluster) -> None:
    words = ("patch", "mddeploy", MODULE_DEPLOYMENT, "--type=merge", "-p", '{"spec":{"pause":false}}')
    console.print(f"  [cyan]$ kubectl {' '.join(words)}[/]")
    cluster.kubectl(*words)


def release(cluster: Cluster, url: str, pods: list[str]) -> None:
    tell("samples/release.yaml: 2.0.0 in 2 batches, while a client never stops asking both pods")
    askers = [Asker(f"http://{pod}:8080/provider/") for pod in pods]
    cluster.apply(sample("release.yaml", url))
    until("batch 1 is done, progress Paused", lambda: cluster.progress() == ("Paused", 1))
    confirm(cluster)
    until("progress Completed", lambda: cluster.progress() == ("Completed", 2))
    until("only 2.0.0 is left", lambda: len(cluster.objects("modules")) == 2)
    for asker in askers:
        asker.stop()
    said = sum((asker.answers for asker in askers), Counter())
    console.print(f"  [dim]answers: {dict(said)}[/]")
    failed = sum(count for answer, count in said.items() if answer not in ("1.0.2", "2.0.0"))
    check(failed == 0 and said["1.0.2"] > 0 and said["2.0.0"] > 0, f"{failed} of {said.total()} requests failed")
    check([ask(f"http://{pod}:8080/provider/") for pod in pods] == ["2.0.0"] * 2, "both pods answer 2.0.0")


def look(cluster: Cluster, pods: list[str]) -> None:
    tell("What is where")
    cluster.show("get", "module", "-l", f"serverless.alipay.com/base-instance-ip={pods[0]}", "-o", VIEW)
    name = json.loads(cluster.kubectl("get", "pods", "-l", "app=dynamic-stock", "-o", "json"))["items"][0]["metadata"][
        "name"
    ]
    cluster.show("get", "module", "-l", f"serverless.alipay.com/base-instance-name={name}", "-o", VIEW)
    cluster.show("describe", "module", "-l", f"serverless.alipay.com/base-instance-name={name}")
    cluster.show(
        "get",
        "events",
        "--field-selector",
        f"involvedObject.name={MODULE_DEPLOYMENT}",
        "--sort-by=.metadata.creationTimestamp",
    )


def go_offline(cluster: Cluster, pods: list[str]) -> None:
    tell("kubectl delete: everything goes")
    cluster.kubectl("delete", "mddeploy", MODULE_DEPLOYMENT, "--timeout=60s")
    left = [kind for kind in ("mddeploy", "mdrs", "modules") if cluster.objects(kind)]
    check(not left, "no ModuleDeployment, ReplicaSet or Module is left")
    check(
        [ask(f"http://{pod}:8080/provider/") for pod in pods] == ["HTTP 404"] * 2, "the path answers 404 on both pods"
    )
    until("no label of ours is left on the pods", lambda: not our_labels(cluster), seconds=5)


def count_deeds(work: Path) -> None:
    """What the agents did, as they logged it: every install and uninstall once per pod, and not one more."""
    logs = "".join(file.read_text() for file in pod_logs(work).glob("*.log"))
    deeds = Counter(re.findall(r"operations: (installed|uninstalled) ([^\s,]+)", logs))
    told = ", ".join(f"{count} x {deed} {module}" for (deed, module), count in sorted(deeds.items()))
    wanted = {
        (deed, f"provider:{version}"): 2 for deed in ("installed", "uninstalled") for version in ("1.0.2", "2.0.0")
    }
    check(deeds == wanted, f"the agents did nothing twice: {told}")


def our_labels(cluster: Cluster) -> list[str]:
    pods = cluster.objects("pods")
    return [label for pod in pods for label in pod["metadata"].get("labels", {}) if "serverless.alipay.com" in label]


def is_embedded() -> bool:
    return "KUBECONFIG" not in os.environ and "--kubernetes" not in sys.argv


def pod_logs(work: Path) -> Path:
    return work / "site" / "logs" / "pods"


def a_cluster(work: Path, stack: ExitStack) -> Path:
    """Path of a kubeconfig."""
    if "KUBECONFIG" in os.environ:
        return Path(os.environ["KUBECONFIG"])
    if is_embedded():
        tell("arkwright up: a Kubernetes API and a node, on this machine")
        return stack.enter_context(embedded.running(work / "site", ROOT / "examples" / "base"))
    from control_plane import running

    tell("A Kubernetes control plane on loopback (built from Go modules the first time)")
    return stack.enter_context(running(work / "kubernetes")).kubeconfig


def main() -> None:
    began = time.monotonic()
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # arkwright and kubectl
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="arkwright-demo-")))
        cluster = Cluster(a_cluster(work, stack))
        check(True, f"it is up ({time.monotonic() - began:.1f} s)")
        controller = prepare(cluster, work, stack)
        urls = [build(version, work / "archives") for version in ("1.0.2", "2.0.0")]
        with crashing(controller) if "--crash" in sys.argv else nullcontext(Counter[str]()) as kills:
            tour(cluster, urls)
        if kills:
            tell(f"The controller was killed {kills['killed']} times on the way")
        count_deeds(work)
        cluster.kubectl("delete", "-f", str(ROOT / "examples" / "base" / "deployment.yaml"))
        tell(f"All as said, in {time.monotonic() - began:.0f} s")


def tour(cluster: Cluster, urls: list[str]) -> None:
    pods = addresses(cluster)
    go_online(cluster, urls[0], pods)
    release(cluster, urls[1], pods)
    look(cluster, pods)
    if "--keep" in sys.argv:
        tell(f"Everything stays up until Ctrl-C: export KUBECONFIG={cluster.kubeconfig}")
        threading.Event().wait()
    go_offline(cluster, pods)


if __name__ == "__main__":
    try:
        main()
    except RuntimeError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped")
