FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# The version of a release. By default the program has the version of its source.
ARG VERSION=
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w -X cvmgraph/internal/telemetry.stampedVersion=$VERSION" -o /out/cvmgraph .

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/cvmgraph /cvmgraph
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["/cvmgraph", "health"]
ENTRYPOINT ["/cvmgraph"]
