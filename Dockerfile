# For a Mac, or any machine with Docker: `docker build -t function-shield . && docker run --rm
# function-shield` shows the demo. It builds the layer of the machine's own architecture.
FROM python:3.13-slim-bookworm
RUN apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
    --no-install-recommends make && rm -rf /var/lib/apt/lists/*
# Not below /tmp: the demo's policy blocks it.
WORKDIR /srv/function-shield
COPY . .
# The demo runs here once: it fails the build if an act gets through, and what it fetches is kept.
RUN make demo
CMD ["make", "demo"]
