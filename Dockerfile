# syntax=docker/dockerfile:1
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath \
    -ldflags "-s -w -X github.com/floxrun/flox/internal/version.Version=${VERSION}" \
    -o /out/ ./cmd/worker ./cmd/orchestrator

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/worker /out/orchestrator /usr/local/bin/
STOPSIGNAL SIGTERM
CMD ["/usr/local/bin/worker"]
