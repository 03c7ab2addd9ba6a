"""What the embedded API answers otherwise than a real one, on purpose: (fields that differ, the reason)."""

from apiserver.cases_of_tools import COLUMNS, WHERE

GO = "a real one shows what Go's decoder said; ours says the same thing in its own words"
WHY = "a real one does not say why; ours does"
WORDS = "columns are described in our own words"
OLD = "a real one says with every answer that Endpoints are deprecated"
SIDES = "who owns which field is told by the fields of the kind that is stored"
OF_ENDPOINTS = [name for name in WHERE if name.startswith("endpoints")]
DIFFERENCES = {
    "create: another kind": (("message",), GO),
    "create: another version": (("message",), GO),
    "create: not json": (("message",), GO),
    "create: an array": (("message",), GO),
    "create: a version is set": (
        ("status", "code", "reason"),
        "a client's mistake is no fault of the server: 400, not 500",
    ),
    "apply: half a replica": (
        ("status", "code", "reason", "message"),
        "a client's mistake is no fault of the server: 400, not 500",
    ),
    "apply: wrong types": (("message",), GO),
    "apply: wrong types and unknown fields": (("message",), GO),
    "validate: without a kind": (("message",), GO),
    "validate: a wrong status": (
        ("message", "causes"),
        "a real one adds what its scale accessor says, and leaves a part of the path out",
    ),
    "read: by label, nonsense": (("message",), "the term that cannot be read is named as a whole"),
    "read: a page of something that is no token": (("message",), GO),
    **{
        f"read: {name}": (("description",), WORDS)
        for name in ("a widget as a table", "one widget as a table", "a table with objects", "a table without objects")
    },
    "kinds: a pod as a table": (("description",), WORDS),
    "where: a node that takes no pods": (("description",), WORDS),
    **{
        f"where: {name}": (("description",), WORDS) for name in ("an endpoint slice", "an endpoint slice without ports")
    },
    **{f"where: {name}": (("description", "warnings"), OLD) for name in OF_ENDPOINTS},
    **{f"events: {name}": (("managedFields",), SIDES) for name in ("an event", "an event that goes on")},
    **{f"columns: {name}": (("description", "warnings", "rows"), WORDS) for name in COLUMNS},
    "forms: a watch of tables": (("description",), WORDS),
    "update: another object of that name": (("message",), "a real one names keys of its store"),
    "watch: a version that is no number": (
        ("status", "code", "reason", "message"),
        "a client's mistake is no fault of the server: 400, not 500",
    ),
    "watch: a widget as a table": (("description",), WORDS),
    "patch: merge, an array": (("message",), GO),
    "patch: merge with another uid": (("message", "causes"), "a real one says it twice"),
    "patch: merge an unknown field, strictly": (("message",), "a real one repeats the whole object"),
    "patch: json, a test that fails": (("message",), WHY),
    "patch: json, a path that is not there": (("message",), WHY),
    "patch: json, no array": (("message",), GO),
    "patch: an unknown patch": (("message", "details"), "ours names the patches that it takes"),
    "delete: held by a finalizer": (("message", "causes"), "a real one says it twice"),
    "kinds: a deployment's scale is no deployment": (("message",), "a real one repeats the whole object"),
    "kinds: a widget's scale": (("managedFields",), "a real one forgets who has scaled a custom object"),
    "kinds: a role": (("warnings",), "whoever stores a role is told that roles are not enforced here"),
    "about: the core group": (
        ("serverAddressByClientCIDRs",),
        "one address, and that is the one the client has used",
    ),
    "about: a definition": (("managedFields",), "its status is the API's own, not that of a controller beside it"),
}
