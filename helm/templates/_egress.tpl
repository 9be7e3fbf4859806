{{/* The port of a URL; empty for a URL of this machine. */}}
{{- define "gateway.port" -}}
{{- $url := urlParse . -}}
{{- $known := dict "http" 80 "https" 443 "redis" 6379 "rediss" 6379 -}}
{{- if not (regexMatch "^(([a-z0-9-]+\\.)*localhost|127\\.[0-9.]+|\\[::1\\])(:|$)" $url.host) -}}
{{ regexFind ":[0-9]+$" $url.host | trimPrefix ":" | default (get $known $url.scheme) }}
{{- end -}}
{{- end }}

{{/* The URLs in the configuration by destination, as YAML. The destinations are the keys of
     networkPolicy.egress. */}}
{{- define "gateway.destinations" -}}
{{- $config := include "gateway.config" . | fromYaml -}}
{{- $upstream := list -}}
{{- $proxy := list -}}
{{- range $config.accounts -}}
  {{- $urls := list .endpoint (.iam | default dict).endpoint (.attachments | default dict).endpoint ((.bills | default dict).bucket | default dict).endpoint -}}
  {{- if .proxy -}}
    {{- $proxy = append $proxy .proxy -}}
  {{- else -}}
    {{- $upstream = concat $upstream (compact $urls) -}}
  {{- end -}}
{{- end -}}
{{- $urls := dict "upstream" $upstream "proxy" $proxy -}}
{{- if ne ($config.state.url | default "memory://") "memory://" -}}
  {{- $_ := set $urls "state" (list $config.state.url) -}}
{{- end -}}
{{- range $name, $key := dict "kubernetes" "jwks_url" "oidc" "jwks_url" "tracing" "endpoint" -}}
  {{- with get (get $config $name | default dict) $key -}}
    {{- $_ := set $urls $name (list .) -}}
  {{- end -}}
{{- end -}}
{{- $webhooks := list -}}
{{- range $config.callers -}}
  {{- with .webhook -}}
    {{- $webhooks = append $webhooks .url -}}
  {{- end -}}
{{- end -}}
{{- if $webhooks -}}
  {{- $_ := set $urls "webhooks" $webhooks -}}
{{- end -}}
{{ toYaml $urls }}
{{- end }}

{{/* The rules of egress: to DNS, and to each destination of the configuration. A rule without an
     address or without a port would allow all of them in Kubernetes, so there is no such rule. */}}
{{- define "gateway.egress" -}}
{{- with .Values.networkPolicy.egress.dns }}
{{- if and .to .ports }}
- to: {{- toYaml .to | nindent 4 }}
  ports:
    {{- range .ports }}
    - {protocol: UDP, port: {{ . }}}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
{{- end }}
{{- end }}
{{- range $name, $urls := include "gateway.destinations" . | fromYaml }}
{{- $allowed := get $.Values.networkPolicy.egress $name }}
{{- $ports := include "gateway.ports" (dict "name" $name "urls" $urls) | fromYamlArray }}
{{- if and $ports (kindIs "slice" $allowed.ports) }}
{{- $ports = $allowed.ports }}
{{- end }}
{{- if and $allowed.to $ports }}
# {{ $name }}
- to: {{- toYaml $allowed.to | nindent 4 }}
  ports:
    {{- range $ports }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* The ports of the URLs of a destination that are not on this machine: (dict "name" … "urls" …) */}}
{{- define "gateway.ports" -}}
{{- $ports := list -}}
{{- range .urls -}}
  {{- $ports = append $ports (include "gateway.port" .) -}}
{{- end -}}
{{- if and .urls (eq .name "kubernetes") -}}
  {{- /* A policy applies to the API server's own port, behind its Service. */ -}}
  {{- $ports = append $ports "6443" -}}
{{- end -}}
{{- $numbers := list -}}
{{- range $ports | compact | uniq -}}
  {{- $numbers = append $numbers (int .) -}}
{{- end -}}
{{ toYaml $numbers }}
{{- end }}
