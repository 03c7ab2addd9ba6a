"""Every state that a release can be stuck in: what a person reads there names the cause and the way out.

Each state is brought about in a whole world, and read as `arkwright status` shows it. A reason that the product knows and that no
state here has is a hole in this table.
"""

import io
from pathlib import Path

import pytest
from rich.console import Console

from arkwright.cli.cluster import Snapshot
from arkwright.cli.views import bare_trees, release_tree
from arkwright.clients.errors import ApiRefused
from arkwright.controller.requirement import UNMET
from arkwright.model.codec import read
from arkwright.model.outcomes import Command, Outcome, Reason, Verdict
from arkwright.model.resources import RESOURCES, Kind
from arkwright.people.waysout import WAYS_OUT
from fakes.kube import _raw
from simulation.world import World

pytestmark = pytest.mark.looptime(noop_cycles=0)  # there is no real I/O to wait for
STUCK_PAGE = Path(__file__).parents[2] / "docs" / "stuck.md"
CONFIRMED = {"batchCount": 2, "needConfirm": True}
IN_TURN = {"upgradePolicy": "uninstall_then_install"}


def snapshot(world):
    kinds = (Kind.MODULE_DEPLOYMENT, Kind.MODULE_REPLICASET, Kind.MODULE, Kind.POD)
    return Snapshot(*(tuple(read(_raw(o), RESOURCES[kind].type) for o in world.kube.all(kind)) for kind in kinds))


def shown(world):
    """What `arkwright status` prints."""
    seen, paper = snapshot(world), Console(file=io.StringIO(), width=4000, force_terminal=False)
    trees = [release_tree(one, seen, world.now()) for one in seen.deployments]
    paper.print(*trees, *bare_trees(seen, world.now()))
    return paper.file.getvalue()


class StuckWorld(World):
    """With what keeps a release from going on."""

    def __init__(self):
        super().__init__()
        self._refusals = {}

    def _refuse(self, verb, path):
        for (refused, part), words in self._refusals.items():
            if verb == refused and f"/{part}" in path:
                raise ApiRefused(words, 403)

    def refuses(self, verb, plural, words):
        self._refusals[verb, plural] = words

    def break_version(self, version):
        for base in self.arklet.bases.values():
            base.broken_versions.add(version)


def tells(text, cause, way_out):
    return cause in text and any(way_out in line for line in text.splitlines(keepends=True) if "→" in line)


async def online(world, pods=2, **spec):
    addresses = world.add_pods(pods)
    world.apply(version="1.0", replicas=pods, **spec)
    await world.until(lambda: world.progress() == "Completed")
    return addresses


# ── the states: each brings itself about, in a world whose controller runs ──


async def needs_a_person(world):
    world.add_pods(2)
    world.apply(version="1.0", replicas=2, operationStrategy=CONFIRMED)


async def needs_a_person_and_could_go_back(world):
    await online(world)
    world.apply(version="2.0", operationStrategy=CONFIRMED)


async def is_paused(world):
    await online(world)
    world.apply(version="2.0", pause=True)


async def is_given_up(world):
    await online(world)
    world.break_version("2.0")
    world.apply(version="2.0")
    await world.until(lambda: world.modules("2.0"))
    world.annotate(**{"serverless.alipay.com/abort": "demo-replicas-2"})


async def waits_for_time(world):
    await online(world)
    strategy = {"batchCount": 2, "grayTimeBetweenBatchSeconds": 600}
    world.apply(version="2.0", operationStrategy=strategy)


async def has_no_base(world):
    world.apply(version="1.0", replicas=1, baseDeploymentName="nowhere")


async def has_no_room(world):
    world.add_pods(1)
    world.apply(version="1.0", replicas=3)


async def is_full(world):
    world.add_pods(1, **{"serverless.alipay.com/max-module-count": "0"})
    world.apply(version="1.0", replicas=1)


