"""What agents tell, as it is shown: rounded, so that a page whose figures hardly change stands still. In: views, one after the other. Out: frozen facts. Pure."""

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from arkwright.model.agentview import AgentView, CallView, LeftView, ModuleView
from arkwright.model.arklet import BizState

Rates = dict[str, float]
SOUND = (BizState.ACTIVATED, BizState.DEACTIVATED, BizState.RESOLVED)


class Mood(StrEnum):
    """How an agent is, or why nothing is known of it. The worst last."""

    NOTHING = "nothing"
    """The controller has released nothing into its pod."""
    UNTOLD = "untold"
    """The controller does not answer."""
    WELL = "well"
    LEFT = "left"
    TROUBLED = "troubled"
    SILENT = "silent"


@dataclass(frozen=True)
class Figures:
    """Of one version, in words. `rate`: requests a second over the last interval, "" before there was one."""

    requests: str
    rate: str
    failed: str
    in_flight: str
    p50: str
    p99: str
    refused: int = 0
    timed_out: int = 0


@dataclass(frozen=True)
class ModuleLine:
    """`figures`: None where the agent tells none."""

    name: str
    version: str
    state: str
    is_sound: bool
    figures: Figures | None
    restarts: int = 0
    last_end: str = ""


@dataclass(frozen=True)
class AgentFacts:
    """`rate`: of all its modules, with two digits; None where it is not known (yet). `tells`: whether it tells figures of what it has."""

    mood: Mood
    rate: float | None = None
    tells: bool = False
    silence: str = ""
    lines: tuple[ModuleLine, ...] = ()
    more: int = 0
    left: tuple[LeftView, ...] = ()
    troubles: tuple[str, ...] = ()
    calls: tuple[CallView, ...] = ()


UNTOLD, NOTHING = AgentFacts(Mood.UNTOLD), AgentFacts(Mood.NOTHING)


def rates_between(before: AgentView | None, after: AgentView, known: Rates) -> Rates:
    """Requests a second, by identity. `known`: what they were, for an answer that is the same as before."""
    if before is None or before.silence or after.silence:
        return {}
    seconds = (after.at - before.at).total_seconds()
    if seconds <= 0:
        return known
    had, has = _requests(before), _requests(after)
    return {one: (count - had[one]) / seconds for one, count in has.items() if one in had and count >= had[one]}


def _requests(view: AgentView) -> dict[str, int]:
    return {one.identity: one.traffic.requests for one in view.modules if one.traffic}


def facts_of(view: AgentView, rates: Rates) -> AgentFacts:
    lines = tuple(_line(one, rates) for one in view.modules)
    return AgentFacts(
        mood=_mood(view),
        rate=_two_digits(sum(rates.values())) if rates else None,
        tells=not lines or any(one.figures for one in lines),
        silence=view.silence,
        lines=lines,
        more=view.more,
        left=view.left,
        troubles=view.troubles,
        calls=tuple(map(_shown, view.calls)),
    )


def _mood(view: AgentView) -> Mood:
    if view.silence:
        return Mood.SILENT
    if view.troubles or any(one.state not in SOUND for one in view.modules):
        return Mood.TROUBLED
    return Mood.LEFT if view.left else Mood.WELL


def _line(one: ModuleView, rates: Rates) -> ModuleLine:
    name, _, version = one.identity.partition(":")
    return ModuleLine(
        name, version, one.state.value, one.state in SOUND, _figures(one, rates), one.restarts, one.last_end
    )


def _figures(one: ModuleView, rates: Rates) -> Figures | None:
    told, rate = one.traffic, rates.get(one.identity)
    if told is None:
        return None
    p50, p99 = (rounded(ms) if ms is not None else "" for ms in (told.p50_ms, told.p99_ms))
    said = "" if rate is None else rounded(rate)
    counts = (counted(count) for count in (told.requests, told.failed, told.in_flight))
    requests, failed, in_flight = counts
    return Figures(requests, said, failed, in_flight, p50, p99, told.refused, told.timed_out)


def _shown(call: CallView) -> CallView:
    """To the second: what is asked every minute would else be another call each time."""
    return CallView(
        command=call.command,
        identity=call.identity,
        at=_to_the_second(call.at),
        seconds=round(call.seconds, 1),
        verdict=call.verdict,
        words=call.words,
    )


def _to_the_second(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def rounded(value: float) -> str:
    """Two digits, of what is measured.

    >>> [rounded(one) for one in (0, 0.004, 0.34, 4.04, 9.96, 57.3, 234, 1299, 45_678, 3_400_000)]
    ['0', '<0.1', '0.3', '4', '10', '57', '230', '1300', '46k', '3.4M']
    """
    if value <= 0:
        return "0"
    if value < 0.05:
        return "<0.1"
    return _scaled(_two_digits(value))


def _two_digits(value: float) -> float:
    """As many as are shown; of less than one, one."""
    return _digits(value, 2 if value >= 0.95 else 1) if value >= 0.05 else value and 0.01


def counted(count: int) -> str:
    """As it is, and of many three digits.

    >>> [counted(one) for one in (0, 7, 9999, 12_345, 4_567_890, 12_345_678_901)]
    ['0', '7', '9999', '12.3k', '4.57M', '12.3G']
    """
    return str(count) if count < 10_000 else _scaled(_digits(count, 3))


def _digits(value: float, digits: int) -> float:
    return round(value, digits - 1 - math.floor(math.log10(value)))


def _scaled(value: float) -> str:
    for size, sign in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if value >= size:
            return f"{value / (1e3 if sign == 'k' else size):g}{sign}"
    return f"{value:g}"
