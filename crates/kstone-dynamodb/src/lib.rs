//! DynamoDB's requests, from their bytes to the point where a table is needed.
//!
//! # What is here today
//! [`parse`] reads a request of any of the 66 operations of DynamoDB_20120810 and DynamoDBStreams_20120810 and says what
//! AWS would refuse in it: bodies that are no JSON, members of wrong types, shapes, and the rules between members that
//! need no table. What it accepts is a [`Request`], whose members are places in the body: nothing is built or copied.
//!
//! # What is not here
//! Nothing is carried out: there is no account, no table and no answer but refusals. The grammar of expressions and of
//! PartiQL is not read, so that their syntax errors, unused names and values, and overlapping paths are not found yet; of
//! an expression only its length is looked at. Neither are keys compared with a table's, nor whether it exists. Both come
//! where tables come.
//!
//! # How sure it is
//! Texts and order come from captures of AWS that others published and from emulators whose tests run against AWS; each
//! case in `tests/cases` names its source and how sure it is. Where AWS has two sets of texts, [`Cohort`] chooses. Of
//! these nothing is captured, and the choice is ours: bodies that are not objects, names that come twice (the last one
//! counts), nesting beyond 1,000 levels and half surrogate pairs (no JSON), quotations beyond a quarter of a megabyte
//! (they end there), the order of rules in transactions.
//!
//! # Layers
//! ```text
//! request      parse: the order of everything
//! operations/  rules of one operation each, as a pipeline of steps
//! pipeline, expressions, legacy, value, number      what the steps are made of
//! validate     shapes          show, echo           quoting what is wrong
//! view         values as places in the body         read, mistake, json   the one pass
//! model/       what requests can hold, generated    texts, refusal        what AWS says, and the answer
//! ```
//! No thread-locals, no locks, no recursion beyond 32 levels of values: 48 KiB of stack are enough.

pub mod checksum;
mod echo;
mod expressions;
pub mod json;
mod legacy;
mod mistake;
pub mod model;
pub mod number;
mod operations;
mod pipeline;
mod read;
mod refusal;
mod request;
mod show;
pub mod texts;
mod validate;
pub mod value;
mod view;

pub use echo::Echo;
pub use read::{Scratch, Span};
pub use refusal::{Cohort, Refusal, RefusalKind};
pub use request::{MAX_BODY_BYTES, Request, parse};
pub use view::{Document, Elements, Entries, Structure, Value};
