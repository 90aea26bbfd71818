{{/* The name of everything of this release. */}}
{{- define "turnkeeper.name" -}}
{{- if contains "turnkeeper" .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-turnkeeper" .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* By what pods are found; never changes. */}}
{{- define "turnkeeper.selector" -}}
app.kubernetes.io/name: turnkeeper
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "turnkeeper.labels" -}}
{{ include "turnkeeper.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* The roles that run, as JSON. */}}
{{- define "turnkeeper.roles" -}}
{{- ternary (list "api" "worker") (list "all") .Values.split | toJson -}}
{{- end -}}

{{- define "turnkeeper.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "turnkeeper.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default (include "turnkeeper.name" .) }}
{{- else -}}
{{ .Values.serviceAccount.name | default "default" }}
{{- end -}}
{{- end -}}
