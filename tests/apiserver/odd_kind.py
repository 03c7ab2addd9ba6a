"""A custom kind with rules, lists and maps, and room for whatever somebody likes."""

import copy

SPEC = {
    "type": "object",
    "x-kubernetes-preserve-unknown-fields": True,
    "x-kubernetes-validations": [{"rule": "!has(self.list) || self.list.all(x, x < 1000000)"}],
    "properties": {
        "list": {"type": "array", "items": {"type": "integer"}, "maxItems": 1000},
        "map": {"type": "object", "additionalProperties": {"type": "string"}},
        "items": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
            "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
        },
        "replicas": {"type": "integer"},
    },
}
ODDITY = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "oddities.example.com"},
    "spec": {
        "group": "example.com",
        "names": {"plural": "oddities", "singular": "oddity", "kind": "Oddity", "listKind": "OddityList"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {
                    "status": {},
                    "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"},
                },
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": SPEC,
                            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                        },
                    }
                },
            }
        ],
    },
}


def with_rule(rule, **properties):
    """A kind under another name, whose spec has one rule and these fields."""
    made = copy.deepcopy(ODDITY)
    made["metadata"]["name"] = "ruled.example.com"
    made["spec"]["names"] = {"plural": "ruled", "singular": "ruled", "kind": "Ruled", "listKind": "RuledList"}
    spec = {"type": "object", "properties": properties, "x-kubernetes-validations": [{"rule": rule}]}
    made["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"] = spec
    return made
