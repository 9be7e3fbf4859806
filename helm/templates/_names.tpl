{{/* Names, labels and annotations of the objects. */}}

{{- define "gateway.name" -}}
{{ .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of the objects. Services need the strictest form of a name (RFC 1035), and the longest
     suffix of a name has 13 characters. */}}
{{- define "gateway.fullname" -}}
{{- $name := include "gateway.name" . -}}
{{- $both := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- $full := regexReplaceAll "[-.]+$" (.Values.fullnameOverride | default $both | trunc 50) "" -}}
{{- if not (regexMatch "^[a-z]([a-z0-9-]*[a-z0-9])?$" $full) -}}
  {{- fail (printf "%q cannot be the name of a Service, which begins with a letter and has letters, digits and hyphens only: set fullnameOverride" $full) -}}
{{- end -}}
{{ $full }}
{{- end }}

{{/* The labels by which pods are selected: (dict "root" $ "component" …) */}}
{{- define "gateway.identity" -}}
app.kubernetes.io/name: {{ include "gateway.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "gateway.selector" -}}
{{ include "gateway.identity" (dict "root" . "component" "gateway") }}
{{- end }}

{{/* Labels of an object: (dict "root" $ "component" … "labels" {…}). Those of the chart win. */}}
{{- define "gateway.labels" -}}
{{- $component := .component | default "gateway" -}}
{{- $own := include "gateway.identity" (dict "root" .root "component" $component) | fromYaml -}}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_") -}}
{{- $_ := set $own "app.kubernetes.io/version" .root.Chart.AppVersion -}}
{{- $_ := set $own "app.kubernetes.io/managed-by" .root.Release.Service -}}
{{ merge $own (.labels | default dict) .root.Values.commonLabels | toYaml }}
{{- end }}

{{/* Name, labels and annotations of an object:
     (dict "root" $ "suffix" "-…" "component" … "labels" {…} "annotations" {…} "namespace" …) */}}
{{- define "gateway.metadata" -}}
name: {{ .name | default (printf "%s%s" (include "gateway.fullname" .root) (.suffix | default "")) }}
{{- with .namespace }}
namespace: {{ . }}
{{- end }}
labels: {{- include "gateway.labels" . | nindent 2 }}
{{- with merge (dict) (.annotations | default dict) .root.Values.commonAnnotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The label that only the Service of the metrics has. */}}
{{- define "gateway.metricsLabel" -}}
partner-gateway/serves: metrics
{{- end }}

{{- define "gateway.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (.Values.serviceAccount.create | ternary (include "gateway.fullname" .) "default") }}
{{- end }}

{{- define "gateway.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{/* The Secret that is mounted under /run/secrets/<name>/: (dict "root" $ "name" … "secret" …) */}}
{{- define "gateway.secretName" -}}
{{ .secret.existingSecret | default (printf "%s-%s" (include "gateway.fullname" .root) .name) }}
{{- end }}
