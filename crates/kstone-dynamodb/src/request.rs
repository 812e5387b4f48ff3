//! A request: which operation, and where its members are.
//!
//! ```text
//! target, body ─► size ─► JSON? ─► which operation? ─► types of members ─► shapes ─► rules between members ─► Request
//!                 413     Serialization  UnknownOperation  Serialization    Validation  Validation
//! ```
//!
//! The order is AWS's (facts 3). What is left for a table to decide: keys and index keys, the grammar of expressions, and
//! whether the table is there at all.

use crate::model::{self, Operation};
use crate::operations;
use crate::read::{self, Scratch};
use crate::refusal::{Cohort, Refusal, RefusalKind};
use crate::texts::Text;
use crate::validate;
use crate::view::{Document, Structure};

/// The most bytes that a request may have.
pub const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// A request that AWS would take to its table.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    operation: &'static Operation,
    input: Structure<'a>,
}

impl<'a> Request<'a> {
    /// The operation that is asked for.
    #[must_use]
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// The members of the request.
    #[must_use]
    pub fn input(&self) -> &Structure<'a> {
        &self.input
    }
}

/// Reads and checks a request as far as that needs no table.
///
/// `target` is the header `X-Amz-Target`, such as `DynamoDB_20120810.PutItem`; `scratch` is memory that a thread may use
/// for one request after another. Costs a pass over the body, a pass over the values in it, and no allocation where
/// nothing is wrong and no set has to be sorted.
///
/// # Errors
/// What AWS would answer, in the order of its checks. Any bytes are good input: time and memory are bounded by the
/// body's length.
///
/// ```
/// use kstone_dynamodb::{Cohort, Scratch, parse};
///
/// let mut scratch = Scratch::default();
/// let body = br#"{"TableName":"music","Key":{"artist":{"S":"Nina Simone"}},"ConsistentRead":true}"#;
/// let request = parse("DynamoDB_20120810.GetItem", body, Cohort::Current, &mut scratch).unwrap();
/// assert_eq!(request.input().get("TableName").unwrap().text(), "music");
/// assert!(request.input().get("ConsistentRead").unwrap().boolean());
///
/// let refusal = parse("DynamoDB_20120810.GetItem", b"{}", Cohort::Current, &mut scratch).unwrap_err();
/// assert_eq!(refusal.status(), 400);
/// assert!(refusal.message().unwrap().starts_with("2 validation errors detected: Value null at 'tableName'"));
/// ```
pub fn parse<'a>(
    target: &str,
    body: &'a [u8],
    cohort: Cohort,
    scratch: &'a mut Scratch,
) -> Result<Request<'a>, Refusal> {
    let request = read_only(target, body, scratch)?;
    match check(&request, cohort) {
        // That values are too deep is said alike.
        Err(refusal)
            if refusal.text != Some(Text::NestedTooDeep)
                && cohort.reads_deep_requests_otherwise(request.operation().name)
                && is_deep(body) =>
        {
            Err(check(&request, Cohort::Classic).err().unwrap_or(refusal))
        }
        checked => checked.map(|()| request),
    }
}

fn check(request: &Request<'_>, cohort: Cohort) -> Result<(), Refusal> {
    validate::shape(request, cohort)?;
    operations::check(request, cohort)
}

/// How deep JSON is from which on the writes of one item are read by the older layer: 62 levels of values are not so deep
/// yet, 63 are (parity, `validation-ordering/deepRequests`).
const DEEP_LEVELS: usize = 128;

/// Whether a body that is JSON is so deep.
fn is_deep(body: &[u8]) -> bool {
    let (mut levels, mut is_text, mut is_escaped) = (0_usize, false, false);
    body.iter().any(|&byte| {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_text,
            b'"' => is_text = !is_text,
            b'{' | b'[' if !is_text => levels += 1,
            b'}' | b']' if !is_text => levels = levels.saturating_sub(1),
            _ => {}
        }
        levels > DEEP_LEVELS
    })
}

/// Reads a request, without checking more of it than its JSON types.
fn read_only<'a>(target: &str, body: &'a [u8], scratch: &'a mut Scratch) -> Result<Request<'a>, Refusal> {
    if body.len() > MAX_BODY_BYTES {
        return Err(Refusal::silent(RefusalKind::TooLarge));
    }
    let operation = model::operation(target);
    let not_json = || Refusal::serialization(None);
    // An empty body is looked at after the target (dynalite, `index.js`).
    let unknown = || Refusal::silent(RefusalKind::UnknownOperation);
    if body.is_empty() {
        return Err(if operation.is_none() { unknown() } else { not_json() });
    }
    let body = kstone_core::utf8(body).map_err(|_| not_json())?;
    let read = read::read(body, operation, scratch).map_err(|_| not_json())?;
    let operation = operation.ok_or_else(unknown)?;
    if read.mistake.is_some() {
        return Err(Refusal::serialization(read.mistake));
    }
    let document = Document { body, shadowed: &scratch.shadowed, is_plain: read.is_plain };
    Ok(Request { operation, input: Structure::new(document, operation.input, read.members) })
}
