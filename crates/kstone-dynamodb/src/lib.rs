//! DynamoDB's operations in process: [`Account::call`] takes the JSON that an SDK sends and gives the JSON that AWS would
//! answer.
//!
//! ```
//! use kstone_dynamodb::{Account, AccountOptions, Response};
//!
//! let account = Account::open(AccountOptions::default())?;
//! let mut answer = Response::default();
//! let mut ask = |account: &Account, operation: &str, body: &str| {
//!     account.call(&format!("DynamoDB_20120810.{operation}"), body.as_bytes(), &mut answer);
//!     (answer.status(), String::from_utf8_lossy(answer.body()).into_owned())
//! };
//! let table = r#"{"TableName": "Music", "BillingMode": "PAY_PER_REQUEST",
//!     "AttributeDefinitions": [{"AttributeName": "Artist", "AttributeType": "S"}],
//!     "KeySchema": [{"AttributeName": "Artist", "KeyType": "HASH"}]}"#;
//! assert_eq!(ask(&account, "CreateTable", table).0, 200);
//! let put = r#"{"TableName": "Music", "Item": {"Artist": {"S": "Acme"}},
//!     "ConditionExpression": "attribute_not_exists(Artist)"}"#;
//! assert_eq!(ask(&account, "PutItem", put), (200, "{}".to_owned()));
//!
//! // A copy of all tables, and a refusal: an answer, too.
//! let fork = account.fork()?;
//! let (status, body) = ask(&fork, "PutItem", put);
//! assert!(status == 400 && body.contains("ConditionalCheckFailedException"));
//!
//! // One table without JSON.
//! assert!(account.table("Music")?.get(b"Acme")?.is_some());
//! # Ok::<(), kstone_api::Error>(())
//! ```
//! [`Account::fork`] and [`Account::snapshot_save`] take all tables at one moment; streams are read by
//! `DynamoDBStreams_20120810.GetRecords` and its siblings.
//!
//! # Two halves
//! [`parse`] reads a request of any of the 66 operations of DynamoDB_20120810 and DynamoDBStreams_20120810 and says what
//! AWS would refuse in it before it looks for a table: bodies that are no JSON, members of wrong types, shapes, and the
//! rules between members. What it accepts is a [`Request`], whose members are places in the body: nothing is built or
//! copied. The other half carries the request out in the tables of an [`Account`] and writes the [`Response`].
//!
//! # How sure it is
//! Texts and order come from captures of AWS that others published and from emulators whose tests run against AWS; each
//! case in `tests/cases` names its source and how sure it is. Where AWS has two sets of texts, [`Cohort`] chooses. Of
//! these nothing is captured, and the choice is ours: bodies that are not objects, names that come twice (the last one
//! counts), nesting beyond 1,000 levels and half surrogate pairs (no JSON), quotations beyond a quarter of a megabyte
//! (they end there), the order of rules in transactions.
//!
//! What each operation does, which of its parameters have no effect, and where an account differs from AWS is in
//! `docs/dynamodb.md`.
//!
//! # Layers
//! ```text
//! call         a request read, checked, carried out, answered
//! request      parse: the order of everything before a table is needed
//! operations/  one operation each: its rules as a pipeline of steps, and what carries it out
//! account, catalog     tables, and what DynamoDB says of them          attributes   items and keys of requests
//! streams      the streams of tables, their names and iterators
//! bound        expressions and what stands in their place, bound       capacity     what is consumed
//! answer, response     what is answered
//! pipeline, expressions, legacy, value, number      what the steps are made of
//! validate     shapes          show, echo           quoting what is wrong
//! view         values as places in the body         read, mistake, json   the one pass
//! model/       what requests can hold, generated    texts, refusal        what AWS says, and the answer
//! ```
//! No thread-locals, no locks, no recursion beyond 32 levels of values: 48 KiB of stack are enough.

mod account;
mod answer;
mod attributes;
mod bound;
mod call;
mod canonical;
mod capacity;
mod catalog;
pub mod checksum;
mod copies;
mod echo;
mod expressions;
mod files;
mod idempotency;
pub mod json;
mod kept;
mod legacy;
mod mistake;
pub mod model;
pub mod number;
mod operations;
mod pipeline;
mod read;
mod refusal;
mod request;
mod response;
mod show;
mod streams;
pub mod texts;
mod validate;
pub mod value;
mod vectors;
mod view;

pub use account::{Account, AccountOptions};
pub use echo::Echo;
pub use read::{Scratch, Span};
pub use refusal::{Cohort, Layer, Refusal, RefusalKind};
pub use request::{MAX_BODY_BYTES, Request, parse};
pub use response::Response;
pub use view::{Document, Elements, Entries, Structure, Value};

/// The programs in Rust of the page run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/dynamodb.md")]
mod page {}
