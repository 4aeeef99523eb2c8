# One image for the worker (which it runs by itself), the command line and the sandbox:
#   docker build -t oppflow .
# There is no shell in it, and nothing runs as root.
FROM --platform=$BUILDPLATFORM golang:1.26.8-bookworm AS build
ARG TARGETOS
ARG TARGETARCH
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
# The time zones are built in (timetzdata), since the final image has no files of them.
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -buildvcs=false -tags=timetzdata -ldflags="-s -w" -o /out/oppflow ./starter && \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -buildvcs=false -tags=timetzdata -ldflags="-s -w" -o /out/oppflow-worker ./worker
# What has to be writable. Named volumes take over owner and mode when they are first mounted there.
RUN mkdir -p /out/writable/data /out/writable/tmp && chmod 0700 /out/writable/data && chmod 1777 /out/writable/tmp

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build --chown=65532:65532 /out/writable/ /
COPY --from=build /out/oppflow /out/oppflow-worker /
USER 65532:65532
ENV OPPFLOW_HEALTH_ADDRESS=127.0.0.1:8481
# Ready is a worker that asks for tasks of both kinds; it may take that long to notice that Temporal is gone.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["/oppflow-worker", "healthcheck"]
# A stop sees requests in flight through, which takes up to 45 s: give it more, as in docker stop --time 60.
STOPSIGNAL SIGTERM
CMD ["/oppflow-worker"]
