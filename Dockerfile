# The app and its workers; Postgres and Valkey run beside it (docker-compose.yml).
FROM python:3.12-slim AS built

# `piper` adds local speech, which is GPL-3: docker build --build-arg EXTRA=piper
ARG EXTRA=""
WORKDIR /build
COPY requirements.txt requirements-piper.txt ./
# langdetect alone has no wheel. Its source is Python only and its hash is checked as well.
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: --no-binary langdetect \
      -r "requirements${EXTRA:+-$EXTRA}.txt"

FROM node:24-slim AS web
WORKDIR /web
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN npm ci
COPY web ./
RUN npm run build

FROM python:3.12-slim
RUN useradd --system --create-home --uid 10001 aura && install -d -o aura /var/lib/aura
COPY --from=built /venv /venv
WORKDIR /app
COPY . .
COPY --from=web /web/dist web/dist
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 AURA_DATA_DIR=/var/lib/aura
USER aura
VOLUME /var/lib/aura
CMD ["honcho", "start", "web"]
