# syntax=docker/dockerfile:1
# A static binary in an empty image: nothing to log in to, nothing to update but Postern itself.
# Build: docker build -t postern .
# Run:   docker run -v ./postern:/etc/postern:ro -v postern-state:/var/lib/postern -p 8080:8080 postern
# In ./postern/postern.yaml say `listen: 0.0.0.0:8080` and `state: /var/lib/postern`: what is mounted there
# is read-only, and must be readable by the user 10001.

FROM rust:1.95-alpine AS build
RUN apk add --no-cache build-base cmake linux-headers ca-certificates
WORKDIR /source
COPY . .
RUN cargo build --release --locked --package postern-proxy --bin postern \
 && strip target/release/postern \
 && mkdir -p /out/etc/postern /out/var/lib/postern /out/etc/ssl/certs /out/tmp \
 && cp target/release/postern /out/postern \
 && cp /etc/ssl/certs/ca-certificates.crt /out/etc/ssl/certs/ \
 && chown -R 10001:10001 /out/var/lib/postern

FROM scratch
COPY --from=build /out /
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    POSTERN_CONFIG=/etc/postern/postern.yaml
USER 10001:10001
WORKDIR /var/lib/postern
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["/postern", "status", "--ready"]
ENTRYPOINT ["/postern"]
CMD ["run"]
