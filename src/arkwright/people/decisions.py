"""What a person may do about a release: what it will do, said first, and the patch that does it. Pure.

In: a ModuleDeployment with its revisions as they were seen, and a wish. Out: a Decision, or MakesNoSense with the reason in words. Not done here: writing
it (`acting`), and whether the person may.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from arkwright.model.cluster import Document
from arkwright.model.codec import encode, merge_patch, stamp
from arkwright.model.kinds import HELD, UNDER_WAY, ModuleDeployment, ModuleReplicaSet, ModuleTemplateSpec, Progress
from arkwright.model.names import ABORT, CHANGE_CAUSE, RESTARTED_AT
from arkwright.people.standings import is_seen
from arkwright.plan.batches import batch_sizes
from arkwright.plan.revisions import identity


class Verb(StrEnum):
    """What a person decides about one ModuleDeployment."""

    CONFIRM = "confirm"
    PAUSE = "pause"
    RESUME = "resume"
    ABORT = "abort"
    RETRY = "retry"
    UNDO = "undo"
    RESTART = "restart"
    SCALE = "scale"
    SET_VERSION = "set-version"


class MakesNoSense(Exception):
    """As things stand; the message says why, and what there is to do instead."""


@dataclass(frozen=True)
class Scene:
    """What is there. `revisions`: the newest first."""

    deployment: ModuleDeployment
    revisions: tuple[ModuleReplicaSet, ...]
    now: datetime


EVERY = -1


@dataclass(frozen=True)
class Wish:
    """`revision`: to go back to, 0 for the one before; `batch`: to confirm through, 0 for the one that waits, EVERY for all; `replicas`, `version`, `url`: what is to
    be, where the verb asks for it; `cause`: why, in the person's words."""

    verb: Verb
    revision: int = 0
    replicas: int | None = None
    version: str = ""
    url: str = ""
    batch: int = 0
    cause: str = ""


@dataclass(frozen=True)
class Decision:
    """`what`: what it will do, in one sentence; `did`: the same once it is written, after the person's name."""

    what: str
    did: str
    patch: Document

    @property
    def promise(self) -> str:
        """Another for whatever a person might not have meant."""
        return f"{self.did}: {self.what}"


def decide(scene: Scene, wish: Wish) -> Decision:
    """Raises MakesNoSense."""
    if scene.deployment.is_terminating:
        raise MakesNoSense(f"{scene.deployment.name} is being deleted")
    return DECIDERS[wish.verb](scene, wish)


def moves_in(deployment: ModuleDeployment, batch: int) -> int:
    """How many replicas a batch of its release brings to what is asked for."""
    release, strategy = deployment.status.release_status, deployment.spec.operation_strategy
    plan = batch_sizes(abs(release.original_delta_replicas), strategy.batch_count, strategy.use_beta)
    return plan.moved(batch) - plan.moved(batch - 1)


def is_asking(deployment: ModuleDeployment) -> bool:
    """Whether a batch is complete and a person is to say that the next one may begin."""
    release = deployment.status.release_status
    return is_seen(deployment) and release.progress in HELD and release.batch_progress is Progress.COMPLETED


def _confirm(scene: Scene, wish: Wish) -> Decision:
    one, release = scene.deployment, scene.deployment.status.release_status
    if release.progress not in HELD:
        raise MakesNoSense(f"it waits for nobody: {release.progress}")
    if not is_asking(one):
        raise MakesNoSense("it is paused within a batch; resume it")
    batch, module = _confirmed(scene, wish), one.spec.template.spec.module
    return Decision(
        f"{_begun(one, batch)}.",
        f"confirms batch {batch}/{release.real_batch_count} of {module.name}:{module.version}",
        {"spec": {"confirmBatchNum": batch}},
    )


def _confirmed(scene: Scene, wish: Wish) -> int:
    """Through which batch; those before it are confirmed with it."""
    release = scene.deployment.status.release_status
    batch = release.real_batch_count if wish.batch == EVERY else wish.batch or release.current_batch
    if batch < release.current_batch:
        raise MakesNoSense(f"batch {batch} is done; {_batch(scene)} waits")
    if batch > release.real_batch_count:
        raise MakesNoSense(
            f"there is no batch {batch}: this release has {release.real_batch_count}; {_batch(scene)} waits"
        )
    return batch


def _begun(one: ModuleDeployment, confirmed: int) -> str:
    """What may begin once the batches through `confirmed` are."""
    release, module = one.status.release_status, one.spec.template.spec.module
    first, count = release.current_batch + 1, release.real_batch_count
    last = max(first, min(confirmed + 1, count))
    more = sum(moves_in(one, batch) for batch in range(first, last + 1))
    pods = f"{more} more base pods" if more != 1 else "1 more base pod"
    gray_seconds = one.spec.operation_strategy.gray_time_between_batch_seconds
    gray = f"after {gray_seconds} s of gray time" if gray_seconds else ""
    if first == last:
        begun = f"Batch {first} of {count} begins {gray}".rstrip()
    else:
        begun = f"Batches {first} to {last} of {count} begin, one after another{gray and f', each {gray}'}"
    return f"{begun}: {module.name}:{module.version} goes to {pods}"


def _pause(scene: Scene, wish: Wish) -> Decision:
    progress = scene.deployment.status.release_status.progress
    if progress is not Progress.EXECUTING or scene.deployment.spec.pause:
        raise MakesNoSense(f"there is nothing to pause: {progress}")
    what = "Nothing new begins; what is being installed now ends as it was begun."
    return Decision(what, f"pauses {_batch(scene)}", {"spec": {"pause": True}})


