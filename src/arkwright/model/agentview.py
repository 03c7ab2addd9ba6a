"""What one agent tells of its base, and the last calls to it, as controllers hand it on. In: `health` as an agent answers it. Out: an AgentView. Pure.

Agents are not believed: numbers have bounds, words are cut and cleaned, lists end. Both ends use it, so a view that breaks these bounds is read as none.
"""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from arkwright.model.arklet import BaseHealth, BizInfo, BizState, Count, Milliseconds, ModuleHealth, biz_state
from arkwright.model.meta import Value
from arkwright.model.outcomes import Command, Outcome, Verdict
from arkwright.model.text import PLAIN_PATTERN, plain
from arkwright.model.urls import hide_secrets

MODULES, LEFT, LINES, CALLS = 100, 30, 6, 12
IDENTITY, WORDS, READ = 520, 240, 4096
BYTES = 1 << 20  # no view is larger
Identity = Annotated[str, Meta(max_length=IDENTITY, pattern=PLAIN_PATTERN)]
Words = Annotated[str, Meta(max_length=WORDS, pattern=PLAIN_PATTERN)]


class Traffic(Value, frozen=True, kw_only=True):
    """Of one loaded version since it was loaded; p50 and p99 of its last thousand requests, None where there were none."""

    requests: Count = 0
    failed: Count = 0
    refused: Count = 0
    timed_out: Count = 0
    in_flight: Count = 0
    p50_ms: Milliseconds | None = None
    p99_ms: Milliseconds | None = None


class ModuleView(Value, frozen=True, kw_only=True):
    """`traffic`: None where the agent tells none; `restarts` of its process, and how the last one ended."""

    identity: Identity
    state: BizState = BizState.BROKEN
    traffic: Traffic | None = None
    restarts: Count = 0
    last_end: Words = ""


class LeftView(Value, frozen=True, kw_only=True):
    """What a module that was uninstalled has left in the base."""

    identity: Identity
    what: Annotated[tuple[Words, ...], Meta(max_length=LINES)] = ()


class CallView(Value, frozen=True, kw_only=True):
    """A call to the agent that has ended. `identity`: of the module that it was about, "" for all; `words`: of a failure."""

    command: Command
    identity: Identity = ""
    at: datetime
    seconds: Annotated[float, Meta(ge=0, le=1e6)] = 0.0
    verdict: Verdict
    words: Words = ""


class AgentView(Value, frozen=True, kw_only=True):
    """`pod`: its uid. `silence`: why the agent has told nothing; "" if it has. `more`: modules that are not listed."""

    pod: Identity
    at: datetime
    silence: Words = ""
    modules: Annotated[tuple[ModuleView, ...], Meta(max_length=MODULES)] = ()
    more: Count = 0
    left: Annotated[tuple[LeftView, ...], Meta(max_length=LEFT)] = ()
    troubles: Annotated[tuple[Words, ...], Meta(max_length=LINES)] = ()
    calls: Annotated[tuple[CallView, ...], Meta(max_length=CALLS)] = ()


def agent_view(pod: str, outcome: Outcome, known: tuple[BizInfo, ...], at: datetime) -> AgentView:
    """`outcome`: of a call of `health`; `known`: what is in the base, for agents that answer and tell no modules."""
    if outcome.verdict in (Verdict.LOST, Verdict.UNREACHED):
        return AgentView(pod=pod, at=at, silence=cleaned(outcome.message) or "it does not answer")
    try:
        health = msgspec.convert(outcome.health, type=BaseHealth)
    except msgspec.ValidationError as error:
        return AgentView(pod=pod, at=at, silence=cleaned(f"what it tells of itself cannot be read: {error}"))
    told = health.modules
    return AgentView(
        pod=pod,
        at=at,
        modules=modules_known(known) if told is None else modules_told(told),
        more=max(0, len(known if told is None else told) - MODULES),
        left=left_behind(health.residue),
        troubles=tuple(map(cleaned, health.troubles[:LINES])),
    )


def cleaned(text: str) -> str:
    """An agent's words, fit to be shown: without secrets of urls, on one line, and short."""
    return plain(hide_secrets(text[:READ]), WORDS)


def modules_told(told: tuple[ModuleHealth, ...]) -> tuple[ModuleView, ...]:
    return tuple(_module(one) for one in sorted(told, key=lambda one: (one.biz_name, one.biz_version))[:MODULES])


def modules_known(known: tuple[BizInfo, ...]) -> tuple[ModuleView, ...]:
    """Of an agent that lists what it has, and tells no more."""
    return tuple(ModuleView(identity=one.identity, state=one.state) for one in known[:MODULES])


def left_behind(residue: dict[str, tuple[str, ...]]) -> tuple[LeftView, ...]:
    shown = list(residue.items())[:LEFT]
    return tuple(
        LeftView(identity=plain(identity, IDENTITY), what=tuple(map(cleaned, what[:LINES])))
        for identity, what in shown
        if what
    )


def _module(one: ModuleHealth) -> ModuleView:
    return ModuleView(
        identity=one.identity,
        state=biz_state(one.biz_state),
        traffic=_traffic(one),
        restarts=one.restarts,
        last_end=cleaned(one.last_end or ""),
    )


def _traffic(one: ModuleHealth) -> Traffic | None:
    told = one.requests
    if told is None:
        return None
    return Traffic(
        requests=told.requests,
        failed=told.failed,
        refused=told.refused,
        timed_out=told.timed_out,
        in_flight=one.requests_in_flight,
        p50_ms=told.latency_ms.p50,
        p99_ms=told.latency_ms.p99,
    )
