"""A controller as it runs in a pod, with the account of one: what it takes there is what it takes in a cluster.

    python bench/inpod.py DIRECTORY controller --namespace shop

In: the kubeconfig that KUBECONFIG names, with a token. Out (`account`): a directory with the files of an account, and the environment of a pod.
"""

import base64
import functools
import os
import runpy
import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from arkwright.clients import credentials
from arkwright.clients.incluster import Account


def account(directory):
    """The environment; the files come into `directory`."""
    found = yaml.safe_load(Path(os.environ["KUBECONFIG"]).read_text())
    cluster, user = found["clusters"][0]["cluster"], found["users"][0]["user"]
    directory.mkdir(exist_ok=True)
    (directory / "token").write_text(user["token"])
    if data := cluster.get("certificate-authority-data"):
        (directory / "ca.crt").write_bytes(base64.b64decode(data))
    else:
        shutil.copy(cluster["certificate-authority"], directory / "ca.crt")
    server = urlsplit(cluster["server"])
    pod = {"KUBERNETES_SERVICE_HOST": server.hostname, "KUBERNETES_SERVICE_PORT": str(server.port)}
    return {name: value for name, value in os.environ.items() if name != "KUBECONFIG"} | pod


if __name__ == "__main__":
    credentials.Account = functools.partial(Account, Path(sys.argv.pop(1)))
    runpy.run_module("arkwright", run_name="__main__", alter_sys=True)
