# fanlight before a model server elsewhere:
#   docker run --rm -p 127.0.0.1:11435:11435 fanlight serve --listen 0.0.0.0:11435 --upstream http://host.docker.internal:11434
FROM rust:1-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked

FROM debian:bookworm-slim
RUN useradd --create-home --uid 10001 fanlight
COPY --from=build /src/target/release/fanlight /usr/local/bin/fanlight
USER fanlight
EXPOSE 11435
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s CMD ["fanlight", "statusline", "--check"]
ENTRYPOINT ["fanlight"]
CMD ["serve"]
