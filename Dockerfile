# The image of the demo's worker and of the orchestrator:
#   make image                  # or: docker build -t flox .
#   docker run flox             # a worker; settings are FLOX_* variables, see worker --help
#   docker run flox orchestrator workflows
#
# A build of your own worker is this file with another package in go build.
# To pin the bases by digest, as a supply chain may ask for:
#   docker build --build-arg GO_IMAGE=golang:1.26.8-trixie@sha256:... \
#                --build-arg BASE_IMAGE=gcr.io/distroless/static-debian13:nonroot@sha256:... .
# where `docker buildx imagetools inspect IMAGE` prints the digest.
ARG GO_IMAGE=golang:1.26.8-trixie
ARG BASE_IMAGE=gcr.io/distroless/static-debian13:nonroot

FROM ${GO_IMAGE} AS build
WORKDIR /src
# The modules change seldom: a layer of their own, and a cache for when they do.
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY cmd cmd
COPY internal internal
COPY pkg pkg
ARG VERSION=dev
ARG REVISION=
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -o /out/ -ldflags "-s -w \
      -X github.com/floxrun/flox/internal/version.Version=${VERSION} \
      -X github.com/floxrun/flox/internal/version.Revision=${REVISION}" \
    ./cmd/worker ./cmd/orchestrator

FROM ${BASE_IMAGE}
COPY --from=build /out/worker /out/orchestrator /usr/local/bin/
# A number, so that Kubernetes can see that it is not root. Nothing is written:
# the root file system may be read-only.
USER 65532:65532
# /healthz, /readyz and /metrics, for others than this container too.
ENV FLOX_LISTEN=0.0.0.0:9464
EXPOSE 9464
STOPSIGNAL SIGTERM
# There is no shell and no curl here: the worker asks the one that runs, at FLOX_LISTEN.
# With --listen instead of that, or with off, say --no-healthcheck.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["/usr/local/bin/worker", "--check"]
CMD ["/usr/local/bin/worker"]
ARG VERSION=dev
ARG REVISION=
ARG CREATED=
LABEL org.opencontainers.image.title="flox" \
      org.opencontainers.image.description="Worker and orchestrator of flox: graphs of Go functions that run durably on Redis" \
      org.opencontainers.image.source="https://github.com/floxrun/flox" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
