"""Options where people write them. In: words of a command line, and which options a group and its commands have. Out: the same, each where it is read.

`arkwright module install URL --token-file F` and `arkwright module --agent A list` name what the one or the other has: there is one meaning, so both
are taken. An option that both have belongs to whoever stands before it. Pure, but for the class at its end, which is the library's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from typer.core import TyperGroup

Options = Mapping[str, bool]  # as it is written -> whether a value follows


@dataclass(frozen=True)
class Grammar:
    """`own`: options of the group; `commands`: those of each of its commands."""

    own: Options
    commands: Mapping[str, Options] = field(default_factory=dict)

    def takes_value(self, word: str) -> bool:
        """Whether the next word is its value: of whichever command it may be, as that is not known yet."""
        everywhere = (self.own, *self.commands.values())
        return "=" not in word and any(options.get(word, False) for options in everywhere)


def arranged(words: Sequence[str], grammar: Grammar) -> list[str]:
    """The group's options, the command, its words.

    >>> grammar = Grammar({"--key": True}, {"list": {"--agent": True, "-w": False}})
    >>> arranged(["--agent", "a:1", "list", "-w", "--key", "k"], grammar)
    ['--key', 'k', 'list', '--agent', 'a:1', '-w']
    """
    before, rest = _until_command(words, grammar)
    if not rest:
        return list(words)
    command, known = rest[0], grammar.commands[rest[0]]
    ours, theirs = _parted(before, grammar, lambda name: name in grammar.own or name not in known)
    more, others = _parted(rest[1:], grammar, lambda name: name in grammar.own and name not in known)
    return [*ours, *more, command, *theirs, *others]


def _until_command(words: Sequence[str], grammar: Grammar) -> tuple[Sequence[str], Sequence[str]]:
    """What stands before the command, and it with the rest; all and nothing where there is none."""
    at = 0
    while at < len(words):
        if words[at] in grammar.commands:
            return words[:at], words[at:]
        at += 2 if grammar.takes_value(words[at]) else 1
    return words, ()


def _parted(words: Sequence[str], grammar: Grammar, is_ours: Any) -> tuple[list[str], list[str]]:
    """The options of the group with their values, and all else; what follows `--` is nobody's option."""
    ours: list[str] = []
    others: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        if word == "--":
            return ours, [*others, *words[at:]]
        length = 2 if grammar.takes_value(word) else 1
        is_option = word.startswith("-") and len(word) > 1
        (ours if is_option and is_ours(word.partition("=")[0]) else others).extend(words[at : at + length])
        at += length
    return ours, others


def options_of(parameters: Iterable[Any]) -> dict[str, bool]:
    """Of a library's command."""
    found = [one for one in parameters if one.param_type_name == "option"]
    flags = {name: not (one.is_flag or one.count) for one in found for name in (*one.opts, *one.secondary_opts)}
    return flags | {"--help": False}


class Arranging(TyperGroup):
    """A group of commands that takes their options, and its own, on both sides of the command's name."""

    def parse_args(self, context: Any, words: list[str]) -> list[str]:
        commands = {name: options_of(command.params) for name, command in self.commands.items()}
        return super().parse_args(context, arranged(words, Grammar(options_of(self.params), commands)))
