"""What was done besides bringing modules into bases and out of them, in words. In: what was played. Out: lines. Words are those of the planners."""

from collections.abc import Iterator, Sequence

from arkwright.model.outcomes import EventReason
from arkwright.model.resources import Kind
from arkwright.plan.intents import Call, Create, Delete, Intent, Patch, Tell
from arkwright.preview.batches import DOINGS
from arkwright.preview.rehearsal import Done, Played

TURNS_IN_CIRCLES = "it turns in circles: this is as far as it was followed"
TOLD = (EventReason.RELEASE_SUPERSEDED, EventReason.BASE_POD_RECYCLED)


def done_in(played: Played) -> list[Done]:
    """Without what people were asked."""
    return [one for one in played.story if isinstance(one, Done)]


def has_effect(done: Sequence[Done]) -> bool:
    """More than words, questions and statuses."""
    return any(_is_effect(one.intent) for one in done)


def _is_effect(intent: Intent) -> bool:
    is_call = isinstance(intent, Call) and intent.command in DOINGS
    return is_call or isinstance(intent, Create | Patch | Delete)


def besides(done: Sequence[Done]) -> tuple[str, ...]:
    """Each once."""
    return tuple(dict.fromkeys(_besides(done)))


def _besides(done: Sequence[Done]) -> Iterator[str]:
    for one in done:
        intent, target = one.intent, one.intent.target
        if target.kind is Kind.SERVICE and isinstance(intent, Create | Patch | Delete):
            yield f"Service {target.name}: {intent.because}"
        elif target.kind is Kind.MODULE_REPLICASET and isinstance(intent, Delete):
            yield f"revision {target.name} is deleted: {intent.because}"
        elif isinstance(intent, Tell) and intent.reason in TOLD:
            yield intent.because


def warnings(done: Sequence[Done]) -> tuple[str, ...]:
    """Not what hands have done before, and is put right whatever is wished."""
    return tuple(dict.fromkeys(_warnings(done)))


def _warnings(done: Sequence[Done]) -> Iterator[str]:
    for one in done:
        if isinstance(one.intent, Tell) and one.intent.is_warning and one.intent.reason is not EventReason.PUT_RIGHT:
            yield f"{one.intent.reason}: {one.intent.because}"
