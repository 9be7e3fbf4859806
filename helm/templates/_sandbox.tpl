{{/* The sandbox's files, account and callers. Its keys are public and valid for the sandbox only. */}}

{{- define "gateway.checkSandbox" -}}
{{- if or .Values.config.accounts .Values.secrets -}}
  {{- fail "sandbox.enabled has its own account: leave config.accounts and secrets empty, so that no real credential is in the same pod" -}}
{{- end -}}
{{- if or .Values.autoscaling.enabled (gt (int .Values.replicaCount) 1) -}}
  {{- fail "sandbox.enabled needs replicaCount 1 and no autoscaling: each pod has its own sandbox, so a customer would have another state in each pod" -}}
{{- end -}}
{{- end }}

{{- define "gateway.sandboxFiles" -}}
access_key: SANDBOXACCESSKEY0001
secret_key: sandbox-secret-key-0001-not-a-secret
bucket_access_key: SANDBOXOBSKEY0000001
bucket_secret_key: sandbox-obs-secret-not-a-secret
{{- end }}

{{- define "gateway.sandboxAccounts" -}}
default:
  endpoint: http://127.0.0.1:8090
  partner_id: 0a1b2c3d4e5f60718293a4b5c6d7e8f9
  platform_id: PARTNER01
  credentials:
    - access_key_file: /run/secrets/sandbox/access_key
      secret_key_file: /run/secrets/sandbox/secret_key
  attachments:
    endpoint: http://localhost:8090
    bucket: kyc
    region: ap-southeast-1
    access_key_file: /run/secrets/sandbox/bucket_access_key
    secret_key_file: /run/secrets/sandbox/bucket_secret_key
{{- end }}

{{- define "gateway.sandboxCallers" -}}
demo:
  keys_sha256: [{{ sha256sum "demo-key" }}]
  scopes:
    - verifications:read
    - verifications:write
    - attachments:write
    - customers:read
    - customers:write
    - customers:personal
    - customers:freeze
    - customers:freeze-resources
    - budgets:read
    - budgets:write
    - billing:read
    - orders:read
    - events:read
    - operations:read
{{- end }}

{{/* A program that ends when the gateway of the same pod has ended. The limit is shorter than the
     grace period of the pod. */}}
{{- define "gateway.sandboxPreStop" -}}
import socket, time
ends = time.monotonic() + {{ add .Values.preStopSeconds 35 }}
while time.monotonic() < ends:
    try:
        socket.create_connection(("127.0.0.1", 9090), timeout=1).close()
    except OSError:
        break
    time.sleep(0.2)
{{- end }}
