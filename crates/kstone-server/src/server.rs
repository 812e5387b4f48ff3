//! A server: its listeners, the workers that serve its connections, and how it ends.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use kstone_dynamodb::Account;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::runtime;
use tokio::sync::{mpsc, watch};
use tokio::task::LocalSet;

use crate::connection;
use crate::front_door::Shared;
use crate::metrics::Metrics;
use crate::options::ServerOptions;
use crate::origin::Origins;

/// Why a server cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// An address beyond this machine without keys: anybody could read and write.
    #[error(
        "{0} can be reached from other machines: that needs keys whose signatures are verified (--auth KEY:SECRET)"
    )]
    Open(SocketAddr),
    /// There is nowhere to listen.
    #[error("there is neither an address nor a socket file to listen at")]
    Nowhere,
    /// A listener cannot be had.
    #[error("cannot listen at {at}: {source}")]
    Listen {
        /// The address or the file.
        at: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// A thread or its runtime cannot be had.
    #[error("cannot start a worker: {0}")]
    Worker(#[source] io::Error),
}

/// A server that listens; [`Server::run`] answers.
pub struct Server {
    shared: Arc<Shared>,
    tcp: Option<std::net::TcpListener>,
    unix: Option<(std::os::unix::net::UnixListener, SocketFile)>,
    stop: watch::Sender<bool>,
}

/// Ends a server from another thread, or from a signal's.
#[derive(Clone)]
pub struct Stopper(watch::Sender<bool>);

impl Stopper {
    /// Has the server answer the requests under way and end.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

/// A socket file, which goes with its server.
struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Whoever has removed it has done what is to be done.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Server {
    /// A server that listens, though nobody answers yet: clients that connect wait for [`Server::run`].
    ///
    /// # Errors
    /// [`ServerError::Open`] for an address beyond loopback without keys, [`ServerError::Listen`] for one that is taken.
    pub fn bind(account: Account, options: ServerOptions) -> Result<Self, ServerError> {
        if options.address.is_none() && options.unix.is_none() {
            return Err(ServerError::Nowhere);
        }
        let is_signed = !options.credentials.is_empty();
        if let Some(address) = options.address
            && !address.ip().is_loopback()
            && !is_signed
        {
            return Err(ServerError::Open(address));
        }
        let tcp = options.address.map(|address| {
            let failed = |source| ServerError::Listen { at: address.to_string(), source };
            std::net::TcpListener::bind(address)
                .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
                .map_err(failed)
        });
        let unix = options.unix.as_deref().map(|path| {
            listen_at_file(path).map_err(|source| ServerError::Listen { at: path.display().to_string(), source })
        });
        let (tcp, unix) = (tcp.transpose()?, unix.transpose()?);
        let origins = Origins { cors: options.cors.clone(), hosts: options.hosts.clone(), checks_hosts: !is_signed };
        let shared = Arc::new(Shared { account, options, origins, metrics: Metrics::new() });
        Ok(Self { shared, tcp, unix, stop: watch::Sender::new(false) })
    }

    /// The address at which it listens.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.tcp.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// What ends it.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper(self.stop.clone())
    }

    /// Answers until it is stopped: then the requests under way are answered, for so long as `drain` says.
    ///
    /// # Errors
    /// [`ServerError::Worker`] and [`ServerError::Listen`].
    pub fn run(self) -> Result<(), ServerError> {
        let Self { shared, tcp, unix, stop } = self;
        let count = shared.options.workers.max(1);
        let workers = (0..count).map(|_| Worker::start(&shared, &stop)).collect::<Result<Vec<_>, _>>()?;
        let listening = runtime::Builder::new_current_thread().enable_all().build().map_err(ServerError::Worker)?;
        let accepted = listening.block_on(accept(&shared, &workers, tcp, unix.as_ref(), stop.subscribe()));
        stop.send_replace(true);
        workers.into_iter().for_each(Worker::join);
        accepted
    }
}

fn listen_at_file(path: &Path) -> io::Result<(std::os::unix::net::UnixListener, SocketFile)> {
    // A socket that a killed server left behind: nobody answers there. What is no socket refuses, too, and is somebody's.
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    let refuses = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    if is_socket && std::os::unix::net::UnixStream::connect(path).is_err_and(refuses) {
        std::fs::remove_file(path)?;
    }
    let listener = std::os::unix::net::UnixListener::bind(path)?;
    listener.set_nonblocking(true)?;
    Ok((listener, SocketFile(path.to_owned())))
}

/// A connection on its way to its worker.
enum Socket {
    Tcp(std::net::TcpStream),
    Unix(std::os::unix::net::UnixStream),
}

/// A thread that serves connections.
struct Worker {
    sockets: mpsc::UnboundedSender<Socket>,
    open: Arc<AtomicUsize>,
    thread: JoinHandle<()>,
}

impl Worker {
    fn start(shared: &Arc<Shared>, stop: &watch::Sender<bool>) -> Result<Self, ServerError> {
        let runtime = runtime::Builder::new_current_thread().enable_all().max_blocking_threads(4).build();
        let runtime = runtime.map_err(ServerError::Worker)?;
        let (sockets, taken) = mpsc::unbounded_channel();
        let open = Arc::new(AtomicUsize::new(0));
        let (of_thread, shared, stopped) = (Arc::clone(&open), Arc::clone(shared), stop.subscribe());
        let thread = std::thread::Builder::new()
            .name("kstone-server".to_owned())
            .spawn(move || {
                LocalSet::new().block_on(&runtime, work(shared, taken, of_thread, stopped));
                // What is carried out on further threads and has not ended in time is left behind.
                runtime.shutdown_timeout(Duration::from_millis(100));
            })
            .map_err(ServerError::Worker)?;
        Ok(Self { sockets, open, thread })
    }

    fn join(self) {
        drop(self.sockets);
        // A worker that panicked has said so on standard error.
        let _ = self.thread.join();
    }
}

/// Takes connections and hands each to the worker that has the fewest.
async fn accept(
    shared: &Shared,
    workers: &[Worker],
    tcp: Option<std::net::TcpListener>,
    unix: Option<&(std::os::unix::net::UnixListener, SocketFile)>,
    mut stopped: watch::Receiver<bool>,
) -> Result<(), ServerError> {
    let tcp = tcp.map(TcpListener::from_std).transpose().map_err(ServerError::Worker)?;
    let unix = unix.map(|(listener, _)| listener.try_clone().and_then(UnixListener::from_std)).transpose();
    let unix = unix.map_err(ServerError::Worker)?;
    loop {
        let socket = tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => return Ok(()),
            socket = accept_tcp(tcp.as_ref()) => socket,
            socket = accept_unix(unix.as_ref()) => socket,
        };
        // Out of file descriptors, or a client that is gone already: others may come.
        let Ok(socket) = socket else {
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        };
        let open: usize = workers.iter().map(|worker| worker.open.load(Ordering::Relaxed)).sum();
        if open >= shared.options.connections_max {
            shared.metrics.refused_connections.inc();
            continue;
        }
        let idlest = workers.iter().min_by_key(|worker| worker.open.load(Ordering::Relaxed));
        let Some(worker) = idlest else { return Ok(()) };
        worker.open.fetch_add(1, Ordering::Relaxed);
        if worker.sockets.send(socket).is_err() {
            worker.open.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

async fn accept_tcp(listener: Option<&TcpListener>) -> io::Result<Socket> {
    let Some(listener) = listener else { return std::future::pending().await };
    let (socket, _) = listener.accept().await?;
    socket.set_nodelay(true)?;
    socket.into_std().map(Socket::Tcp)
}

async fn accept_unix(listener: Option<&UnixListener>) -> io::Result<Socket> {
    let Some(listener) = listener else { return std::future::pending().await };
    let (socket, _) = listener.accept().await?;
    socket.into_std().map(Socket::Unix)
}

/// Serves the connections of one worker until the server stops, and those that are open then for a while.
async fn work(
    shared: Arc<Shared>,
    mut taken: mpsc::UnboundedReceiver<Socket>,
    open: Arc<AtomicUsize>,
    stopped: watch::Receiver<bool>,
) {
    let mut until = stopped.clone();
    loop {
        let socket = tokio::select! {
            socket = taken.recv() => socket,
            _ = until.wait_for(|stopped| *stopped) => None,
        };
        let Some(socket) = socket else { break };
        let (shared, stopped, open) = (Arc::clone(&shared), stopped.clone(), Arc::clone(&open));
        tokio::task::spawn_local(async move {
            shared.metrics.connections.inc();
            let of_connection = Arc::clone(&shared);
            // A socket that the runtime cannot take is closed.
            match socket {
                Socket::Tcp(socket) => {
                    if let Ok(socket) = TcpStream::from_std(socket) {
                        connection::serve(socket, of_connection, stopped).await;
                    }
                }
                Socket::Unix(socket) => {
                    if let Ok(socket) = UnixStream::from_std(socket) {
                        connection::serve(socket, of_connection, stopped).await;
                    }
                }
            }
            shared.metrics.connections.dec();
            open.fetch_sub(1, Ordering::Relaxed);
        });
    }
    let drained = async {
        while open.load(Ordering::Relaxed) > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    // Those that take longer are cut off.
    let _ = tokio::time::timeout(shared.options.drain, drained).await;
}
