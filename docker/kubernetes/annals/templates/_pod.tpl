{{/*
A pod of one process. Parameters: root; component (its name); args (of the `annals` command); resources;
shared (whether it needs the shared files; then it has a cache, too); ownSize (of a data folder that is not shared);
archiveClaim (of a volume for a topology's files);
owner (whether it gets the secrets of the database's owner); port (where it answers: http, metrics or nowhere); probes.
*/}}
{{- define "annals.pod" -}}
{{- $values := .root.Values -}}
metadata:
  labels:
    {{- include "annals.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
  annotations:
    checksum/settings: {{ toJson $values.settings | sha256sum }}
    {{- with $values.topology }}
    checksum/topology: {{ . | sha256sum }}
    {{- end }}
spec:
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: 45
  {{- with $values.imagePullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .restartPolicy }}
  restartPolicy: {{ . }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile: {type: RuntimeDefault}
  {{- if not .restartPolicy }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels: {{- include "annals.selector" . | nindent 10 }}
  {{- end }}
  {{- with $values.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: {{ .component }}
      image: "{{ $values.image.repository }}:{{ $values.image.tag | default .root.Chart.AppVersion }}"
      imagePullPolicy: {{ $values.image.pullPolicy }}
      args: {{- toYaml .args | nindent 8 }}
      env:
        - {name: ANNALS_SECRETS_DIR, value: /etc/annals/secrets}
        {{- if eq .port "metrics" }}
        - {name: ANNALS_METRICS_PORT, value: "9464"}
        {{- end }}
        {{- if $values.topology }}
        - {name: ANNALS_TOPOLOGY, value: /etc/annals/topology/topology.toml}
        {{- end }}
        {{- range $name, $value := $values.settings }}
        - {name: {{ $name }}, value: {{ $value | quote }}}
        {{- end }}
      {{- if eq .port "http" }}
      ports: [{name: http, containerPort: 8080}]
      {{- else if eq .port "metrics" }}
      ports: [{name: metrics, containerPort: 9464}]
      {{- end }}
      {{- with .probes }}
      {{- . | nindent 6 }}
      {{- end }}
      resources: {{- toYaml .resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
      volumeMounts:
        - {name: secrets, mountPath: /etc/annals/secrets, readOnly: true}
        - {name: data, mountPath: /data}
        - {name: own, mountPath: /data/run, subPath: run}
        - {name: own, mountPath: /tmp, subPath: tmp}
        {{- if .shared }}
        - {name: cache, mountPath: /data/cache}
        {{- end }}
        {{- if $values.topology }}
        - {name: topology, mountPath: /etc/annals/topology, readOnly: true}
        {{- end }}
        {{- if .archiveClaim }}
        - {name: archive, mountPath: /archive}
        {{- end }}
  volumes:
    - name: secrets
      projected:
        defaultMode: 0440
        sources:
          - secret: {name: {{ $values.secrets.service }}}
          {{- if .owner }}
          - secret: {name: {{ $values.secrets.owner }}}
          {{- end }}
    - name: own
      emptyDir: {sizeLimit: 512Mi}
    {{- if $values.topology }}
    - name: topology
      configMap: {name: {{ .root.Release.Name }}-topology}
    {{- end }}
    {{- with .archiveClaim }}
    - name: archive
      persistentVolumeClaim: {claimName: {{ . }}}
    {{- end }}
    {{- if .shared }}
    - name: data
      persistentVolumeClaim: {claimName: {{ include "annals.claim" .root }}}
    - name: cache
      emptyDir: {sizeLimit: {{ $values.cacheSize }}}
    {{- else }}
    - name: data
      emptyDir: {sizeLimit: {{ .ownSize | default "64Mi" }}}
    {{- end }}
{{- end }}

{{/*
Of who serves no API. Whether it can do its work shows in its readiness. That ClickHouse or Kafka is away is no reason to
kill it: it goes on by itself, so it lives as long as it takes connections.
*/}}
{{- define "annals.worker-probes" -}}
startupProbe:
  tcpSocket: {port: metrics}
  periodSeconds: 2
  failureThreshold: 60
readinessProbe:
  httpGet: {path: /health, port: metrics}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
livenessProbe:
  tcpSocket: {port: metrics}
  periodSeconds: 20
  timeoutSeconds: 5
  failureThreshold: 6
{{- end }}
