{{/* The pod's volumes. Each volume is mounted as a directory: with subPath, a changed Secret would
     not reach a running pod. */}}
{{- define "gateway.volumes" -}}
- name: config
  configMap:
    name: {{ include "gateway.fullname" . }}
{{- range $name, $secret := .Values.secrets }}
- name: secret-{{ $name }}
  secret:
    secretName: {{ include "gateway.secretName" (dict "root" $ "name" $name "secret" $secret) }}
    defaultMode: 0440
{{- end }}
{{- if .Values.sandbox.enabled }}
- name: sandbox
  configMap:
    name: {{ include "gateway.fullname" . }}-sandbox
{{- end }}
{{- if include "gateway.tokenFolder" . }}
- name: service-account
  projected:
    defaultMode: 0440
    sources:
      - serviceAccountToken: {path: token, expirationSeconds: 3600}
      - configMap:
          name: kube-root-ca.crt
          items: [{key: ca.crt, path: ca.crt}]
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The mount points of the volumes in the gateway's container. */}}
{{- define "gateway.volumeMounts" -}}
- {name: config, mountPath: /etc/partner-gateway, readOnly: true}
{{- range $name, $secret := .Values.secrets }}
- {name: secret-{{ $name }}, mountPath: /run/secrets/{{ $name }}, readOnly: true}
{{- end }}
{{- if .Values.sandbox.enabled }}
- {name: sandbox, mountPath: /run/secrets/sandbox, readOnly: true}
{{- end }}
{{- with include "gateway.tokenFolder" . }}
- {name: service-account, mountPath: {{ . }}, readOnly: true}
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}
