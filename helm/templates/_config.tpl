{{/* The gateway's configuration as YAML: the values with the chart's defaults. */}}
{{- define "gateway.config" -}}
{{- $config := deepCopy (.Values.config | default dict) -}}
{{- if .Values.sandbox.enabled -}}
  {{- include "gateway.checkSandbox" . -}}
  {{- $_ := set $config "accounts" (include "gateway.sandboxAccounts" . | fromYaml) -}}
  {{- if not $config.callers -}}
    {{- $_ := set $config "callers" (include "gateway.sandboxCallers" . | fromYaml) -}}
  {{- end -}}
{{- else if not $config.accounts -}}
  {{- fail "config.accounts is empty: set config.accounts.<name>.partner_id and platform_id, or set sandbox.enabled for a test environment" -}}
{{- end -}}
{{- range $name, $account := $config.accounts -}}
  {{- if not $account.endpoint -}}
    {{- $_ := set $account "endpoint" $.Values.defaultEndpoint -}}
  {{- end -}}
  {{- if not (or $account.credentials (eq ($account.authentication | default "signature") "token")) -}}
    {{- if not (hasKey $.Values.secrets $name) -}}
      {{- fail (printf "account %s has no credentials: name the Secret that holds access_key and secret_key in secrets.%s.existingSecret, or set config.accounts.%s.credentials" $name $name $name) -}}
    {{- end -}}
    {{- $folder := printf "/run/secrets/%s" $name -}}
    {{- $pair := dict "access_key_file" (printf "%s/access_key" $folder) "secret_key_file" (printf "%s/secret_key" $folder) -}}
    {{- $_ := set $account "credentials" (list $pair) -}}
  {{- end -}}
{{- end -}}
{{- $replicas := .Values.autoscaling.enabled | ternary .Values.autoscaling.maxReplicas .Values.replicaCount -}}
{{- $_ := set $config "state" (merge ($config.state | default dict) (dict "replicas" $replicas)) -}}
{{- include "gateway.checkRules" $config -}}
{{- $yaml := toYaml $config -}}
{{- include "gateway.checkSecrets" (dict "root" . "yaml" $yaml) -}}
{{- include "gateway.checkAudit" . -}}
{{ $yaml }}
{{- end }}

{{/* Fails if the configuration holds a secret, or names the files of a secret that is not mounted. */}}
{{- define "gateway.checkSecrets" -}}
{{- if regexMatch "://[^/@\\s]*:[^/@\\s]+@" .yaml -}}
  {{- fail "config has a URL with a password, but a ConfigMap must not hold a secret: put the password of Redis into state.password_file" -}}
{{- end -}}
{{- range regexFindAll "\\s/run/secrets/[^/\\s]+/" .yaml -1 | uniq -}}
  {{- $name := base . -}}
  {{- $sandbox := and $.root.Values.sandbox.enabled (eq $name "sandbox") -}}
  {{- if not (or $sandbox (hasKey $.root.Values.secrets $name)) -}}
    {{- fail (printf "config names files in %s, but secrets.%s is not set" (trim .) $name) -}}
  {{- end -}}
{{- end -}}
{{- end }}

{{/* `true` if the state is in Redis; empty otherwise. */}}
{{- define "gateway.shared" -}}
{{- if ne ((.Values.config.state | default dict).url | default "memory://") "memory://" }}true{{ end -}}
{{- end }}

{{/* Fails if the file of the audit trail is on the read-only root file system. */}}
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
    {{- fail (printf "config.audit.file is %s, which is on the read-only root file system: mount a volume there with extraVolumes and extraVolumeMounts" $file) -}}
  {{- end -}}
{{- end -}}
{{- end }}

{{/* The folder of the pod's service-account token; empty if the configuration names no file in it. */}}
{{- define "gateway.tokenFolder" -}}
{{- $folder := "/var/run/secrets/kubernetes.io/serviceaccount" -}}
{{- if contains (printf "%s/" $folder) (toYaml .Values.config) }}{{ $folder }}{{ end -}}
{{- end }}
