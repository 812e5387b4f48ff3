//! One connection: requests one after the other, until either side has enough.

use std::convert::Infallible;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use crate::front_door::{self, Shared};

/// Bytes of heads and of small bodies that a connection keeps: what AWS's SDKs send in a head is below two KiB.
const BUFFER_MAX_BYTES: usize = 64 * 1024;

/// Serves a connection until it ends, or, once the server stops, until the request under way is answered.
pub(crate) async fn serve<S>(socket: S, shared: Arc<Shared>, mut stopped: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let of_requests = Arc::clone(&shared);
    let service = service_fn(move |request| {
        let shared = Arc::clone(&of_requests);
        async move { Ok::<_, Infallible>(front_door::answer(shared, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(shared.options.idle)
        .max_buf_size(BUFFER_MAX_BYTES)
        .serve_connection(TokioIo::new(socket), service);
    let mut connection = std::pin::pin!(connection);
    // How a connection ended is its client's business: a reset, a bad head, no request for too long.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopped.wait_for(|stopped| *stopped) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
