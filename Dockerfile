# A digest can be pinned: --build-arg BASE_IMAGE=docker.io/library/python@sha256:…
ARG BASE_IMAGE=docker.io/library/python:3.11-slim-bookworm

# Both stages have the same base: a virtual environment points at the Python it was made with.
# hadolint ignore=DL3006
FROM ${BASE_IMAGE} AS build
WORKDIR /opt/gateway
COPY requirements/run.txt /tmp/run.txt
# Wheels only, each of a known hash: nothing is compiled, and no package's code runs here.
# The user of the final image cannot write, so the bytecode has to be there. It is not compared
# with the time of its source, which a copy may lose.
RUN python -m venv --without-pip /opt/venv \
 && pip --python /opt/venv/bin/python install --no-cache-dir --no-compile \
      --require-hashes --only-binary :all: --requirement /tmp/run.txt \
 && python -m compileall -q --invalidation-mode unchecked-hash /opt/venv/lib
COPY gunicorn.conf.py ./
COPY app ./app
# The test mode of the chart and of compose.yaml runs it; the gateway imports nothing of it.
COPY sandbox ./sandbox
RUN python -m compileall -q --invalidation-mode unchecked-hash .

# hadolint ignore=DL3006
FROM ${BASE_IMAGE}
# Nothing is ever installed in a container that serves.
RUN pip uninstall --yes --quiet --root-user-action ignore pip setuptools wheel
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/gateway /opt/gateway
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /opt/gateway

# Numeric, so that runAsNonRoot can be checked without the image's list of users. Nothing in the
# image belongs to this user.
USER 10001:10001
EXPOSE 8080 9090

# There is no HEALTHCHECK: Kubernetes does not look at it and asks /livez and /readyz itself.
CMD ["gunicorn", "--config", "gunicorn.conf.py"]

ARG BASE_IMAGE
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Partner Gateway" \
      org.opencontainers.image.description="The gateway between a company's internal services and Huawei Cloud's Partner Center" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${BASE_IMAGE}"
