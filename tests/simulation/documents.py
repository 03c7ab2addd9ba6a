"""Objects as people and nodes write them in a simulated world. In: names. Out: documents. Not done here: who writes them, and when."""

NAMESPACE = "default"
BASE = "stock"


def namespace(name):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def base(name, namespace=NAMESPACE):
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": {"metadata": {"labels": {"app": name}}}},
    }


def pod(name, address, labels, namespace=NAMESPACE):
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": BASE, **labels}},
        "spec": {"containers": [{"name": "base", "ports": [{"containerPort": 1238}]}]},
        "status": {
            "phase": "Running",
            "podIP": address,
            "containerStatuses": [{"name": "base", "containerID": f"fake://{name}/0", "restartCount": 0}],
        },
    }


def module_deployment(name, spec, namespace=NAMESPACE):
    return {
        "apiVersion": "serverless.alipay.com/v1alpha1",
        "kind": "ModuleDeployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"baseDeploymentName": BASE, **spec},
    }
