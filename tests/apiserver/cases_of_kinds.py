"""Documents that cases are made of."""

WIDGETS = "/apis/test.arkwright.dev/v1/namespaces/NS/widgets"
CONFIGMAPS = "/api/v1/namespaces/NS/configmaps"
PODS = "/api/v1/namespaces/NS/pods"
SERVICES = "/api/v1/namespaces/NS/services"
DEPLOYMENTS = "/apis/apps/v1/namespaces/NS/deployments"
MODULES = "/apis/serverless.alipay.com/v1alpha1/namespaces/NS/modules"
MODULE_DEPLOYMENTS = "/apis/serverless.alipay.com/v1alpha1/namespaces/NS/moduledeployments"

CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.test.arkwright.dev}
spec:
  group: test.arkwright.dev
  names: {plural: widgets, kind: Widget, singular: widget, shortNames: [wg], categories: [all]}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      additionalPrinterColumns:
        - {name: SIZE, type: integer, jsonPath: .spec.size}
        - {name: READY, type: string, jsonPath: '.status.conditions[?(@.type=="Ready")].status'}
        - {name: LABEL, type: string, jsonPath: '.metadata.labels.example\\.com/of', priority: 1}
        - {name: AGE, type: date, jsonPath: .metadata.creationTimestamp}
      subresources:
        status: {}
        scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas, labelSelectorPath: .status.selector}
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
                size: {type: integer, format: int32, minimum: 1, maximum: 9}
                count: {type: integer, exclusiveMinimum: true, minimum: 0}
                colour: {type: string, enum: [red, green], default: red}
                name: {type: string, minLength: 2, maxLength: 5, pattern: '^[a-z]+$'}
                when: {type: string, format: date-time}
                link: {type: string, format: uri}
                amount: {x-kubernetes-int-or-string: true}
                maybe: {type: string, nullable: true}
                replicas: {type: integer}
                "on": {type: boolean, default: true}
                ratio: {type: number}
                tags: {type: array, maxItems: 3, items: {type: string}, x-kubernetes-list-type: set}
                plain: {type: array, minItems: 1, items: {type: integer}}
                parts:
                  type: array
                  x-kubernetes-list-type: map
                  x-kubernetes-list-map-keys: [name]
                  items:
                    type: object
                    required: [name]
                    properties:
                      name: {type: string}
                      weight: {type: integer, default: 1}
                      note: {type: string}
                whole:
                  type: object
                  x-kubernetes-map-type: atomic
                  properties: {a: {type: string}, b: {type: string}}
                words: {type: object, maxProperties: 2, additionalProperties: {type: string}}
                free: {type: object, x-kubernetes-preserve-unknown-fields: true}
                low: {type: integer}
                high: {type: integer}
              x-kubernetes-validations:
                - {rule: '!has(self.low) || !has(self.high) || self.low <= self.high', message: low is above high}
                - {rule: 'self.colour == oldSelf.colour', message: colour is fixed}
            status:
              type: object
              properties:
                phase: {type: string}
                replicas: {type: integer}
                selector: {type: string}
                conditions:
                  type: array
                  x-kubernetes-list-type: map
                  x-kubernetes-list-map-keys: [type]
                  items:
                    type: object
                    required: [type]
                    properties: {type: {type: string}, status: {type: string}}
"""


def widget(name="w", *, labels=None, metadata=None, status=None, **spec):
    made = {"apiVersion": "test.arkwright.dev/v1", "kind": "Widget"}
    made["metadata"] = {"name": name} | ({"labels": labels} if labels else {}) | (metadata or {})
    return made | ({"spec": spec} if spec else {}) | ({"status": status} if status else {})


def configmap(name="c", *, metadata=None, **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name} | (metadata or {}), "data": data}


def container(name="base", **more):
    return {"name": name, "image": "base:1"} | more


def pod(name="p", *containers, metadata=None, **spec):
    listed = [*containers] or [container()]
    spec = {"containers": listed} | spec
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name} | (metadata or {}), "spec": spec}


def service(name="s", *ports, **spec):
    listed = [*ports] or [{"port": 80}]
    spec = {"selector": {"app": "a"}, "ports": listed} | spec
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def deployment(name="d", *, labels=None, containers=None, **spec):
    template = {"metadata": {"labels": labels or {"app": "a"}}, "spec": {"containers": containers or [container()]}}
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": "a"}}, "template": template} | spec
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}
