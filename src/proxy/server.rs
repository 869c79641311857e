//! The listener: a task a connection, and an orderly end.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tracing::{debug, info, warn};

use super::route::route;
use super::state::Proxy;

/// So long a client may take for the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);

/// So long running answers are waited for at the end.
const DRAIN: Duration = Duration::from_secs(60);

/// Serves until `shutdown` comes; then takes no new connection, and lets running answers end.
pub async fn run(listener: TcpListener, proxy: Arc<Proxy>, shutdown: impl Future<Output = ()>) {
    let draining = GracefulShutdown::new();
    let (mut shutdown, ended) = (pin!(shutdown), proxy.clone());
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => serve(stream, proxy.clone(), &draining),
                Err(error) => out_of_sockets(&error).await,
            },
            () = &mut shutdown => break,
        }
    }
    drop(listener);
    ended.dashboard.close();
    info!(open = draining.count(), "no new requests; running answers may end");
    if tokio::time::timeout(DRAIN, draining.shutdown()).await.is_err() {
        warn!("some answers were still running");
    }
}

fn serve(stream: TcpStream, proxy: Arc<Proxy>, draining: &GracefulShutdown) {
    if let Err(error) = stream.set_nodelay(true) {
        debug!("no TCP_NODELAY: {error}");
    }
    let at = match stream.local_addr() {
        Ok(at) => at,
        Err(error) => return debug!("a connection without an address: {error}"),
    };
    let service = service_fn(move |request| route(proxy.clone(), at, request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let watched = draining.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = watched.await {
            debug!("connection: {error}");
        }
    });
}

/// Accepting fails when there are no file descriptors left: they come back when other connections end.
async fn out_of_sockets(error: &std::io::Error) {
    warn!("cannot accept: {error}");
    tokio::time::sleep(Duration::from_millis(50)).await;
}
