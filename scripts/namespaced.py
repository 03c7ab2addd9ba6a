"""The rights of a controller that acts in its own namespace only. In: 05-role.yaml and 06-role-binding.yaml. Out: one Role and its binding, as text.

What is granted for the whole cluster is granted for the namespace; what no Role can grant (to read the namespace itself) is left out.
"""

import sys
from pathlib import Path

import yaml

HEAD = "# SPDX-License-Identifier: Apache-2.0\n# Made from ../05-role.yaml and ../06-role-binding.yaml by scripts/package.sh: a controller for its own namespace, without any right elsewhere.\n"
OF_CLUSTERS = {"namespaces"}


def namespaced(roles: str, bindings: str) -> str:
    """The Role of `arkwright`, and its RoleBinding."""
    rules = [rule for one in yaml.safe_load_all(roles) for rule in one["rules"]]
    rules = [rule for rule in rules if not OF_CLUSTERS & set(rule["resources"])]
    metadata = {"name": "arkwright", "namespace": "default"}
    api = "rbac.authorization.k8s.io/v1"
    role = {"apiVersion": api, "kind": "Role", "metadata": metadata, "rules": rules}
    (binding,) = (one for one in yaml.safe_load_all(bindings) if one["kind"] == "RoleBinding")
    return HEAD + yaml.safe_dump_all([role, binding], sort_keys=False)


if __name__ == "__main__":
    deploy = Path(sys.argv[1])
    print(namespaced(*((deploy / name).read_text() for name in ("05-role.yaml", "06-role-binding.yaml"))), end="")
