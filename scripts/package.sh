#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The kustomization and the Helm chart follow the eight files; run this after changing one of them. A test compares.
set -euo pipefail
cd "$(dirname "$0")/../deploy"
rm -f kustomize/0*.yaml helm/crds/*.yaml helm/templates/0*.yaml
cp 0*.yaml kustomize/
cp 0*-crd.yaml helm/crds/
for file in 05-role.yaml 06-role-binding.yaml 07-service-account.yaml 08-controller.yaml; do
  sed -e 's/namespace: default/namespace: {{ .Release.Namespace }}/' \
      -e 's/image: arkwright:.*/image: {{ .Values.image }}/' \
      -e 's/replicas: 1$/replicas: {{ .Values.replicas }}/' \
      -e 's/args: \[\(.*\)\]/args: [\1{{ range .Values.args }}, {{ . | quote }}{{ end }}]/' \
      -e '/^ *resources:$/,/^ *memory: 512Mi$/{s/resources:$/resources: {{- toYaml .Values.resources | nindent 12 }}/;/resources: {{/!d}' \
      "$file" > "helm/templates/$file"
done