def _resume(scene: Scene, wish: Wish) -> Decision:
    one = scene.deployment
    if not one.spec.pause:
        raise MakesNoSense("it is not paused")
    if is_asking(one):
        raise MakesNoSense("a batch is complete and waits for a confirm; confirm it")
    return Decision(f"The release goes on in {_batch(scene)}.", f"resumes {_batch(scene)}", {"spec": {"pause": False}})


def _abort(scene: Scene, wish: Wish) -> Decision:
    one, release = scene.deployment, scene.deployment.status.release_status
    if release.progress not in UNDER_WAY:
        raise MakesNoSense(f"no release is under way: {release.progress}")
    if one.metadata.annotations.get(ABORT) == release.update_revision:
        raise MakesNoSense("it is being given up already")
    others = [each for each in scene.revisions if each.name != release.update_revision]
    if not others:
        raise MakesNoSense("there is no earlier version to go back to; scale to 0, or delete it")
    served = max(others, key=lambda each: (each.status.available_replicas, each.revision)).module
    what = f"{one.spec.template.spec.module.version} is given up; {served.version} comes back to every base pod, waiting for nobody."
    patch: Document = {"metadata": {"annotations": {ABORT: release.update_revision}}}
    return Decision(what, f"aborts {release.update_revision}", patch)


def _retry(scene: Scene, wish: Wish) -> Decision:
    one = scene.deployment
    if ABORT not in one.metadata.annotations:
        raise MakesNoSense("no release of it was aborted")
    what = f"The release of {one.spec.template.spec.module.version} begins anew, from its first batch."
    patch: Document = {"metadata": {"annotations": {ABORT: None}}}
    return Decision(what, f"retries {one.metadata.annotations[ABORT]}", patch)


def _undo(scene: Scene, wish: Wish) -> Decision:
    wanted = identity(scene.deployment.spec.template)
    others = [one for one in scene.revisions if identity(one.spec.template) != wanted]
    if not others:
        raise MakesNoSense("no rollout history found: there is no earlier revision")
    found = next((one for one in others if wish.revision in (0, one.revision)), None)
    if found is None:
        known = ", ".join(str(one.revision) for one in others)
        raise MakesNoSense(f"there is no revision {wish.revision} to go back to; there are {known}")
    module = found.module
    what = f"{module.name}:{module.version} of revision {found.revision} is released again, as any version is: {_in_batches(scene)}."
    patch = _template(scene, found.spec.template) | _because(scene, found.metadata.annotations.get(CHANGE_CAUSE, ""))
    return Decision(what, f"goes back to revision {found.revision}, {module.name}:{module.version}", patch)


def _restart(scene: Scene, wish: Wish) -> Decision:
    patch: Document = {"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: stamp(scene.now)}}}}}
    patch |= _because(scene, "")
    module = scene.deployment.spec.template.spec.module
    what = f"Every {module.name}:{module.version} is uninstalled and installed again, pod by pod: {_in_batches(scene)}."
    return Decision(what, "restarts it", patch)


def _scale(scene: Scene, wish: Wish) -> Decision:
    had, wanted = scene.deployment.spec.replicas, wish.replicas
    if wanted is None or wanted < -1:
        raise MakesNoSense("say how many: 0 or more, or -1 for every base pod")
    if wanted == had:
        raise MakesNoSense(f"replicas is {had} already")
    goal = {-1: "every base pod", 1: "1 base pod"}.get(wanted, f"{wanted} base pods")
    what = f"replicas {had} → {wanted}: the module is to be on {goal}."
    return Decision(what, f"scales it from {had} to {wanted}", {"spec": {"replicas": wanted}})


def _set_version(scene: Scene, wish: Wish) -> Decision:
    had = scene.deployment.spec.template.spec.module
    version, url = wish.version.strip() or had.version, wish.url.strip() or had.url
    if (version, url) == (had.version, had.url):
        raise MakesNoSense("say another version or another url")
    module = {"version": version, "url": url} | ({"md5": None} if had.md5 else {})
    patch: Document = {"spec": {"template": {"spec": {"module": module}}}}
    if version != had.version or wish.cause:
        patch |= _because(scene, wish.cause)
    if version == had.version:
        return Decision(
            "The archive's url changes: what is installed stays as it is, what is not yet comes from there.",
            "sets another url",
            patch,
        )
    what = f"{had.name} {had.version} → {version}: a release of {_in_batches(scene)}."
    return Decision(what, f"sets version {version}", patch)


def _template(scene: Scene, wanted: ModuleTemplateSpec) -> Document:
    changed = merge_patch(encode(scene.deployment.spec.template), encode(wanted))
    return {"spec": {"template": changed}}


def _because(scene: Scene, cause: str) -> Document:
    """The cause that the next revision is given: never that of the one before."""
    had = scene.deployment.metadata.annotations.get(CHANGE_CAUSE, "")
    return {"metadata": {"annotations": {CHANGE_CAUSE: cause or None}}} if cause != had else {}


def _batch(scene: Scene) -> str:
    release = scene.deployment.status.release_status
    return f"batch {release.current_batch}/{release.real_batch_count}"


def _in_batches(scene: Scene) -> str:
    strategy = scene.deployment.spec.operation_strategy
    count = strategy.batch_count
    batches = f"{count} batches" if count > 1 else "1 batch"
    beta = ", the first of one pod" if strategy.use_beta else ""
    return f"{batches}{beta}{', each waits for a confirm' if strategy.need_confirm and count > 1 else ''}"


DECIDERS: dict[Verb, Callable[[Scene, Wish], Decision]] = {
    Verb.CONFIRM: _confirm,
    Verb.PAUSE: _pause,
    Verb.RESUME: _resume,
    Verb.ABORT: _abort,
    Verb.RETRY: _retry,
    Verb.UNDO: _undo,
    Verb.RESTART: _restart,
    Verb.SCALE: _scale,
    Verb.SET_VERSION: _set_version,
}
