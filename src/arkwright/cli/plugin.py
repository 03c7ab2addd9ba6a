"""The same commands as a plugin: `kubectl arkwright status`. In: what kubectl gives its plugins. Out: what it shows of them.

kubectl finds a program named kubectl-arkwright, and asks kubectl_complete-arkwright what may follow; both come with the package. Flags of kubectl's
own, --kubeconfig and --context, come after the plugin's name and are the program's own, too.
"""

import contextlib
import os
import shlex
import sys

from arkwright.cli import application

NO_FILES = ":4"  # kubectl's word for: nothing else fits, names of files neither
NAME = "arkwright"


def complete() -> None:
    """Lines of what may follow the words, the last of which is not complete; then how the shell is to take them."""
    words = sys.argv[1:]
    asked = {"COMP_WORDS": shlex.join([NAME, *words]), "COMP_CWORD": str(max(1, len(words)))}
    os.environ.update(asked | {f"_{NAME.upper()}_COMPLETE": "complete_bash"})
    with contextlib.suppress(SystemExit):
        application()(prog_name=NAME)
    sys.stdout.write(f"{NO_FILES}\n")
