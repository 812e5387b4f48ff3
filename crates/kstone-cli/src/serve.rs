//! `kstone serve`: an account, its server, what is loaded at the start and saved at the end.
//!
//! Threads: the server has its own; one more waits for the signals that end it, one saves now and then.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use kstone_api::DatabaseOptions;
use kstone_dynamodb::{Account, AccountOptions, Cohort, Response};
use kstone_server::{Log, Server, ServerError, ServerOptions};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::command_line::args::{LogForm, ServeArgs, Texts, TtlRule};
use crate::failure::Failure;
use crate::output::text;
use crate::output::{print, tell};

/// Serves until a signal ends it.
///
/// # Errors
/// What keeps the server from starting, and a snapshot that cannot be loaded or saved.
pub(crate) fn run(args: &ServeArgs) -> Result<(), Failure> {
    let account = Account::open(account_options(args))?;
    if let Some(snapshot) = args.snapshot.as_deref().filter(|snapshot| snapshot.exists()) {
        let items = account.snapshot_load(snapshot)?;
        tell(format_args!("{} of {}", text::items(items), text::path(snapshot)));
    }
    for file in &args.schema {
        create_tables(&account, file)?;
    }
    let server = Server::bind(account.clone(), server_options(args)).map_err(of_server)?;
    stop_by_signal(&server)?;
    if let Some(address) = server.address() {
        print(&format!("kstone serves DynamoDB at http://{address}\n"))?;
    }
    if let Some(path) = &args.unix {
        print(&format!("kstone serves DynamoDB at {}\n", text::path(path)))?;
    }
    let Some(snapshot) = args.snapshot.as_deref() else { return server.run().map_err(of_server) };
    let served = save_while(&account, snapshot, args.save_every, || server.run().map_err(of_server));
    // What clients wrote is worth a file, however the server ended.
    let saved = account.snapshot_save(snapshot)?;
    tell(format_args!("{} saved to {}", text::items(saved), text::path(snapshot)));
    served
}

fn of_server(error: ServerError) -> Failure {
    Failure::message(error.to_string())
}

/// Has Ctrl-C and SIGTERM end the server; a second one ends the process at once.
fn stop_by_signal(server: &Server) -> Result<(), Failure> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let stopper = server.stopper();
    std::thread::spawn(move || {
        let mut received = signals.forever();
        if received.next().is_some() {
            stopper.stop();
        }
        if received.next().is_some() {
            std::process::exit(AT_ONCE);
        }
    });
    Ok(())
}

/// Serves, and saves the account every so many seconds meanwhile, where that is asked for. A save that fails is told of, and
/// tried again.
fn save_while<T>(account: &Account, snapshot: &Path, every: Option<u32>, serve: impl FnOnce() -> T) -> T {
    let Some(every) = every else { return serve() };
    let (done, until) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let every = Duration::from_secs(every.into());
            while until.recv_timeout(every) == Err(mpsc::RecvTimeoutError::Timeout) {
                if let Err(error) = account.snapshot_save(snapshot) {
                    tell(format_args!("cannot save to {}: {error}", text::path(snapshot)));
                }
            }
        });
        let served = serve();
        drop(done);
        served
    })
}

fn account_options(args: &ServeArgs) -> AccountOptions {
    AccountOptions {
        region: args.region.clone(),
        account_id: args.account_id.clone(),
        database: DatabaseOptions {
            memory_max_bytes: args.memory_max.unwrap_or(0),
            background_compaction: true,
            ..DatabaseOptions::default()
        },
        ttl_hidden: args.ttl == TtlRule::Hidden,
        transition_seconds: args.delay_transitions.into(),
        files_root: args.files.clone(),
        cohort: if args.texts == Texts::Classic { Cohort::Classic } else { Cohort::Current },
        ..AccountOptions::default()
    }
}

fn server_options(args: &ServeArgs) -> ServerOptions {
    let defaults = ServerOptions::default();
    ServerOptions {
        address: Some(SocketAddr::new(args.host, args.port)),
        unix: args.unix.clone(),
        credentials: args.auth.clone(),
        allow_unsigned: args.allow_unsigned,
        cors: args.cors.clone(),
        hosts: args.allow_host.clone(),
        metrics: args.metrics,
        log: if args.log == Some(LogForm::Json) { Log::Json } else { Log::Off },
        workers: args.workers.map_or(defaults.workers, usize::from),
        connections_max: args.max_connections,
        idle: Duration::from_secs(args.idle_timeout.into()),
        body: Duration::from_secs(args.request_timeout.into()),
        ..defaults
    }
}

/// Creates the tables of a file: CreateTable requests, one or several behind each other.
fn create_tables(account: &Account, file: &Path) -> Result<(), Failure> {
    let shown = text::path(file);
    let read = fs::read_to_string(file).map_err(|error| Failure::message(format!("cannot read {shown}: {error}")))?;
    let requests = serde_json::Deserializer::from_str(&read).into_iter::<serde_json::Value>();
    let mut response = Response::default();
    for (at, request) in requests.enumerate() {
        let at = at + 1;
        let request = request.map_err(|error| Failure::message(format!("{shown}, request {at}: {error}")))?;
        account.call("DynamoDB_20120810.CreateTable", request.to_string().as_bytes(), &mut response);
        if let Some(refusal) = response.refusal() {
            let why = refusal.message().unwrap_or_else(|| refusal.kind.name().to_owned());
            return Err(Failure::message(format!("{shown}, request {at}: {why}")));
        }
    }
    Ok(())
}

/// What a command line shell takes for the end by a signal.
const AT_ONCE: i32 = 130;
/// How long a server may take to say that it is well.
const HEALTH: Duration = Duration::from_secs(5);

/// Asks a server whether it is well.
///
/// # Errors
/// Where it is not, or nobody answers.
pub(crate) fn healthcheck(url: &str) -> Result<(), Failure> {
    let agent = ureq::Agent::new_with_config(ureq::Agent::config_builder().timeout_global(Some(HEALTH)).build());
    let answer = agent.get(url).call().map_err(|error| Failure::message(format!("{url}: {error}")))?;
    tell(format_args!("{url}: {}", answer.status()));
    Ok(())
}
