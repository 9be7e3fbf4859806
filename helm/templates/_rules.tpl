{{/* Rules over several settings that the schema of the values cannot express. The gateway has the
     same rules. A rule that fails refuses the values and names the setting to change. */}}

{{/* Fails if the configuration, its argument, breaks a rule. */}}
{{- define "gateway.checkRules" -}}
{{- range $name, $account := .accounts -}}
  {{- $path := printf "config.accounts.%s" $name -}}
  {{- $bucket := $account.attachments | default dict -}}
  {{- include "gateway.checkUrl" (list "endpoint" (printf "%s.endpoint" $path) $account.endpoint) -}}
  {{- include "gateway.checkUrl" (list "endpoint" (printf "%s.iam.endpoint" $path) ($account.iam | default dict).endpoint) -}}
  {{- include "gateway.checkUrl" (list "endpoint" (printf "%s.attachments.endpoint" $path) $bucket.endpoint) -}}
  {{- $bills := $account.bills | default dict -}}
  {{- include "gateway.checkUrl" (list "endpoint" (printf "%s.bills.bucket.endpoint" $path) ($bills.bucket | default dict).endpoint) -}}
  {{- include "gateway.checkUrl" (list "proxy" (printf "%s.proxy" $path) $account.proxy) -}}
  {{- if and $account.iam (ne ($account.authentication | default "signature") "token") -}}
    {{- fail (printf "%s.iam has no effect with `signature`; only `token` uses it" $path) -}}
  {{- end -}}
  {{- if and $account.credentials (eq ($account.authentication | default "signature") "token") -}}
    {{- fail (printf "%s.credentials have no effect with `token`; only `signature` uses them" $path) -}}
  {{- end -}}
  {{- with $account.verification -}}
    {{- $backend := .backend | default "auto" -}}
    {{- if and (hasKey . "review_share") (ne $backend "auto") -}}
      {{- fail (printf "%s.verification.review_share has no effect with `%s`; it needs `auto`" $path $backend) -}}
    {{- end -}}
    {{- if and (hasKey . "legacy_numbers") (eq $backend "review") -}}
      {{- fail (printf "%s.verification.legacy_numbers has no effect with `review`" $path) -}}
    {{- end -}}
  {{- end -}}
  {{- with $account.attachments -}}
    {{- include "gateway.checkBucket" (dict "path" (printf "%s.attachments" $path) "bucket" .) -}}
  {{- end -}}
  {{- with $bills.bucket -}}
    {{- include "gateway.checkBucket" (dict "path" (printf "%s.bills.bucket" $path) "bucket" .) -}}
  {{- end -}}
  {{- if and $bills (not $bills.bucket) (not $account.attachments) -}}
    {{- fail (printf "%s.bills has no effect without a bucket: set `bills.bucket` or `attachments`" $path) -}}
  {{- end -}}
{{- end -}}
{{- range $name, $issuer := dict "kubernetes" .kubernetes "oidc" .oidc -}}
  {{- with $issuer -}}
    {{- include "gateway.checkUrl" (list "document" (printf "config.%s.jwks_url" $name) .jwks_url) -}}
    {{- if and .jwks_file (or .ca_file .token_file) -}}
      {{- fail (printf "config.%s.%s requires `jwks_url`" $name (ternary "ca_file" "token_file" (not (empty .ca_file)))) -}}
    {{- end -}}
    {{- if and .ca_file (not (hasPrefix "https:" .jwks_url)) -}}
      {{- fail (printf "config.%s.ca_file requires an https `jwks_url`" $name) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- if regexMatch "[?#]" ((.state | default dict).url | default "") -}}
  {{- fail "config.state.url must not have options or a fragment: they could switch the verification of certificates off" -}}
{{- end -}}
{{- $state := .state | default dict -}}
{{- include "gateway.checkUrl" (list "redis" "config.state.url" $state.url) -}}
{{- if and $state.insecure (not (hasPrefix "redis://" ($state.url | default ""))) -}}
  {{- fail "config.state.insecure requires a `redis://` url" -}}
{{- end -}}
{{- $tracing := .tracing | default dict -}}
{{- include "gateway.checkUrl" (list "service" "config.tracing.endpoint" $tracing.endpoint) -}}
{{- if and $tracing.insecure (hasPrefix "https:" ($tracing.endpoint | default "")) -}}
  {{- fail "config.tracing.insecure has no effect with an https endpoint" -}}
{{- end -}}
{{- $seen := dict -}}
{{- range $name, $caller := .callers -}}
  {{- range $account := $caller.accounts | default (list "default") -}}
    {{- if not (hasKey $.accounts $account) -}}
      {{- fail (printf "config.callers.%s.accounts: there is no account %q in config.accounts" $name $account) -}}
    {{- end -}}
  {{- end -}}
  {{- if and $caller.service_account (not $.kubernetes) -}}
    {{- fail (printf "config.callers.%s.service_account requires the section config.kubernetes" $name) -}}
  {{- end -}}
  {{- if and $caller.oidc_subject (not $.oidc) -}}
    {{- fail (printf "config.callers.%s.oidc_subject requires the section config.oidc" $name) -}}
  {{- end -}}
  {{- with $caller.webhook -}}
    {{- include "gateway.checkUrl" (list "webhook" (printf "config.callers.%s.webhook.url" $name) .url) -}}
    {{- if not (has (regexReplaceAll ":[0-9]*$" (urlParse .url).host "" | lower) (($.webhooks | default dict).hosts | default list)) -}}
      {{- fail (printf "config.callers.%s.webhook.url: its host is not in config.webhooks.hosts" $name) -}}
    {{- end -}}
    {{- if and .insecure (hasPrefix "https:" .url) -}}
      {{- fail (printf "config.callers.%s.webhook.insecure has no effect with an https `url`" $name) -}}
    {{- end -}}
    {{- if not (has "events:read" ($caller.scopes | default list)) -}}
      {{- fail (printf "config.callers.%s.scopes: the webhook requires `events:read`" $name) -}}
    {{- end -}}
  {{- end -}}
  {{- $identities := dict "keys_sha256" $caller.keys_sha256 "service_account" $caller.service_account "oidc_subject" $caller.oidc_subject -}}
  {{- range $key, $value := $identities -}}
    {{- range kindIs "slice" $value | ternary $value (list $value) | uniq | compact -}}
      {{- $identity := printf "%s %s" $key . -}}
      {{- with get $seen $identity -}}
        {{- fail (printf "config.callers.%s.%s: caller %s has the same, but each caller needs its own" $name $key .) -}}
      {{- end -}}
      {{- $_ := set $seen $identity $name -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- if and .kubernetes .oidc -}}
  {{- if eq .kubernetes.issuer .oidc.issuer -}}
    {{- fail "config.oidc.issuer must differ from config.kubernetes.issuer" -}}
  {{- end -}}
{{- end -}}
{{- end }}

