#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The kustomizations and the Helm chart follow the eight files; run this after changing one of them. A test compares.
set -euo pipefail
cd "$(dirname "$0")/../deploy"
rm -f kustomize/0*.yaml helm/crds/*.yaml helm/templates/0*.yaml
cp 0*.yaml kustomize/
cp 0*-crd.yaml helm/crds/
"${PYTHON:-python3}" ../scripts/namespaced.py . > namespaced/role.yaml
cp 07-service-account.yaml 08-controller.yaml namespaced/

templated() { # values instead of what is said in a file
  sed -e 's/namespace: default/namespace: {{ .Release.Namespace }}/' \
      -e 's/image: arkwright:.*/image: {{ .Values.image }}/' \
      -e 's/replicas: 1$/replicas: {{ .Values.replicas }}/' \
      -e 's/args: \[\(.*\)\]/args: [\1{{ if .Values.namespaced }}, --namespace=$(POD_NAMESPACE){{ end }}{{ if .Values.shards }}, --shards{{ end }}{{ range .Values.args }}, {{ . | quote }}{{ end }}]/' \
      -e '/^      serviceAccountName:/a\{{- include "several" . }}' \
      -e '/^ *resources:$/,/^ *memory: 512Mi$/{s/resources:$/resources: {{- toYaml .Values.resources | nindent 12 }}/;/resources: {{/!d}' \
      "$1"
}

elsewhere() { # in the namespace that the chart is installed into
  sed -e 's/namespace: default/namespace: {{ .Release.Namespace }}/' "$1"
}

for file in 07-service-account.yaml 08-controller.yaml; do
  templated "$file" > "helm/templates/$file"
done
{
  echo '{{- if .Values.namespaced }}'
  elsewhere namespaced/role.yaml
  echo '{{- else }}'
  elsewhere 05-role.yaml
  echo '---'
  elsewhere 06-role-binding.yaml
  echo '{{- end }}'
} > helm/templates/05-rights.yaml
{
  echo '{{- if include "is-several" . }}'
  elsewhere shards/component/availability.yaml
  echo '{{- end }}'
} > helm/templates/10-availability.yaml
cp dashboard/dashboard.yaml dashboard/component/
{
  sed -n 1p monitoring/rules.yaml
  printf "%s\n" "# The Prometheus Operator's form of rules.yaml." "apiVersion: monitoring.coreos.com/v1" "kind: PrometheusRule" "metadata:" "  name: arkwright" "  labels:" "    app.kubernetes.io/name: arkwright" "spec:"
  sed -n "/^groups:/,\$ s/^/  /p" monitoring/rules.yaml
} > monitoring/prometheus-rule.yaml
{
  echo '{{- if .Values.dashboard.enabled }}'
  sed -e 's/namespace: default/namespace: {{ .Release.Namespace }}/' \
      -e 's/image: arkwright:.*/image: {{ .Values.image }}/' \
      -e 's/args: \[\(.*\)\]/args: [\1{{ range .Values.dashboard.args }}, {{ . | quote }}{{ end }}]/' \
      -e '/^ *resources:$/,/^ *memory: 512Mi$/{s/resources:$/resources: {{- toYaml .Values.dashboard.resources | nindent 12 }}/;/resources: {{/!d}' \
      dashboard/dashboard.yaml
  echo '{{- end }}'
} > helm/templates/09-dashboard.yaml
