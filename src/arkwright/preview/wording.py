"""A Preview in words that are read at a glance. In: a Preview. Out: a headline, and lines. Pure; the page and the command say the same."""

from collections.abc import Iterator

from arkwright.preview.outlook import Batch, Preview, Release

MOST_PODS = 12
NOTHING = "nothing would change"
KINDS = {"new": "a new revision", "again": "an old revision again", "same": "the same revision"}


def headline(one: Preview) -> str:
    """In one sentence."""
    if not one.would_change:
        return NOTHING
    release = one.release
    if release is None:
        return "no module is installed or uninstalled"
    goal = f"{release.module}:{release.version} on {_pods(one.replicas)} of {one.base}"
    batches = "1 batch" if release.batch_count == 1 else f"{release.batch_count} batches"
    return f"{goal}, in {batches} ({one.policy}); {KINDS[release.kind]}, {release.revision}"


def lines(one: Preview) -> list[str]:
    """What changes in the wish, then batch by batch, then what else is done, and what it waits for in the end."""
    changed = [f"{it.field}: {it.before or 'none'} → {it.after or 'none'}" for it in one.changed if it.before]
    batches = [line for batch in one.release.batches for line in _batch(one, one.release, batch)] if one.release else []
    warned = [f"warning: {it}" for it in one.warnings]
    waits = [f"it does not come to its end: {one.waits_for}"] if one.waits_for else []
    return [*changed, *batches, *one.besides, *warned, *waits]


def _batch(one: Preview, release: Release, batch: Batch) -> Iterator[str]:
    name = f"batch {batch.number}/{release.batch_count}"
    if batch.asks_before:
        yield f"{name} is held: somebody has paused it; arkwright resume {one.name}"
    for number, (steps, pods) in enumerate(_alike(batch).items()):
        what = ", then ".join(steps) or "nothing is called"
        yield f"{name if not number else ' ' * len(name)}  {_pods(len(pods))}: {_listed(pods)}: {what}"
    if not batch.pods:
        yield f"{name} is complete"
    indent = " " * (len(name) + 2)
    if batch.asks_after:
        yield f"{indent}a person is asked: arkwright confirm {one.name}"
    if batch.gray_time_seconds:
        yield f"{indent}{batch.gray_time_seconds} s of gray time pass"


def _alike(batch: Batch) -> dict[tuple[str, ...], list[str]]:
    """Pods on which the same is done, in their order."""
    found: dict[tuple[str, ...], list[str]] = {}
    for it in batch.pods:
        found.setdefault(it.steps, []).append(it.pod)
    return found


def _pods(count: int) -> str:
    return "1 base pod" if count == 1 else f"{count} base pods"


def _listed(pods: list[str]) -> str:
    more = len(pods) - MOST_PODS
    return ", ".join(pods[:MOST_PODS]) + (f" and {more} more" if more > 0 else "")
