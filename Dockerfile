# To pin a digest: --build-arg BASE_IMAGE=docker.io/library/python@sha256:…
ARG BASE_IMAGE=docker.io/library/python:3.11-slim-bookworm

# Both stages need the same base: a virtual environment refers to the Python that created it.
# hadolint ignore=DL3006
FROM ${BASE_IMAGE} AS build
WORKDIR /opt/gateway
COPY requirements/run.txt /tmp/run.txt
# Wheels only, each with a known hash: nothing is compiled, and no package's code runs here.
# The user of the final image cannot write, so the bytecode is compiled here. `unchecked-hash`
# ignores the sources' times, which a copy may change.
RUN python -m venv --without-pip /opt/venv \
 && pip --python /opt/venv/bin/python install --no-cache-dir --no-compile \
      --require-hashes --only-binary :all: --requirement /tmp/run.txt \
 && python -m compileall -q --invalidation-mode unchecked-hash /opt/venv/lib
COPY gunicorn.conf.py ./
COPY app ./app
# The chart's test environment and compose.yaml run the sandbox; the gateway never imports it.
COPY sandbox ./sandbox
RUN python -m compileall -q --invalidation-mode unchecked-hash .

# hadolint ignore=DL3006
FROM ${BASE_IMAGE}
# Nothing is installed in a container that serves.
RUN pip uninstall --yes --quiet --root-user-action ignore pip setuptools wheel
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/gateway /opt/gateway
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /opt/gateway

# Numeric, so that Kubernetes can check runAsNonRoot without the image's list of users. This user
# owns nothing in the image.
USER 10001:10001
# Callers use 8080; the probes and the metrics are on 9090.
EXPOSE 8080 9090

# No HEALTHCHECK: Kubernetes ignores it and calls /livez and /readyz itself.
CMD ["gunicorn", "--config", "gunicorn.conf.py"]

ARG BASE_IMAGE
ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=unknown
ARG SOURCE=unknown
# No licence is declared; NOASSERTION is SPDX's word for this.
ARG LICENSES=NOASSERTION
LABEL org.opencontainers.image.title="Partner Gateway" \
      org.opencontainers.image.description="The gateway between a company's internal services and Huawei Cloud's Partner Center" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.licenses="${LICENSES}" \
      org.opencontainers.image.base.name="${BASE_IMAGE}"
