# One image for every way to run Holdfast in containers: `holdfast serve`, a worker's flow runs in Docker or
# Kubernetes work pools, a single command. It holds code and locked packages, no setting and no secret.
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 \
    PYTHONUTF8=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    DO_NOT_TRACK=1 \
    OMP_NUM_THREADS=1 \
    MPLCONFIGDIR=/tmp/matplotlib \
    PREFECT_HOME=/var/lib/holdfast/prefect \
    PREFECT_SERVER_ANALYTICS_ENABLED=false

RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/holdfast holdfast

WORKDIR /opt/holdfast
COPY requirements.txt ./
RUN python -m pip install --no-deps --require-hashes -r requirements.txt

COPY pyproject.toml README.md LICENSE ./
COPY features ./features
COPY expectations ./expectations
COPY models ./models
COPY flows ./flows
RUN python -m pip install --no-deps --no-build-isolation . && rm -rf /opt/holdfast/*

USER 10001
WORKDIR /var/lib/holdfast
CMD ["holdfast", "serve"]
