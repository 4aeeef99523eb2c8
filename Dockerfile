# One image for the worker (the default command), the command line, the codec server and the sandbox:
#   docker build -t oppflow .
# The image contains no shell, and no process runs as root. The file of OPPFLOW_ENCRYPTION_KEYS must belong to the user 65532 and
# have the mode 0600.
FROM --platform=$BUILDPLATFORM golang:1.26.8-bookworm AS build
ARG TARGETOS
ARG TARGETARCH
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
# The time zones are built in (timetzdata), because the final image has no time zone files.
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -buildvcs=false -tags=timetzdata -ldflags="-s -w" -o /out/oppflow ./starter && \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -buildvcs=false -tags=timetzdata -ldflags="-s -w" -o /out/oppflow-worker ./worker
# The writable directories. A named volume takes their owner and mode when it is first mounted there.
RUN mkdir -p /out/writable/data /out/writable/tmp && chmod 0700 /out/writable/data && chmod 1777 /out/writable/tmp

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build --chown=65532:65532 /out/writable/ /
COPY --from=build /out/oppflow /out/oppflow-worker /
USER 65532:65532
ENV OPPFLOW_HEALTH_ADDRESS=127.0.0.1:8481
# A worker is ready while it polls for workflow tasks and activity tasks.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["/oppflow-worker", "healthcheck"]
# A worker that stops completes the requests in flight, which takes up to 45 s. Give it more time: docker stop --time 60.
STOPSIGNAL SIGTERM
CMD ["/oppflow-worker"]
