{{/* The port of a URL; empty for a URL of this machine. */}}
{{- define "gateway.port" -}}
{{- $url := urlParse . -}}
{{- $known := dict "http" 80 "https" 443 "redis" 6379 "rediss" 6379 -}}
{{- if not (and (hasKey $known $url.scheme) $url.host) -}}
  {{- fail (printf "config has %q, but a URL such as https://host is needed" .) -}}
{{- end -}}
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
  {{- $urls := list .endpoint (.iam | default dict).endpoint (.attachments | default dict).endpoint -}}
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
{{ toYaml $urls }}
{{- end }}
