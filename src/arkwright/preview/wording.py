"""A preview in words that are read at a glance. In: one of a wish, or of a deletion. Out: a headline, and lines. Pure; the page and the command say the same."""

from collections.abc import Iterator

from arkwright.model.resources import Kind
from arkwright.preview.batches import Batch
from arkwright.preview.deletions import DeletionPreview
from arkwright.preview.outlook import Foreseen, Preview

MOST_PODS = 12
NOTHING = "nothing would change"
KINDS = {"new": "a new revision", "again": "an old revision again", "same": "the same revision"}


def headline(one: Foreseen) -> str:
    """In one sentence."""
    if not one.would_change:
        return NOTHING
    return _deletion(one) if isinstance(one, DeletionPreview) else _release(one)


def _release(one: Preview) -> str:
    release = one.release
    if release is None:
        return "no module is installed or uninstalled"
    goal = f"{release.module}:{release.version} on {_pods(one.replicas)} of {one.base}"
    return f"{goal}, in {_batches(release.batch_count)} ({one.policy}); {KINDS[release.kind]}, {release.revision}"


def _deletion(one: DeletionPreview) -> str:
    if not one.leaves:
        return "its deletion uninstalls nothing"
    pace = f", in {_batches(one.batch_count)}" if one.deletes == Kind.MODULE_DEPLOYMENT else ""
    return f"its deletion uninstalls from {_pods(len(one.leaves))}{pace}"


def lines(one: Foreseen) -> list[str]:
    """What changes in the wish, then batch by batch, then what else is done, what stays, and what it waits for in the end."""
    before, after = (
        ([], [f"{it} stays" for it in one.stays]) if isinstance(one, DeletionPreview) else (_changed(one), [])
    )
    warned = [f"warning: {it}" for it in one.warnings]
    waits = [f"it does not come to its end: {one.waits_for}"] if one.waits_for else []
    return [*before, *_listed_batches(one), *one.besides, *after, *warned, *waits]


def _changed(one: Preview) -> list[str]:
    return [f"{it.field}: {it.before or 'none'} → {it.after or 'none'}" for it in one.changed if it.before]


def _listed_batches(one: Foreseen) -> list[str]:
    of, whole = (one.deployment, one) if isinstance(one, DeletionPreview) else (one.name, one.release)
    return [line for batch in whole.batches for line in _batch(of, whole.batch_count, batch)] if whole else []


def _batch(of: str, count: int, batch: Batch) -> Iterator[str]:
    """`of`: the name of the ModuleDeployment."""
    name = _batch_name(batch.number, count)
    if batch.asks_before:
        yield f"{name} is held: somebody has paused it; arkwright resume {of}"
    indent = " " * (len(name) + 2) if name else ""
    for number, (steps, pods) in enumerate(_alike(batch).items()):
        what = ", then ".join(steps) or "nothing is called"
        yield f"{indent if number or not name else f'{name}  '}{_pods(len(pods))}: {_listed(pods)}: {what}"
    if not batch.pods:
        yield f"{name} is complete"
    if batch.asks_after:
        yield f"{indent}a person is asked: arkwright confirm {of}"
    if batch.gray_time_seconds:
        yield f"{indent}{batch.gray_time_seconds} s of gray time pass"


def _batch_name(number: int, count: int) -> str:
    """Nothing where nothing goes in batches; what is before the first of a deletion is still of the release."""
    if not count:
        return ""
    return f"batch {number}/{count}" if number else "at first"


def _alike(batch: Batch) -> dict[tuple[str, ...], list[str]]:
    """Pods on which the same is done, in their order."""
    found: dict[tuple[str, ...], list[str]] = {}
    for it in batch.pods:
        found.setdefault(it.steps, []).append(it.pod)
    return found


def _batches(count: int) -> str:
    return "1 batch" if count == 1 else f"{count} batches"


def _pods(count: int) -> str:
    return "1 base pod" if count == 1 else f"{count} base pods"


def _listed(pods: list[str]) -> str:
    more = len(pods) - MOST_PODS
    return ", ".join(pods[:MOST_PODS]) + (f" and {more} more" if more > 0 else "")