async def has_pods_that_do_not_run(world):
    pod = world.pod_at(*world.add_pods(1))
    (container,) = pod["status"]["containerStatuses"]
    waiting = container | {"ready": False, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    status = pod["status"] | {"phase": "Pending", "containerStatuses": [waiting]}
    world.kube.change(world.kube.path(pod) + "/status", {"status": status})
    world.apply(version="1.0", replicas=1)


async def shares_its_module(world):
    await online(world, 1)
    world.apply("rival", version="9.0", replicas=1)


async def cannot_fetch(world):
    (address,) = world.add_pods(1)
    world.arklet.bases[address].unreachable_archives.add("http://archives/provider-1.0.whl")
    world.apply(version="1.0", replicas=1)


async def does_not_start(world):
    await online(world, 1)
    world.break_version("2.0")
    world.apply(version="2.0")


async def has_nothing_to_go_back_to(world):
    world.add_pods(1)
    world.break_version("1.0")
    world.apply(version="1.0", replicas=1)


async def is_another_version(world):
    (address,) = world.add_pods(1)
    world.arklet.bases[address].real_identity["provider:1.0"] = "provider:1.1"
    world.apply(version="1.0", replicas=1)


async def has_no_answer_in_time(world):
    (address,) = world.add_pods(1)
    said = Outcome(command=Command.INSTALL, verdict=Verdict.LOST, reason=Reason.INSTALL_TIMED_OUT, message="no answer")
    world.arklet.instead[address, Command.INSTALL] = said
    world.apply(version="1.0", replicas=1)


async def takes_anybodys_calls(world):
    (address,) = world.add_pods(1)
    reason = Reason.AGENT_UNAUTHENTICATED
    said = Outcome(command=Command.QUERY, verdict=Verdict.UNREACHED, reason=reason, message=UNMET)
    world.arklet.instead[address, Command.QUERY] = said
    world.apply(version="1.0", replicas=1)


async def has_one_web_path(world):
    world.base_traits = {"holds_one_version": True}
    await online(world, 1)
    world.apply(version="2.0")


async def is_out_of_reach(world):
    (address,) = world.add_pods(1)
    del world.arklet.bases[address]
    world.apply(version="1.0", replicas=1)


async def may_not_leave(world):
    await online(world, 2, operationStrategy=IN_TURN)
    world.apply(version="2.0", operationStrategy=IN_TURN | {"maxUnavailable": "25%"})


async def is_refused_by_the_api(world):
    world.add_pods(1)
    world.refuses("create", "modules", 'admission webhook "names" denied the request: no modules on Fridays')
    world.apply(version="1.0", replicas=1)


async def may_not_be_deleted(world):
    await online(world, 1)
    world.refuses("delete", "modules", 'modules is forbidden: User "arkwright" cannot delete')
    world.delete()


async def has_a_stranger_for_a_service(world):
    world.add_pods(1)
    world.kube.put(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "provider-service", "namespace": "default"},
            "spec": {"selector": {"app": "other"}, "ports": [{"port": 80}]},
        }
    )
    strategy = {"serviceStrategy": {"enableModuleService": True, "port": 80, "targetPort": 8080}}
    world.apply(version="1.0", replicas=1, operationStrategy=strategy)


async def does_not_leave(world):
    (address,) = await online(world, 1)
    world.arklet.bases[address].failures["uninstallBiz"] = 99
    world.delete()


async def is_deleted_and_unreachable(world):
    (address,) = await online(world, 1)
    del world.arklet.bases[address]
    world.delete()


async def has_stalled(world):
    await online(world, 1)
    world.break_version("2.0")
    world.apply(version="2.0", progressDeadlineSeconds=2)
    await world.until(lambda: world.condition("Stalled").get("status") == "True")


async def is_not_waited_for(world):
    *_, silent = world.add_pods(3)
    del world.arklet.bases[silent]
    world.apply(version="1.0", replicas=3, progressDeadlineSeconds=5)


async def is_in_quarantine(world):
    first, *_ = await online(world, 2)
    world.relabel(first, app="debug")


async def loses_its_pod(world):
    first, *_ = await online(world, 1)
    pod = world.pod_at(first)
    world.kube.change(world.kube.path(pod), {"metadata": {"finalizers": ["example.com/wait"]}})
    world.kube.remove(world.kube.path(pod))


async def restarts(world):
    (address,) = await online(world, 1)
    world.base_traits = {}
    world.arklet.bases[address].broken_versions.add("1.0")
    world.restart_base(address)


async def a_bare_replica_set_has_no_place(world):
    module = {"name": "provider", "version": "1.0", "url": "http://archives/provider-1.0.whl"}
    spec = {"replicas": 2, "selector": {"matchLabels": {"a": "b"}}, "template": {"spec": {"module": module}}}
    world.put(Kind.MODULE_REPLICASET, "bare", spec)


async def a_bare_module_has_no_place(world):
    module = {"name": "provider", "version": "1.0", "url": "http://archives/provider-1.0.whl"}
    world.put(Kind.MODULE, "bare", {"module": module})


async def is_not_seen(world):
    await online(world, 1)
    await world.kill_controller()
    world.apply(version="2.0")


