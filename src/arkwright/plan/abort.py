"""A person gives a release up (semantics 4): everything goes back to the version that served before.

In: a ModuleDeployment with the annotation `serverless.alipay.com/abort`, its revisions. Out: the wish as it is then. The
annotation names the ReplicaSet that is given up, so it dies with that release: another version in the spec makes it void.
"""

from msgspec.structs import replace

from arkwright.model.kinds import UNDER_WAY, ModuleDeployment, ModuleDeploymentSpec
from arkwright.model.names import ABORT, CHANGE_CAUSE
from arkwright.plan.revisions import Revision, is_in, is_wanted


def is_void(deployment: ModuleDeployment, revisions: tuple[Revision, ...]) -> bool:
    """Whether the annotation is there and gives nothing up. A release that has no ReplicaSet yet is given up once it has."""
    is_set = ABORT in deployment.metadata.annotations
    return is_set and _given_up(deployment, revisions) is None and not _is_under_way(deployment)


def stable_instead(deployment: ModuleDeployment, revisions: tuple[Revision, ...]) -> Revision | None:
    """The revision to go back to; None if the release goes on, or if there is none to go back to.

    That is the one that serves on most base pods; once the way back has begun, the one it leads to.
    """
    given_up = _given_up(deployment, revisions)
    if given_up is None:
        return None
    others = [one for one in revisions if one is not given_up and not one.replica_set.is_terminating]
    chosen = [one for one in others if one.name == deployment.status.release_status.update_revision]
    return max(chosen or others, key=lambda one: (len(one.modules.ready), one.number), default=None)


def turned_back(deployment: ModuleDeployment, stable: Revision) -> ModuleDeployment:
    """The ModuleDeployment as if it asked for `stable`."""
    spec = deployment.spec
    base = spec.base_deployment_name if is_in(stable, spec.base_deployment_name) else stable.base
    wish = replace(spec, template=stable.replica_set.spec.template, base_deployment_name=base)
    told = {
        key: value for key, value in deployment.metadata.annotations.items() if key != CHANGE_CAUSE
    }  # of what is given up
    return replace(deployment, spec=wish, metadata=replace(deployment.metadata, annotations=told))


def unattended(spec: ModuleDeploymentSpec) -> ModuleDeploymentSpec:
    """The way back goes in batches too, but waits for nobody."""
    strategy = replace(spec.operation_strategy, need_confirm=False, gray_time_between_batch_seconds=0)
    return replace(spec, operation_strategy=strategy)


def _given_up(deployment: ModuleDeployment, revisions: tuple[Revision, ...]) -> Revision | None:
    """The revision that is asked for and named. One whose release is complete cannot be given up any more."""
    named = deployment.metadata.annotations.get(ABORT)
    is_over = named == deployment.status.release_status.update_revision and not _is_under_way(deployment)
    found = (one for one in revisions if one.name == named and is_wanted(one, deployment))
    return None if is_over else next(found, None)


def _is_under_way(deployment: ModuleDeployment) -> bool:
    """Whether the named release is the one that goes on."""
    release = deployment.status.release_status
    return deployment.metadata.annotations.get(ABORT) == release.update_revision and release.progress in UNDER_WAY
