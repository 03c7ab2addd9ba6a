"""Options before and behind a command's name: whoever has them gets them, with their values, in their order."""

import shlex

import pytest
import typer.main

from arkwright.cli import FAMILIES, application
from arkwright.cli.arranging import Grammar, arranged, options_of

GRAMMAR = Grammar(
    {"--token-file": True, "--insecure": False, "--key": True},
    {
        "install": {"--agent": True, "--name": True},
        "sign": {"--key": True},
        "list": {"-o": True, "--watch": False, "--agent": True},
    },
)
CASES = [
    ("install URL --token-file F", "--token-file F install URL"),
    ("install --token-file=F URL --agent A", "--token-file=F install URL --agent A"),
    ("--agent A install URL", "install --agent A URL"),
    ("--agent=A --insecure install URL", "--insecure install --agent=A URL"),
    ("-o json list --watch --insecure", "--insecure list -o json --watch"),
    ("sign ARCHIVE --key K", "sign ARCHIVE --key K"),  # its own, not the group's
    ("install URL --key K", "--key K install URL"),
    ("--key K sign ARCHIVE", "--key K sign ARCHIVE"),
    ("--agent list list", "list --agent list"),  # a value, and the command
    ("install URL -- --insecure", "install URL -- --insecure"),
    ("install --unknown X", "install --unknown X"),
    ("install - --insecure", "--insecure install -"),
    ("--help", "--help"),
    ("install --help", "install --help"),
    ("nonsense --insecure", "nonsense --insecure"),
    ("", ""),
]


@pytest.mark.parametrize(("typed", "read"), CASES)
def test_an_option_is_read_where_it_belongs(typed, read):
    assert arranged(shlex.split(typed), GRAMMAR) == shlex.split(read)


def groups(command, path=()):
    """Every group there is, with the words that lead to it."""
    if hasattr(command, "commands"):
        yield path, command
        for name, one in command.commands.items():
            yield from groups(one, (*path, name))


GROUPS = dict(groups(typer.main.get_command(application())))


@pytest.mark.parametrize("path", GROUPS, ids=lambda path: " ".join(path) or "arkwright")
def test_each_option_of_a_group_works_behind_each_of_its_commands_and_the_other_way_round(path):
    group = GROUPS[path]
    commands = {name: options_of(one.params) for name, one in group.commands.items()}
    grammar = Grammar(options_of(group.params), commands)
    for name, known in commands.items():
        for option, has_value in grammar.own.items():
            words = [option, "value"] if has_value else [option]
            if option not in known:
                assert arranged([name, *words], grammar) == [*words, name]
        for option, has_value in known.items():
            words = [option, "value"] if has_value else [option]
            if option not in grammar.own:
                assert arranged([*words, name], grammar) == [name, *words]


def test_every_command_is_of_a_group_that_arranges():
    assert {name for name, one in GROUPS[()].commands.items() if name != "version"} == set(FAMILIES)
    assert {type(one).__name__ for one in GROUPS.values()} == {"Arranging"}
