"""What the agents of the stage tell: a busy afternoon's figures, that grow with the time. In: a Stage that was played. Out: AgentViews."""

import time
import zlib
from datetime import UTC, datetime, timedelta

from arkwright.model.agentview import AgentView, CallView, LeftView, ModuleView, Traffic
from arkwright.model.arklet import BizState
from arkwright.model.outcomes import Command, Verdict


class Tellers:
    """Of the second base the first pod has residue, the second is like a Java base, the last one is silent."""

    def __init__(self, stage):
        self._pods = {(one["metadata"]["namespace"], one["metadata"]["name"]): uid for uid, one in stage.pods.items()}
        self._held, self._began = stage.held, time.time()
        self._odd = [name for place, name in self._pods if place == "bank"]

    def __call__(self, namespace, pod):
        uid, now = self._pods.get((namespace, pod)), datetime.now(UTC)
        if uid is None:
            return None
        number = self._odd.index(pod) if pod in self._odd else -1
        calls = _calls(now, sorted(self._held.get(uid, ())), number)
        if number == 3:
            said = "the agent at 10.4.11.13:1238 has not answered health after 5 s"
            return AgentView(pod=uid, at=now, silence=said, calls=calls)
        held = sorted(self._held.get(uid, ()))
        left = (LeftView(identity="rates:4.1.6", what=("thread rates-refresh goes on",)),) if number == 0 else ()
        modules = tuple(self._module(one, uid, tells=number != 1) for one in held)
        return AgentView(pod=uid, at=now, modules=modules, left=left, calls=calls)

    def _module(self, identity, uid, *, tells):
        lot = zlib.crc32(f"{identity}{uid}".encode()) % 1000
        rate, passed = lot / 25, 7200 + time.time() - self._began
        traffic = Traffic(
            requests=int(rate * passed),
            failed=0 if lot % 7 else lot // 40,
            in_flight=lot % 4,
            p50_ms=2 + lot / 90,
            p99_ms=20 + lot / 9,
        )
        return ModuleView(identity=identity, state=BizState.ACTIVATED, traffic=traffic if tells else None)


def _calls(now, held, number):
    def call(command, identity, seconds, took, verdict=Verdict.DONE, words=""):
        at = now.replace(second=0, microsecond=0) - timedelta(seconds=seconds)
        return CallView(command=command, identity=identity, at=at, seconds=took, verdict=verdict, words=words)

    calls = [call(Command.QUERY, "", 20, 0.01)]
    if number in (0, 1):
        words = "cannot read https://archives.example/rates-4.2.0.whl: 404 Not Found"
        calls.append(call(Command.INSTALL, "rates:4.2.0", 40, 0.3, Verdict.REFUSED, words))
    calls += [call(Command.INSTALL, one, 900 + 60 * place, 1.2 + place) for place, one in enumerate(held)]
    return tuple(calls[:8])
