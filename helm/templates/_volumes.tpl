{{/* The volumes of a pod: (dict "root" $ "config" <name of the ConfigMap> "optional" true). Each
     volume is mounted as a directory: with subPath, a changed Secret would not reach a running pod.
     With `optional`, a pod starts without the files that do not exist yet, and has of `extraVolumes`
     the ConfigMaps and Secrets only: a claim may be in use on another node. */}}
{{- define "gateway.volumes" -}}
{{- $root := .root -}}
{{- $optional := .optional -}}
- name: config
  configMap:
    name: {{ .config }}
{{- range $name, $secret := $root.Values.secrets }}
- name: secret-{{ $name }}
  secret:
    secretName: {{ include "gateway.secretName" (dict "root" $root "name" $name "secret" $secret) }}
    defaultMode: 0440
    {{- if $optional }}
    optional: true
    {{- end }}
{{- end }}
{{- if $root.Values.sandbox.enabled }}
- name: sandbox
  configMap:
    name: {{ include "gateway.fullname" $root }}-sandbox
    {{- if $optional }}
    optional: true
    {{- end }}
{{- end }}
{{- if include "gateway.tokenFolder" $root }}
- name: service-account
  projected:
    defaultMode: 0440
    sources:
      - serviceAccountToken: {path: token, expirationSeconds: 3600}
      - configMap:
          name: kube-root-ca.crt
          items: [{key: ca.crt, path: ca.crt}]
{{- end }}
{{- range $root.Values.extraVolumes }}
{{- if not $optional }}
- {{ toYaml . | nindent 2 | trim }}
{{- else if .configMap }}
- name: {{ .name }}
  configMap: {{- merge (dict "optional" true) .configMap | toYaml | nindent 4 }}
{{- else if .secret }}
- name: {{ .name }}
  secret: {{- merge (dict "optional" true) .secret | toYaml | nindent 4 }}
{{- end }}
{{- end }}
{{- end }}

{{/* The mount points of those volumes in a container: (dict "root" $ "optional" true) */}}
{{- define "gateway.volumeMounts" -}}
{{- $root := .root -}}
- {name: config, mountPath: /etc/partner-gateway, readOnly: true}
{{- range $name, $secret := $root.Values.secrets }}
- {name: secret-{{ $name }}, mountPath: /run/secrets/{{ $name }}, readOnly: true}
{{- end }}
{{- if $root.Values.sandbox.enabled }}
- {name: sandbox, mountPath: /run/secrets/sandbox, readOnly: true}
{{- end }}
{{- with include "gateway.tokenFolder" $root }}
- {name: service-account, mountPath: {{ . }}, readOnly: true}
{{- end }}
{{- $left := list }}
{{- if .optional }}
{{- range $root.Values.extraVolumes }}
{{- if not (or .configMap .secret) }}
{{- $left = append $left .name }}
{{- end }}
{{- end }}
{{- end }}
{{- range $root.Values.extraVolumeMounts }}
{{- if not (has .name $left) }}
- {{ toYaml . | nindent 2 | trim }}
{{- end }}
{{- end }}
{{- end }}
