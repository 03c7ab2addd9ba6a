"""What people type who have not read a manual, and the word that works. In: words. Out: the answer of the command line."""

import shlex
import sys

import pytest
import typer.main

from arkwright.cli import FAMILIES, application, main
from arkwright.cli.guesses import GUESSES, guessed

OTHERS = {"kubectl"}
TYPED = [
    ("rollout undo deployment/demo", "arkwright undo demo"),
    ("rollout undo demo --to-revision=3", "arkwright undo demo"),
    ("rollout restart mddeploy/demo", "arkwright restart demo"),
    ("rollout status demo", "arkwright status demo --watch"),
    ("rollout history", "arkwright history NAME"),
    ("rollout", "arkwright status NAME"),
    ("Rollback demo", "arkwright undo demo"),
    ("promote demo", "arkwright confirm demo"),
    ("set image demo provider=2.0", "arkwright set demo --version VERSION --url URL"),
    ("set version demo 2.0", "arkwright set demo --version VERSION --url URL"),
    ("plan delete demo", "arkwright plan demo --delete"),
    ("delete demo", "kubectl delete mddeploy demo"),
    ("get pods -n shop", "arkwright get bases"),
    ("get md", "arkwright get modules"),
    ("delete -f online.yaml", "kubectl delete -f FILE"),
    ("tail demo", "arkwright logs --follow"),
    ("deploy", "kubectl apply -f FILE"),
    ("explain demo", "arkwright describe demo"),
]
MEANT = [
    "status demo",
    "get modules",
    "get",
    "set url --version 2.0",
    "set version",
    "plan delete --version 2.0",
    "plan delete",
    "undo rollback",
    "--help",
    "",
    "nonsense",
]


@pytest.mark.parametrize(("typed", "answer"), TYPED)
def test_a_guess_answers_with_the_word_that_works(typed, answer, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["arkwright", *typed.split()])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 1
    assert capsys.readouterr().err == f"error: there is no {typed}\n  {answer}\n"


@pytest.mark.parametrize("typed", MEANT)
def test_what_is_meant_is_no_guess(typed):
    assert guessed(typed.split()) == ""


@pytest.mark.parametrize("guess", GUESSES)
def test_every_answer_is_a_command_with_options_that_it_has(guess):
    program, *words = shlex.split(GUESSES[guess])
    if program in OTHERS:
        return
    command = typer.main.get_command(application())
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    assert {word for word in words if word.startswith("--")} <= known
    assert not hasattr(command, "commands") or words == ["--help"]


def test_no_guess_takes_the_place_of_a_command():
    assert not {guess for guess in GUESSES if guess in FAMILIES}


def test_version_is_told_by_the_option_that_everybody_tries(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["arkwright", "--version"])
    main()
    assert capsys.readouterr().out.startswith("arkwright ")
