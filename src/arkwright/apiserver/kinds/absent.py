"""Kinds that tools ask for everywhere and that nothing here would act on: known, always empty, and not created.

`kubectl apply --prune`, `cluster-info dump` and terminal UIs list them without asking whether they are there, and give up
altogether where one is not. So they are listed (there are none), and whoever makes one is told what does the same here.
Out: Resources, each with the words of its refusal.
"""

from arkwright.apiserver.kinds.resources import Resource

PODS = (
    "nothing here would start its pods: Deployments and ReplicaSets run, and pods with spec.nodeName: arkwright,"
    " each as a process"
)
SCALING = "nothing here scales by itself: kubectl scale deployment NAME --replicas=N"
FILES = "pods here are processes of this machine and see its files: there are no volumes"
LIMITS = "nothing here would keep to it: pods are processes of this machine without limits"
ORDER = "there is one node, and nothing here chooses between pods"
NETWORK = "pods have addresses of this machine: a Service of type NodePort opens a port that stays"
WEBHOOKS = "this API calls nobody before it writes; CEL rules of a CRD (x-kubernetes-validations) are kept"

# plural, kind, short names, why there is none; -: not in a namespace.
_KINDS = {
    "v1": (
        ("limitranges", "LimitRange", "limits", LIMITS),
        ("-persistentvolumes", "PersistentVolume", "pv", FILES),
        ("persistentvolumeclaims", "PersistentVolumeClaim", "pvc", FILES),
        ("podtemplates", "PodTemplate", "", PODS),
        ("replicationcontrollers", "ReplicationController", "rc", PODS),
        ("resourcequotas", "ResourceQuota", "quota", LIMITS),
    ),
    "admissionregistration.k8s.io/v1": (
        ("-mutatingwebhookconfigurations", "MutatingWebhookConfiguration", "", WEBHOOKS),
        ("-validatingadmissionpolicies", "ValidatingAdmissionPolicy", "", WEBHOOKS),
        ("-validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", "", WEBHOOKS),
        ("-validatingwebhookconfigurations", "ValidatingWebhookConfiguration", "", WEBHOOKS),
    ),
    "apps/v1": (
        ("controllerrevisions", "ControllerRevision", "", PODS),
        ("daemonsets", "DaemonSet", "ds", PODS),
        ("statefulsets", "StatefulSet", "sts", PODS),
    ),
    "autoscaling/v2": (("horizontalpodautoscalers", "HorizontalPodAutoscaler", "hpa", SCALING),),
    "autoscaling/v1": (("horizontalpodautoscalers", "HorizontalPodAutoscaler", "hpa", SCALING),),
    "batch/v1": (("cronjobs", "CronJob", "cj", PODS), ("jobs", "Job", "", PODS)),
    "networking.k8s.io/v1": (
        ("ingresses", "Ingress", "ing", NETWORK),
        ("-ingressclasses", "IngressClass", "", NETWORK),
        ("networkpolicies", "NetworkPolicy", "netpol", NETWORK),
    ),
    "policy/v1": (("poddisruptionbudgets", "PodDisruptionBudget", "pdb", ORDER),),
    "scheduling.k8s.io/v1": (("-priorityclasses", "PriorityClass", "pc", ORDER),),
    "storage.k8s.io/v1": (("-storageclasses", "StorageClass", "sc", FILES),),
}


def _absent(api_version: str, plural: str, kind: str, short: str, absence: str) -> Resource:
    group, _, version = api_version.rpartition("/")
    return Resource(
        group,
        version,
        plural.removeprefix("-"),
        kind,
        is_namespaced=not plural.startswith("-"),
        short_names=(short,) if short else (),
        definition=f"io.k8s.api.{group.partition('.')[0] or 'core'}.{version}.{kind}",
        is_preferred=api_version != "autoscaling/v1",
        absence=absence,
    )


METRICS = "metrics.k8s.io"
MEASURED_NOW = "what pods and nodes use is measured when it is asked for"
ABSENT = tuple(_absent(api_version, *row) for api_version, rows in _KINDS.items() for row in rows)
# Neither stored nor empty: `wire/metrics` answers.
MEASURED = tuple(
    _absent(f"{METRICS}/v1beta1", plural, kind, "", MEASURED_NOW)
    for plural, kind in (("-nodes", "NodeMetrics"), ("pods", "PodMetrics"))
)
