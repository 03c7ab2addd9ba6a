{{- /* SPDX-License-Identifier: Apache-2.0. What several controllers need that one does not; a controller of one namespace can make no priority class. */ -}}
{{- define "is-several" -}}
{{- if and .Values.shards .Values.namespaced }}{{ fail "shards divide all namespaces: leave out shards or namespaced" }}{{ end -}}
{{- if and (not .Values.namespaced) (or .Values.shards (gt (int .Values.replicas) 1)) }}yes{{ end -}}
{{- end -}}
{{- define "several" -}}
{{- if include "is-several" . }}
      priorityClassName: arkwright
      affinity:
        podAntiAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
            - weight: 100
              podAffinityTerm:
                topologyKey: kubernetes.io/hostname
                labelSelector:
                  matchLabels:
                    app.kubernetes.io/name: arkwright
{{- end -}}
{{- end -}}
