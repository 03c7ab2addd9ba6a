"""What a Java agent and ours are asked, step by step, and what of their answers can be compared.

In: an address and the urls of archives. Out: exchanges, with everything in them put into words that stay the same from run to run.
"""

import asyncio
import contextlib
import json
import re
from dataclasses import dataclass

ANSWER_SECONDS, SILENCE_SECONDS = 60, 3
POST = "POST"


@dataclass(frozen=True)
class Step:
    """`body`: an object, or text that is none; `{provider-1.0.2}` in it stands for the url of that archive.

    `again_while`: the same is asked again as long as the answer has these words.
    """

    name: str
    command: str
    body: object = None
    method: str = POST
    again_while: str = ""


def install(name, archive="", version="", **more):
    asked, _, real = archive.strip("{}").rpartition("-")
    return Step(name, "installBiz", {"bizName": asked, "bizVersion": version or real, "bizUrl": archive, **more})


def on(name, command, module, version):
    return Step(name, command, {"bizName": module, "bizVersion": version})


QUERY = ("queryAllBiz", {})
STEPS = [
    Step("commands", "help", {}),
    Step("nothing is there", *QUERY),
    Step("an empty body will do", "queryAllBiz"),
    install("a first install", "{provider-1.0.2}"),
    Step("it is active", *QUERY),
    install("the same again", "{provider-1.0.2}"),
    install("a version on the same web path", "{provider-2.0.0}"),
    Step("what is there then", *QUERY),
    on("it is taken away", "uninstallBiz", "provider", "2.0.0"),
    install("a version on another web path", "{provider-3.0.0}"),
    Step("it waits", *QUERY),
    on("a switch", "switchBiz", "provider", "3.0.0"),
    Step("the other is active", *QUERY),
    on("a switch back", "switchBiz", "provider", "1.0.2"),
    on("an uninstall", "uninstallBiz", "provider", "3.0.0"),
    on("the last uninstall", "uninstallBiz", "provider", "1.0.2"),
    Step("nothing is left", *QUERY),
    on("a switch to what is not there", "switchBiz", "provider", "9"),
    on("an uninstall of what is not there", "uninstallBiz", "provider", "9"),
    on("an uninstall of the base", "uninstallBiz", "base", "1.0.0"),
    Step("an uninstall of nothing", "uninstallBiz", {}),
    install("a start that fails", "{broken-0.9.0}"),
    Step("nothing of it is left", *QUERY),
    install("another name than the archive has", "{provider-1.0.2}", "7.7.7"),
    Step("it goes by its own", *QUERY),
    on("and is taken away by that", "uninstallBiz", "provider", "1.0.2"),
    Step(
        "a path for a url", "installBiz", {"bizName": "provider", "bizVersion": "1", "bizUrl": "nowhere/provider.jar"}
    ),
    Step("no url", "installBiz", {"bizName": "provider", "bizVersion": "1"}),
    Step("a name and no version", "installBiz", {"bizName": "provider", "bizUrl": "{provider-1.0.2}"}),
    Step("a url alone", "installBiz", {"bizUrl": "{provider-1.0.2}"}),
    on("which the archive has named", "uninstallBiz", "provider", "1.0.2"),
    Step("nothing for an install", "installBiz"),
    install("later, without a name for it", "{provider-1.0.2}", **{"async": True}),
    install("later", "{provider-1.0.2}", **{"async": True, "requestId": "r1"}),
    Step("later has come", "queryBizOps", {"requestId": "r1"}, again_while='"endTimestamp":0'),
    install("the name again", "{provider-1.0.2}", **{"async": True, "requestId": "r1"}),
    Step("a name nobody has given", "queryBizOps", {"requestId": "r9"}),
    Step("health", "health", {}),
    Step("health of what is unknown", "health", {"type": "z"}),
    Step("an unknown command", "makeCoffee", {}),
    Step("an unknown command with a slash", "a/b", {}),
    Step("no JSON", "queryAllBiz", "{bad json"),
    Step("no object", "queryAllBiz", "[]"),
    Step("a GET", "help", method="GET"),
]
FIELDS = ("bizName", "bizState", "bizVersion", "webContextPath")
CHANGEABLE = [
    ("INITIALIZED", "EXECUTING"),  # whichever comes first
    (r"cost: \d+ ms.*", "cost: … ms"),
    (r"file:[^ \"']*?/([a-z]+-[\d.]+)[^ \"'/]*\.(jar|whl)", r"{\1}"),
]


async def asked(host, port, step, urls):
    """(status, body) of the answer; None if there is none."""
    text = "" if step.body is None else step.body if isinstance(step.body, str) else json.dumps(step.body)
    for archive, url in urls.items():
        text = text.replace(f"{{{archive}}}", url)
    while True:
        try:
            async with asyncio.timeout(SILENCE_SECONDS if isinstance(step.body, str) else ANSWER_SECONDS):
                answer = await _exchange(host, port, f"{step.method} /{step.command}", text.encode())
        except TimeoutError:
            return None
        if not step.again_while or step.again_while not in answer[1]:
            return answer
        await asyncio.sleep(0.05)


async def _exchange(host, port, line, body):
    reader, writer = await asyncio.open_connection(host, port)
    try:
        head = f"{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        status, _, answer = (await reader.read()).partition(b"\r\n\r\n")
        return int(status.split()[1]), answer.decode()
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def comparable(answer):
    """An answer without what differs from run to run: times, sizes, places of files, stack traces but their last cause."""
    if answer is None:
        return "no answer, the connection stays open"
    status, body = answer
    if status != 200:
        return {"status": status, "text": body}
    found = json.loads(body)
    shown = {name: found[name] for name in ("code", "message") if name in found}
    if "errorStackTrace" in found:
        causes = re.findall(r"^Caused by: (.*)$", found["errorStackTrace"], re.MULTILINE)
        shown["cause"] = causes[-1] if causes else ""
    if "data" in found:
        shown["data"] = _data(found["data"])
    return _said_again(shown)


def _data(data):
    if isinstance(data, list) and data and "id" in data[0]:
        return sorted(one["id"] for one in data)
    if isinstance(data, list):
        return _modules(data)
    if "healthData" in data:
        health = data["healthData"]
        return {"healthData": sorted(health), "bizListInfo": _modules(health["bizListInfo"])}
    kept = {name: data[name] for name in ("code", "message", "status", "requestId") if data.get(name)}
    return kept | ({"bizInfos": _modules(data["bizInfos"])} if data.get("bizInfos") else {})


def _modules(infos):
    """A Java agent lists them in any order."""
    return sorted(map(_module, infos), key=lambda one: (one["bizName"], one["bizVersion"]))


def _module(info):
    return {name: info[name].lower() if name == "bizState" else info[name] for name in FIELDS if name in info}


def _said_again(value):
    if isinstance(value, dict):
        return {name: _said_again(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_said_again(inner) for inner in value]
    for pattern, word in CHANGEABLE:
        value = re.sub(pattern, word, value) if isinstance(value, str) else value
    return value
