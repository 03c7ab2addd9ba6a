"""Where our agent answers in other words than the Java agent, on purpose: step -> (what it answers, why)."""

BESIDE = {"bizName": "provider", "bizState": "deactivated", "bizVersion": "2.0.0", "webContextPath": "provider"}
ACTIVE = {"bizName": "provider", "bizState": "activated", "bizVersion": "1.0.2", "webContextPath": "provider"}
NO_PROTOCOL = "no protocol: 'nowhere/provider.jar'; a module url starts with http://, https:// or file:///"
NO_OBJECT = "Internal Error: the body of queryAllBiz is not the JSON object it takes: "


def _succeeded(message, **more):
    return {"code": "SUCCESS", "data": {"code": "SUCCESS", "message": message, **more}}


def _failed(message, cause=""):
    return {"code": "CMD_PROCESS_INTERNAL_ERROR", "message": message, "cause": cause}


BOTH_FIT = "two versions on one web path are no conflict in a Python base: the second waits for a switch"
DIFFERENCES = {
    "commands": (
        {
            "code": "SUCCESS",
            "data": ["batchInstallBiz", "health", "help", "installBiz", "queryAllBiz"]
            + ["queryBizOps", "switchBiz", "uninstallBiz"],
        },
        "batchInstallBiz came with a later Java agent than the one that is recorded",
    ),
    "a version on the same web path": (
        _succeeded("Install Biz: provider:2.0.0 success, cost: … ms", bizInfos=[BESIDE]),
        BOTH_FIT,
    ),
    "what is there then": ({"code": "SUCCESS", "data": [ACTIVE, BESIDE]}, BOTH_FIT),
    "it is taken away": (_succeeded("Uninstall biz: provider:2.0.0 success."), BOTH_FIT),
    "a start that fails": (
        _failed(
            "Internal Error: StartFailure: RuntimeError: this module never starts",
            "RuntimeError: this module never starts",
        ),
        "the message names the cause, not only the trace; the cause is Python's",
    ),
    "a path for a url": (_failed(f"Internal Error: {NO_PROTOCOL}", NO_PROTOCOL), "the same words, and the way out"),
    "nothing for an install": (
        _failed("Internal Error: bizUrl should not be blank"),
        "says what is missing, where the Java agent shows a null pointer",
    ),
    "later has come": (
        {
            "code": "SUCCESS",
            "data": {
                "message": "Install Biz: provider:1.0.2 success, cost: … ms",
                "status": "SUCCEEDED",
                "requestId": "r1",
            },
        },
        "a record says what came of it",
    ),
    "health": (
        {
            "code": "SUCCESS",
            "data": {
                "healthData": ["bizListInfo", "cpu", "masterBizInfo", "pluginListInfo", "residue", "services"],
                "bizListInfo": [ACTIVE],
            },
        },
        "there is no JVM, what modules left and offer is told; the base stands in masterBizInfo alone, as later Java agents have it",
    ),
    "no JSON": (
        _failed(f"{NO_OBJECT}JSON is malformed: object keys must be strings (byte 1)"),
        "an answer, where the Java agent keeps silent and the connection open",
    ),
    "no object": (
        _failed(f"{NO_OBJECT}Expected `object`, got `array`"),
        "an answer, where the Java agent keeps silent and the connection open",
    ),
}
# (scene, which of its answers) -> (what our agent answers, why)
DIFFERENCES_TOGETHER = {("two at once, one of which fails", "together 1"): DIFFERENCES["a start that fails"]}
