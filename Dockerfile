# For a Mac, or any machine with Docker: `docker build -t function-shield . && docker run --rm
# function-shield` shows the demo. It builds the layer of the machine's own architecture.
FROM python:3.13-slim-bookworm
RUN apt-get update -q && apt-get install -y -q --no-install-recommends make \
    && rm -rf /var/lib/apt/lists/*
# Not below /tmp: the demo's policy blocks it.
WORKDIR /srv/function-shield
COPY . .
RUN ./build.sh --demo
CMD ["make", "demo"]