WAITS = "waits for a person; to go on: set spec.pause to false"
STATES = {
    needs_a_person: (WAITS, "arkwright confirm demo"),
    needs_a_person_and_could_go_back: (WAITS, "arkwright confirm demo, or arkwright abort demo"),
    is_paused: ("batch 1/1 is paused", "arkwright confirm demo, or arkwright abort demo"),
    is_given_up: ("demo-replicas-2 was aborted, 1.0 serves", "apply another version, or arkwright retry demo"),
    waits_for_time: (
        "batch 1/2 is complete; gray time until",
        "or lower operationStrategy.grayTimeBetweenBatchSeconds",
    ),
    has_no_base: ('BaseNotFound: Deployment "nowhere" does not exist', "create the Deployment"),
    is_full: (
        "InsufficientBases: 0/1 base pods fit: 1 at max-module-count",
        "raise max-module-count, or add base pods",
    ),
    has_pods_that_do_not_run: ("1 not running", "kubectl describe pod"),
    has_no_room: ("InsufficientBases: 0/1 base pods fit: 1 already holds provider", "add base pods, or lower replicas"),
    shares_its_module: ("1 already holds provider of demo", "delete one of the two, or give one another base"),
    cannot_fetch: ("PullFailed: ", "correct the module's url or version and apply it again\n"),
    does_not_start: ("InstallFailed: ", "apply it again; to go back: arkwright abort demo"),
    has_nothing_to_go_back_to: ("InstallFailed: ", "correct the module's url or version and apply it again\n"),
    is_another_version: (
        "IdentityMismatch: demo-replicas-1-provider-afaec2d5 on stock-1: asked for provider:1.0, but the archive at http://archives/provider-1.0.whl is provider:1.1",
        "correct the module's url",
    ),
    has_no_answer_in_time: ("InstallTimedOut: ", "correct the module's url"),
    takes_anybodys_calls: (
        "AgentUnauthenticated: demo-replicas-1-provider-afaec2d5 on stock-1: its agent takes calls from anybody",
        "give the base the keys of whose calls it takes",
    ),
    has_one_web_path: ("MaxUnavailableExceeded: the base cannot hold two versions", "raise maxUnavailable"),
    is_out_of_reach: ("AgentUnreachable: ", "look at the base pod"),
    may_not_leave: ("maxUnavailable 25% of 2 replicas is 0", "raise maxUnavailable"),
    is_refused_by_the_api: (
        'WriteRefused: the API server refuses a write, it is tried again: admission webhook "names" denied the request: no modules on Fridays',
        "do what the API server's words ask for",
    ),
    may_not_be_deleted: ('arkwright" cannot delete', "do what the API server's words ask for"),
    has_a_stranger_for_a_service: ('ServiceTaken: Service "provider-service" exists', "rename or delete that Service"),
    does_not_leave: ("UninstallFailed: ", "delete-module-directly=true, or delete the base pod"),
    is_deleted_and_unreachable: ("delete-module-directly=true or delete the base pod", "look at the base pod"),
    has_stalled: ("ProgressDeadlineExceeded, InstallFailed: ", "arkwright abort demo"),
    is_not_waited_for: ("not waited for: stock-3, whose agent has never answered", "look at the base pod"),
    is_in_quarantine: ("Detached: pod stock-1 was relabelled out of base stock", "give the pod its labels back"),
    loses_its_pod: ("InsufficientBases: ", "add base pods"),
    restarts: ("InstallFailed: ", "correct the module's url"),
    a_bare_replica_set_has_no_place: (
        "without a ModuleDeployment goes into the base that its label",
        "give it the label serverless.alipay.com/",
    ),
    a_bare_module_has_no_place: (
        "without a ReplicaSet goes into the base that its label",
        "give it the label serverless.alipay.com/",
    ),
    is_not_seen: ("no controller has seen the last change", "start the controller"),
}
SHOWN_OTHERWISE = {  # reasons that no state's words begin with, and where they are seen
    Reason.BASE_RESTARTED: "of a Module, until it is installed again",
    Reason.BASE_TERMINATING: "of a Module that goes with its pod; the release says that a pod is missing",
    Reason.WEB_PATH_CONFLICT: "it ends in MaxUnavailableExceeded where nothing may leave",
}


@pytest.mark.parametrize("state", STATES, ids=lambda one: one.__name__)
async def test_what_a_person_reads_names_the_cause_and_the_way_out(state):
    world, (cause, way_out) = StuckWorld(), STATES[state]
    async with world.running():
        await state(world)
        try:
            await world.until(lambda: tells(shown(world), cause, way_out), seconds=60)
        except AssertionError:
            raise AssertionError(f"{cause!r} and {way_out!r} are to be in:\n{shown(world)}\n{world.told()}") from None


def test_no_reason_is_without_a_state_that_shows_it():
    walked = " ".join(cause for cause, _ in STATES.values())
    assert {one for one in WAYS_OUT if one not in walked} == SHOWN_OTHERWISE.keys()


def test_each_reason_has_a_way_out_and_a_line_on_the_page_for_stuck_releases():
    page = STUCK_PAGE.read_text()
    assert set(Reason) <= WAYS_OUT.keys()
    assert not [reason for reason in WAYS_OUT if f"`{reason}`" not in page]
