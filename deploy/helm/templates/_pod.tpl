{{/* A whole number must not become 1e+06. */}}
{{- define "turnkeeper.value" -}}
{{- if kindIs "float64" . -}}
{{ printf "%.0f" . | quote }}
{{- else -}}
{{ toString . | quote }}
{{- end -}}
{{- end -}}

{{/* The environment of one role: (dict "root" $ "role" "all"). */}}
{{- define "turnkeeper.env" -}}
- name: NODE_ENV
  value: production
- name: TURNKEEPER_ROLE
  value: {{ .role }}
- name: HOST
  value: 0.0.0.0
- name: PORT
  value: '3000'
- name: METRICS_HOST
  value: 0.0.0.0
- name: METRICS_PORT
  value: '9464'
{{- range $name, $value := .root.Values.config }}
- name: {{ $name }}
  value: {{ include "turnkeeper.value" $value }}
{{- end }}
{{- range $name, $secret := .root.Values.secrets }}
{{- if not (and (eq $.role "api") (eq $name "OPENAI_API_KEY")) }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ $secret.name }}
      key: {{ $secret.key | default $name }}
{{- end }}
{{- end }}
{{- end -}}

{{/* No right of root and no way to more; the program cannot change itself. */}}
{{- define "turnkeeper.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "turnkeeper.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Where a pod may run. */}}
{{- define "turnkeeper.placement" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}
