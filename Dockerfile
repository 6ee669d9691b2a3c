# One image for everything of ours; `docker-compose.yml` says what each container runs.
# Targets: `runtime` (default, no torch), `ingest` (makes vectors, with CPU torch), `lab` (demo worlds).

FROM python:3.11.14-slim-bookworm AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY assistant assistant
COPY mcp_servers mcp_servers
COPY ingest ingest
COPY eval eval
RUN python -m venv /opt/venv && /opt/venv/bin/pip install --no-cache-dir ".[web]"

FROM build AS build-ingest
# From PyTorch's own CPU index: the same version elsewhere brings gigabytes of CUDA.
RUN /opt/venv/bin/pip install --no-cache-dir torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu \
    && /opt/venv/bin/pip install --no-cache-dir ".[embeddings]"

FROM python:3.11.14-slim-bookworm AS base
# The folders give new volumes their owner.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin assistant \
    && install -d -o 10001 -g 10001 -m 0700 /state /audit /index /chroma /lab
ENV PATH=/opt/venv/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ANONYMIZED_TELEMETRY=False
WORKDIR /state
USER 10001:10001

FROM base AS ingest
COPY --from=build-ingest /opt/venv /opt/venv
CMD ["python", "-m", "ingest", "--help"]

FROM prom/prometheus:v3.7.3 AS prometheus

FROM base AS lab
COPY --from=build /opt/venv /opt/venv
COPY --from=prometheus /bin/prometheus /bin/promtool /usr/local/bin/
CMD ["assistant", "lab", "list"]

FROM base AS runtime
COPY --from=build /opt/venv /opt/venv
CMD ["assistant", "--help"]
