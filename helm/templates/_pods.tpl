{{/* What all pods of the release have in common. */}}

{{/* The fields of a pod that do not depend on its containers. */}}
{{- define "gateway.podBasics" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext: {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The fields of a container that do not depend on its program. */}}
{{- define "gateway.containerBasics" -}}
image: {{ include "gateway.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext: {{- toYaml .Values.securityContext | nindent 2 }}
# `kubectl describe` shows why the container ended: the end of its log.
terminationMessagePolicy: FallbackToLogsOnError
{{- end }}

{{/* The spec of a pod that runs one command of the gateway with its files, and ends:
     (dict "root" $ "name" … "command" (list …) "config" <name of the ConfigMap> "serviceAccount" …
     "env" (list …)) */}}
{{- define "gateway.commandPod" -}}
restartPolicy: Never
serviceAccountName: {{ .serviceAccount }}
{{ include "gateway.podBasics" .root }}
containers:
  - name: {{ .name }}
    {{- include "gateway.containerBasics" .root | nindent 4 }}
    command: {{- toYaml .command | nindent 6 }}
    {{- with .env }}
    env: {{- toYaml . | nindent 6 }}
    {{- end }}
    resources: {{- toYaml .root.Values.checks.resources | nindent 6 }}
    volumeMounts: {{- include "gateway.volumeMounts" (dict "root" .root "optional" true) | nindent 6 }}
volumes: {{- include "gateway.volumes" (dict "root" .root "config" .config "optional" true) | nindent 2 }}
{{- end }}

{{/* The number of pods. With an autoscaler it is the number of the running pods, so that an upgrade
     neither stops pods nor starts them; without a cluster to ask it is empty. */}}
{{- define "gateway.replicas" -}}
{{- if not .Values.autoscaling.enabled -}}
{{ .Values.replicaCount }}
{{- else -}}
  {{- with lookup "apps/v1" "Deployment" .Release.Namespace (include "gateway.fullname" .) -}}
{{ max (int .spec.replicas) (int $.Values.autoscaling.minReplicas) }}
  {{- end -}}
{{- end -}}
{{- end }}
