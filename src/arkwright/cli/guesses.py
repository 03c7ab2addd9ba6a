"""Words of other tools that people try. In: the words that were typed. Out: the command that does it, with the names that were typed. Pure."""

from collections.abc import Sequence

WATCH = "arkwright status NAME --watch"
APPLY = "kubectl apply -f FILE"
DELETE = "kubectl delete mddeploy NAME"
UNDO = "arkwright undo NAME"
CONFIRM = "arkwright confirm NAME"
ABORT = "arkwright abort NAME"
SET = "arkwright set NAME --version VERSION --url URL"
SCALE = "arkwright scale NAME --replicas REPLICAS"
BASES = "arkwright get bases"
DEPLOYMENTS = "arkwright get deployments"
MODULES = "arkwright get modules"
HISTORY = "arkwright history NAME"
PLAN = "arkwright plan FILE"
PLAN_DELETE = "arkwright plan NAME --delete"
RELEASE = "arkwright release NAME --version VERSION --url URL --wait"
EVENTS = "arkwright events NAME"

# Two words come before one: `rollout undo` before `rollout`.
GUESSES = {
    "rollout undo": UNDO,
    "rollout history": HISTORY,
    "rollout status": WATCH,
    "rollout pause": "arkwright pause NAME",
    "rollout resume": "arkwright resume NAME",
    "rollout restart": "arkwright restart NAME",
    "rollout": "arkwright status NAME",
    "rollouts": "arkwright status",
    "plan delete": PLAN_DELETE,
    "plan remove": PLAN_DELETE,
    "plan undeploy": PLAN_DELETE,
    "set version": SET,
    "set url": SET,
    "set image": SET,
    "get pods": BASES,
    "get pod": BASES,
    "get po": BASES,
    "get base": BASES,
    "get nodes": BASES,
    "get module": MODULES,
    "get md": MODULES,
    "get mod": MODULES,
    "get all": "arkwright status",
    "get deployment": DEPLOYMENTS,
    "get deploy": DEPLOYMENTS,
    "get mddeploy": DEPLOYMENTS,
    "get moduledeployment": DEPLOYMENTS,
    "get moduledeployments": DEPLOYMENTS,
    "get release": DEPLOYMENTS,
    "get releases": DEPLOYMENTS,
    "get rollout": DEPLOYMENTS,
    "get rollouts": DEPLOYMENTS,
    "get rs": "kubectl get mdrs",
    "get mdrs": "kubectl get mdrs",
    "get replicasets": "kubectl get mdrs",
    "get revisions": "kubectl get mdrs",
    "get events": EVENTS,
    "delete -f": "kubectl delete -f FILE",
    "rollback": UNDO,
    "revert": UNDO,
    "back": UNDO,
    "promote": CONFIRM,
    "approve": CONFIRM,
    "continue": CONFIRM,
    "proceed": CONFIRM,
    "next": CONFIRM,
    "cancel": ABORT,
    "terminate": ABORT,
    "stop": ABORT,
    "unpause": "arkwright resume NAME",
    "hold": "arkwright pause NAME",
    "redo": "arkwright retry NAME",
    "rerun": "arkwright retry NAME",
    "bounce": "arkwright restart NAME",
    "deploy": APPLY,
    "apply": APPLY,
    "create": APPLY,
    "upgrade": RELEASE,
    "update": SET,
    "diff": PLAN,
    "preview": PLAN,
    "dry-run": PLAN,
    "delete": DELETE,
    "remove": DELETE,
    "undeploy": DELETE,
    "edit": "kubectl edit mddeploy NAME",
    "list": DEPLOYMENTS,
    "ls": DEPLOYMENTS,
    "ps": MODULES,
    "modules": MODULES,
    "bases": BASES,
    "show": "arkwright describe NAME",
    "explain": "arkwright describe NAME",
    "inspect": "arkwright describe NAME",
    "info": "arkwright describe NAME",
    "watch": WATCH,
    "wait": WATCH,
    "revisions": HISTORY,
    "event": EVENTS,
    "log": "arkwright logs",
    "tail": "arkwright logs --follow",
    "top": "kubectl top pods",
    "patch": "kubectl patch mddeploy NAME",
    "label": "kubectl label mddeploy NAME",
    "annotate": "kubectl annotate mddeploy NAME",
    "ui": "arkwright open",
    "web": "arkwright open",
    "browse": "arkwright open",
    "start": "arkwright up",
    "install": "arkwright module install --help",
    "uninstall": "arkwright module uninstall --help",
    "build": "arkwright module build --help",
    "help": "arkwright --help",
    "-v": "arkwright version",
}


def guessed(words: Sequence[str]) -> str:
    """The command that does what these words are after, or "".

    >>> guessed(["rollout", "undo", "deployment/demo"]), guessed(["rollback"]), guessed(["status", "demo"])
    ('arkwright undo demo', 'arkwright undo NAME', '')
    """
    for length in (2, 1):
        phrase = " ".join(words[:length]).lower()
        if len(words) >= length and phrase in GUESSES and not _is_meant(words):
            return _named(GUESSES[phrase], words[length:])
    return ""


def _is_meant(words: Sequence[str]) -> bool:
    """`set url --version 2` and `plan delete --version 2` are about a ModuleDeployment of that name."""
    return words[0] in ("set", "plan") and (len(words) < 3 or words[2].startswith("-"))


def _named(command: str, rest: Sequence[str]) -> str:
    if not rest or rest[0].startswith("-"):
        return command
    name, _, _ = rest[0].rpartition("/")[2].partition("=")
    return command.replace("NAME", name) if name else command
