FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /out/cvmgraph .

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/cvmgraph /cvmgraph
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["/cvmgraph", "health"]
ENTRYPOINT ["/cvmgraph"]
