"""What was seen of a case served one way, and in what two ways differ. In: plain values. Out: the same, comparable."""

import json
import re
from collections import Counter
from dataclasses import dataclass, field

# Of the server or of the moment, not of the application
IGNORED = {"date", "server", "connection", "keep-alive"}
FRAMING = {"content-length", "transfer-encoding"}  # gunicorn and an ASGI server choose differently
MASKS = (
    r'(?<="etag", ")[^}\]]*?(?="\])',
    r'(?<="last-modified", ")[^"]*',
    r"(?<=expires=)[^;]*GMT",
    r"(?<=session=)[\w.-]+",
    r"127\.\d+\.\d+\.\d+(:\d+)?",
)


@dataclass
class Seen:
    """`answers` None: it did not start. `lines`: how often each was in the log. `files`: name -> what is in it."""

    answers: list | None
    lines: dict = field(default_factory=dict)
    files: dict = field(default_factory=dict)
    log: str = ""


@dataclass
class SeenAsModule:
    """`refused`: what the install was answered, "" if it was well. `again`: the answers of the second version. `uninstalls`: what they were answered.
    `left`: what is otherwise in the base or its health than it was before."""

    refused: str = ""
    answers: list | None = None
    again: list | None = None
    uninstalls: tuple = ()
    left: dict = field(default_factory=dict)
    lines: dict = field(default_factory=dict)
    files: dict = field(default_factory=dict)
    log: str = ""


def differences(case, alone, module):
    """What -> (alone, as a module). Two versions have been modules, one after the other: they have said and written everything twice."""
    if module.refused:
        return {} if alone.answers is None else {"install": ("it starts", module.refused)}
    if alone.answers is None:
        return {"install": ("it does not start", "it is installed")}
    pairs = {}
    for when, answers in (("first", module.answers), ("upgraded", module.again)):
        for number, step in enumerate(case.asks):
            pair = (comparable(case, alone.answers[number]), comparable(case, answers[number]))
            pairs[f"{when} {number + 1}: {step}"] = pair
    for line in case.lines:
        pairs[f"line {line!r}"] = (2 * alone.lines[line], module.lines[line])
    pairs["files"] = (doubled(alone.files), module.files)
    for version, said in zip(("1.0", "2.0"), module.uninstalls, strict=True):
        pairs[f"uninstall {version}"] = (f"Uninstall biz: served:{version} success.", said)
    pairs["left"] = ({}, module.left)
    return {what: pair for what, pair in pairs.items() if pair[0] != pair[1]}


def comparable(case, answer):
    """As text, without what is not the application's."""
    if isinstance(answer, list):
        return sorted(comparable(case, one) for one in answer)
    if isinstance(answer, dict) and "headers" in answer:
        ignored = IGNORED | (FRAMING if case.wsgi else set())
        told = sorted(([name.lower(), value] for name, value in answer["headers"]), key=lambda one: one[0])
        answer = answer | {"headers": [one for one in told if one[0] not in ignored]}
        if "then" in answer:
            answer["then"] = [comparable(case, one) for one in answer["then"]]
    text = json.dumps(answer, sort_keys=True, default=repr)
    for mask in (*MASKS, *case.masks):
        text = re.sub(mask, "…", text)
    return text


def files_in(directory):
    """Texts by how often each line is in them, others by name alone."""
    return {
        str(path.relative_to(directory)): Counter(path.read_text().splitlines()) if path.suffix == ".txt" else "there"
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def doubled(files):
    return {name: lines + lines if isinstance(lines, Counter) else lines for name, lines in files.items()}