{{/* Fails if a request cannot address the bucket: (dict "path" … "bucket" …) */}}
{{- define "gateway.checkBucket" -}}
{{- $bucket := .bucket -}}
{{- $url := urlParse $bucket.endpoint -}}
{{- if hasPrefix (printf "%s." $bucket.bucket) (lower $url.host) -}}
  {{- fail (printf "%s.endpoint must not begin with the bucket's name, which the gateway adds" .path) -}}
{{- end -}}
{{- if ne ($bucket.addressing | default "virtual-host") "path" -}}
  {{- if regexMatch "^(.*\\.)?[0-9]+(:[0-9]*)?$|^\\[" $url.host -}}
    {{- fail (printf "%s.addressing must be `path`: the endpoint is an IP address, which cannot carry the bucket's name" .path) -}}
  {{- end -}}
  {{- if and (contains "." $bucket.bucket) (eq $url.scheme "https") -}}
    {{- fail (printf "%s.addressing must be `path`: a wildcard certificate does not cover a bucket whose name contains a dot" .path) -}}
  {{- end -}}
{{- end -}}
{{- end }}

{{/* Fails if a setting is not a URL of its kind: (list <kind> <path of the setting> <URL>). The
     message does not repeat the URL, which may hold a secret. */}}
{{- define "gateway.checkUrl" -}}
{{- $host := "([^/?#@:\\[\\]\\s\\pZ\\pC]+|\\[[0-9A-Fa-f:.]+\\])" -}}
{{- $loopback := "(localhost|127(\\.[0-9]+){3}|\\[::1\\])" -}}
{{- $port := "(:([1-5]?[0-9]{1,4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?" -}}
{{- $kinds := dict
  "endpoint" (list
    (printf "^(https://%s|http://(%s|([A-Za-z0-9-]+\\.)+localhost))%s/?$" $host $loopback $port)
    "must be https with host and port only; http is for loopback addresses only")
  "document" (list
    (printf "^(https://%s|http://%s)%s([/?][^#\\s]*)?$" $host $loopback $port)
    "must be https without user, password and fragment; http is for loopback addresses only")
  "webhook" (list
    (printf "^https?://%s%s([/?][!\"$-~]*)?$" $host $port)
    "must be http or https without user, password and fragment, in ASCII characters")
  "redis" (list
    (printf "^(memory://|rediss?://([^/?#\\s]*@)?%s%s(/[0-9]{0,5})?)$" $host $port)
    "must be `memory://`, or `redis://` or `rediss://` with a host, and at most a database as its path")
  "service" (list (printf "^https?://%s%s/?$" $host $port) "must be http or https with host and port only")
  "proxy" (list (printf "^https?://%s%s([/?#]\\S*)?$" $host $port) "must be http or https without user and password") -}}
{{- $rule := get $kinds (index . 0) -}}
{{- with index . 2 -}}
  {{- if not (regexMatch (first $rule) .) -}}
    {{- fail (printf "%s %s" (index $ 1) (last $rule)) -}}
  {{- end -}}
{{- end -}}
{{- end }}
