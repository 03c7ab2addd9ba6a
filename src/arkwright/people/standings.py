"""How a release stands, in words. In: objects as they are. Out: words, which are those of its conditions where these speak of its wish. Pure."""

from arkwright.model.kinds import Module, ModuleDeployment, ModulePhase, Progress
from arkwright.model.names import ABORT
from arkwright.plan.stages import failure_of, is_stalled

UNSEEN = "Unseen"  # the status is of an earlier wish
STALLED = "ProgressDeadlineExceeded, "


def phase_of(module: Module) -> str:
    """A Module that is going reads Terminating even before its status does."""
    if module.is_terminating:
        return ModulePhase.TERMINATING.value
    return (module.status.status or ModulePhase.PREPARE).value


def is_seen(deployment: ModuleDeployment) -> bool:
    """Whether its status speaks of the spec as it is now, and of its deletion if it is deleted."""
    progress, status = deployment.status.release_status.progress, deployment.status
    if deployment.is_terminating:
        return progress in (Progress.TERMINATING, Progress.TERMINATED)
    return status.observed_generation >= deployment.metadata.generation


def is_given_up(deployment: ModuleDeployment) -> bool:
    """Whether its release has ended in an abort. Where the word for it was taken away it has not: the release begins anew in a moment."""
    return deployment.status.release_status.progress is Progress.ABORTED and ABORT in deployment.metadata.annotations


def standing(deployment: ModuleDeployment) -> str:
    """Its progress; not that of an earlier wish."""
    return str(deployment.status.release_status.progress) if is_seen(deployment) else UNSEEN


def message_of(deployment: ModuleDeployment) -> str:
    """What it waits for, in the words of its conditions."""
    if not is_seen(deployment):
        return _unseen(deployment)
    if failure := failure_of(deployment):
        return f"{STALLED if is_stalled(deployment) else ''}{failure.reason}: {failure.message}"
    progressing = next((one for one in deployment.status.conditions if one.type == "Progressing"), None)
    return progressing.message if progressing else _unseen(deployment)


def _unseen(deployment: ModuleDeployment) -> str:
    if deployment.is_terminating:
        return "it is deleted, and no controller has begun to take its modules away; is one running?"
    if not deployment.status.observed_generation:
        return "no controller has seen it yet; is `arkwright controller` running?"
    return "no controller has seen the last change yet: the counts are of the wish before; is one running?"


def lasting(seconds: float) -> str:
    """
    >>> lasting(7.2), lasting(61), lasting(7200), lasting(200_000)
    ('7 s', '1 min 1 s', '2 h 0 min', '2 d 7 h')
    """
    whole = max(0, round(seconds))
    for size, name, inner, inner_name in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            return f"{whole // size} {name} {whole % size // inner} {inner_name}"
    return f"{whole} s"


def age(seconds: float) -> str:
    """In one word, for a table.

    >>> age(7.2), age(119), age(7300), age(200_000)
    ('7s', '1m', '2h', '2d')
    """
    whole = max(0, int(seconds))
    size, name = next((one for one in ((86_400, "d"), (3600, "h"), (60, "m")) if whole >= one[0]), (1, "s"))
    return f"{whole // size}{name}"
