"""What a base does when its agent is asked: installs, uninstalls, switches, and errs as scripted.

In: a command and its body. Out: the envelope of the wire, as a document. Speaks like the Java agent, whose recorded answers it is
held to (`tests/java`): a second version stays deactivated while one is active. Not done here: time, sockets.
"""

from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field

REFUSAL = "java.lang.IllegalStateException: this module never starts"


@dataclass
class FakeBase:
    """`modules`: identity -> state. `log`: (command, identity) of all that was asked, in order.

    `busy`: identities with a command under way; another on the same one is refused. `failures`: how many more calls of a command fail. `holds_one_version`: like a Java base with web modules, it cannot hold
    two versions on one web path; `web_paths`: identity -> its web path, where it is not the name. `broken_versions`: do not start. `real_identity`: identity asked for -> identity the archive really has.
    """

    modules: dict[str, str] = field(default_factory=dict)
    log: list[tuple[str, str]] = field(default_factory=list)
    failures: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    unreachable_archives: set[str] = field(default_factory=set)
    real_identity: dict[str, str] = field(default_factory=dict)
    holds_one_version: bool = False
    web_paths: dict[str, str] = field(default_factory=dict)
    broken_versions: set[str] = field(default_factory=set)
    busy: dict[str, str] = field(default_factory=dict)  # identity -> the command it is at
    figures: dict[str, dict] = field(
        default_factory=dict
    )  # identity -> what `health` tells besides, as Python agents do
    health: dict = field(default_factory=dict)  # the same, of the base

    def answer(self, command, body):
        identity = f"{body.get('bizName', '')}:{body.get('bizVersion', '')}"
        self.log.append((command, identity if command not in ("queryAllBiz", "health") else ""))
        if self.failures[command] > 0:
            self.failures[command] -= 1
            return _internal_error(REFUSAL)
        commands = {"installBiz": self._install, "uninstallBiz": self._uninstall, "switchBiz": self._switch}
        if command == "queryAllBiz":
            return {"code": "SUCCESS", "data": [self._info(one, state) for one, state in sorted(self.modules.items())]}
        if command == "health":
            return {"code": "SUCCESS", "data": {"healthData": self._health()}}
        if command not in commands:
            return {"code": "CMD_NOT_FOUND", "message": "please follow the doc"}
        return commands[command](identity, body)

    @contextmanager
    def working(self, command, body):
        """Yields None while a command is worked on, or the refusal of one whose identity is busy."""
        identity = f"{body.get('bizName', '')}:{body.get('bizVersion', '')}"
        if command in ("queryAllBiz", "health"):
            yield None
        elif identity in self.busy:
            self.log.append((f"{command} (busy)", identity))
            yield {
                "code": "FAILED",
                "message": f"FAILED:{identity} {command} conflict, exist unfinished command({self.busy[identity]}) for this biz",
            }
        else:
            self.busy[identity] = command
            try:
                yield None
            finally:
                del self.busy[identity]

    def calls(self, command):
        return [identity for name, identity in self.log if name == command]

    def active(self, name):
        """The version of a module that answers; None if none does."""
        versions = (one.partition(":")[2] for one, state in self.modules.items() if self._is_active(one, state, name))
        return next(versions, None)

    def restart(self):
        self.modules.clear()

    def _is_active(self, identity, state, name):
        return identity.partition(":")[0] == name and state == "activated"

    def _install(self, asked, body):
        if body["bizUrl"] in self.unreachable_archives:
            return _internal_error(f"java.io.FileNotFoundException: {body['bizUrl']}")
        identity = self.real_identity.get(asked, asked)
        if identity in self.modules:
            said = f"Biz: {identity} has been installed or registered."
            return _failed("install", "REPEAT_BIZ", said)
        others = [one for one in self.modules if one.partition(":")[0] == identity.partition(":")[0]]
        path = self._web_path(identity)
        if self.holds_one_version and any(self._web_path(one) == path for one in self.modules):
            return _internal_error(f"java.lang.IllegalArgumentException: Child name [{path}] is not unique")
        if identity.partition(":")[2] in self.broken_versions:
            return _internal_error(REFUSAL)
        active = any(self.modules[one] == "activated" for one in others)
        self.modules[identity] = "deactivated" if active else "activated"
        data = {"code": "SUCCESS", "bizInfos": [self._info(identity, self.modules[identity])]}
        return {"code": "SUCCESS", "data": data | {"message": f"Install Biz: {identity} success, cost: 1 ms"}}

    def _uninstall(self, identity, body):
        if identity not in self.modules:
            return _failed("uninstall", "NOT_FOUND_BIZ", f"Uninstall biz: {identity} not found.")
        del self.modules[identity]
        return {"code": "SUCCESS", "data": {"code": "SUCCESS", "message": f"Uninstall biz: {identity} success."}}

    def _switch(self, identity, body):
        if identity not in self.modules:
            return _failed("switch", "NOT_FOUND_BIZ", f"Switch biz: {identity} not found.")
        name = identity.partition(":")[0]
        for one in self.modules:
            if one.partition(":")[0] == name:
                self.modules[one] = "deactivated"
        self.modules[identity] = "activated"
        return {"code": "SUCCESS", "data": {"code": "SUCCESS", "message": f"Switch biz: {identity} is activated."}}

    def _health(self):
        told = [self._info(one, state) | self.figures.get(one, {}) for one, state in sorted(self.modules.items())]
        return {"bizListInfo": told, "masterBizInfo": {"bizName": "base", "bizState": "activated"}} | self.health

    def _web_path(self, identity):
        return self.web_paths.get(identity, identity.partition(":")[0])

    def _info(self, identity, state):
        name, _, version = identity.partition(":")
        return {"bizName": name, "bizVersion": version, "bizState": state, "webContextPath": self._web_path(identity)}


def _failed(verb, code, message):
    return {"code": "FAILED", "data": {"code": code, "message": message}, "message": f"{verb} biz not success!"}


def _internal_error(cause):
    trace = f"com.alipay.ArkletRuntimeException: {cause}\n\tat x.y(Z.java:1)\nCaused by: {cause}\n\tat a.b(C.java:2)"
    outer = "Internal Error: java.lang.reflect.InvocationTargetException"
    return {"code": "CMD_PROCESS_INTERNAL_ERROR", "message": outer, "errorStackTrace": trace}
