"""A ReplicaSet's seats on base pods, made once and kept until somebody on the pod, or the pod, changes. Out: values of plan/seating."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from arkwright.controller.indexes import is_told
from arkwright.model.cluster import Pod
from arkwright.model.kinds import Module
from arkwright.plan.placement import Seat
from arkwright.plan.seating import Company, Seeker, seat, seat_among_strangers


class Seats:
    """`modules_on`: who is on a pod."""

    def __init__(self, modules_on: Callable[[Pod], tuple[Module, ...]]) -> None:
        self._modules_on = modules_on
        self._kept: dict[str, dict[Seeker, Seat]] = defaultdict(dict)
        self._company: dict[str, Company] = {}

    def forget(self, pod_uid: str) -> None:
        self._kept.pop(pod_uid, None)
        self._company.pop(pod_uid, None)

    def on(
        self, pods: Mapping[str, Pod], seeker: Seeker, coming: Iterable[tuple[str, str, str]], now: datetime
    ) -> tuple[Seat, ...]:
        """`pods`: by name. `coming`: (pod, ModuleDeployment label, module name) of Modules that cannot be seen yet."""
        awaited: dict[str, list[tuple[str, str]]] = {}
        for pod_name, *place in coming:
            awaited.setdefault(pod_name, []).append((place[0], place[1]))
        kept = self._kept
        return tuple(
            seat(seeker, pod, self._modules_on(pod), awaited[name], now)
            if name in awaited
            else kept[pod.metadata.uid].get(seeker) or self._made(pod, seeker, now)
            for name, pod in pods.items()
        )

    def _made(self, pod: Pod, seeker: Seeker, now: datetime) -> Seat:
        uid = pod.metadata.uid
        company = self._company.get(uid)
        if company is None:
            company = self._company[uid] = Company(self._modules_on(pod))
        made = seat_among_strangers(seeker, pod, company) or seat(seeker, pod, company.residents, (), now)
        if company.is_lasting and all(map(is_told, company.residents)):
            self._kept[uid][seeker] = made
        else:
            del self._company[uid]
        return made
