{{/* The gateway's configuration as YAML: the values, completed by what the chart knows. */}}
{{- define "gateway.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- if .Values.sandbox.enabled -}}
  {{- include "gateway.checkSandbox" . -}}
  {{- $_ := set $config "accounts" (include "gateway.sandboxAccounts" . | fromYaml) -}}
  {{- if not $config.callers -}}
    {{- $_ := set $config "callers" (include "gateway.sandboxCallers" . | fromYaml) -}}
  {{- end -}}
{{- else if not $config.accounts -}}
  {{- fail "config.accounts is empty: give config.accounts.<name>.partner_id and platform_id, or set sandbox.enabled for a test environment" -}}
{{- end -}}
{{- range $name, $account := $config.accounts -}}
  {{- if not $account.endpoint -}}
    {{- $_ := set $account "endpoint" $.Values.defaultEndpoint -}}
  {{- end -}}
  {{- if not (or $account.credentials (eq ($account.authentication | default "signature") "token")) -}}
    {{- if not (hasKey $.Values.secrets $name) -}}
      {{- fail (printf "account %s has nothing to sign with: name the Secret that holds access_key and secret_key in secrets.%s.existingSecret, or give config.accounts.%s.credentials" $name $name $name) -}}
    {{- end -}}
    {{- $folder := printf "/run/secrets/%s" $name -}}
    {{- $pair := dict "access_key_file" (printf "%s/access_key" $folder) "secret_key_file" (printf "%s/secret_key" $folder) -}}
    {{- $_ := set $account "credentials" (list $pair) -}}
  {{- end -}}
{{- end -}}
{{- $replicas := .Values.autoscaling.enabled | ternary .Values.autoscaling.maxReplicas .Values.replicaCount -}}
{{- $_ := set $config "state" (merge ($config.state | default dict) (dict "replicas" $replicas)) -}}
{{- $yaml := toYaml $config -}}
{{- include "gateway.checkSecrets" (dict "root" . "yaml" $yaml) -}}
{{- include "gateway.checkAudit" . -}}
{{ $yaml }}
{{- end }}

{{/* Fails where a secret stands in the configuration itself, or nothing mounts one that it reads. */}}
{{- define "gateway.checkSecrets" -}}
{{- if regexMatch "://[^/@\\s]*:[^/@\\s]+@" .yaml -}}
  {{- fail "config holds a URL with a password in it, and a ConfigMap is no place for a secret: give the password of Redis as state.password_file" -}}
{{- end -}}
{{- range regexFindAll "\\s/run/secrets/[^/\\s]+/" .yaml -1 | uniq -}}
  {{- $name := base . -}}
  {{- $sandbox := and $.root.Values.sandbox.enabled (eq $name "sandbox") -}}
  {{- if not (or $sandbox (hasKey $.root.Values.secrets $name)) -}}
    {{- fail (printf "config reads files in %s, but secrets.%s is not given" (trim .) $name) -}}
  {{- end -}}
{{- end -}}
{{- end }}

{{/* Whether Redis holds what must outlive a pod: `true`, or nothing. */}}
{{- define "gateway.shared" -}}
{{- if ne ((.Values.config.state | default dict).url | default "memory://") "memory://" }}true{{ end -}}
{{- end }}

{{/* Fails where the file of the audit trail is on the read-only root. */}}
{{- define "gateway.checkAudit" -}}
{{- $file := (.Values.config.audit | default dict).file -}}
{{- if $file -}}
  {{- $mounted := false -}}
  {{- range .Values.extraVolumeMounts -}}
    {{- if and .mountPath (hasPrefix (printf "%s/" (trimSuffix "/" .mountPath)) $file) -}}
      {{- $mounted = true -}}
    {{- end -}}
  {{- end -}}
  {{- if not $mounted -}}
    {{- fail (printf "config.audit.file is %s, where nothing is mounted and nothing can be written: mount a volume there with extraVolumes and extraVolumeMounts" $file) -}}
  {{- end -}}
{{- end -}}
{{- end }}

{{/* What the configuration reads of the pod's own service account; empty if nothing. */}}
{{- define "gateway.tokenFolder" -}}
{{- $folder := "/var/run/secrets/kubernetes.io/serviceaccount" -}}
{{- if contains (printf "%s/" $folder) (toYaml .Values.config) }}{{ $folder }}{{ end -}}
{{- end }}
