"""kubectl itself, as users run it; the cluster is the one that KUBECONFIG names."""

import subprocess


class Refused(AssertionError):
    """kubectl ended with an error; the message is what it printed."""


def kubectl(*words, text=None):
    """Its standard output. Raises Refused."""
    done = subprocess.run(["kubectl", *map(str, words)], input=text, capture_output=True, text=True, timeout=90)
    if done.returncode:
        raise Refused(f"kubectl {' '.join(map(str, words))}: {done.stderr.strip()}")
    return done.stdout
