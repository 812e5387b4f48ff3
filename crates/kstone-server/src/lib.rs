//! An HTTP endpoint around [`kstone_dynamodb::Account::call`]: what every AWS SDK speaks to.
//!
//! ```text
//! listener ─► worker, one a core: connections of its own ─► front door ─► Account::call ─► answer
//!                                                             │
//!     health, CORS, Host and Origin, signatures, metrics ─────┘
//! ```
//! ```no_run
//! use kstone_dynamodb::{Account, AccountOptions};
//! use kstone_server::{Server, ServerOptions};
//! let account = Account::open(AccountOptions::default())?;
//! let server = Server::bind(account, ServerOptions::default())?;
//! println!("AWS_ENDPOINT_URL_DYNAMODB=http://{}", server.address().expect("a port"));
//! let stopper = server.stopper();
//! std::thread::spawn(move || { std::thread::sleep(std::time::Duration::from_secs(60)); stopper.stop(); });
//! server.run()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Threads
//! A worker is a thread with a runtime and connections of its own: a request is read, carried out and answered there. What
//! may take longer than some milliseconds is carried out on further threads, so that other connections are not delayed.
//!
//! # Limits
//! Bodies of 16 MiB, so many connections, so long for a request to arrive and so long without one: [`ServerOptions`] has
//! them. Whatever comes in, memory and time are bounded by these.

mod connection;
mod front_door;
mod log;
mod metrics;
mod options;
mod origin;
mod server;
mod signature;

pub use log::Log;
pub use options::{Credentials, ServerOptions};
pub use server::{Server, ServerError, Stopper};
