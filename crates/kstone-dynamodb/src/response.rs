//! What a call answers: a status, a body, and what its headers say.
//!
//! Thread safety: plain values.

use std::sync::OnceLock;

use crate::checksum;
use crate::read::Scratch;
use crate::refusal::Refusal;

/// The answer to one request after another: its memory is used again.
///
/// ```
/// use kstone_dynamodb::{Account, AccountOptions, Response};
/// let account = Account::open(AccountOptions::default())?;
/// let mut response = Response::default();
/// account.call("DynamoDB_20120810.ListTables", b"{}", &mut response);
/// assert_eq!((response.status(), response.body()), (200, &br#"{"TableNames":[]}"#[..]));
/// assert_eq!(response.request_id().len(), 52);
/// # Ok::<(), kstone_api::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Response {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) refusal: Option<Refusal>,
    pub(crate) scratch: Scratch,
    request_id: OnceLock<Box<str>>,
}

impl Response {
    /// The HTTP status: 200, or 400 and above where AWS would refuse the request.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The body, JSON; empty where the request was too large to be read.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.body.as_bytes()
    }

    /// Why the request was refused, where it was.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }

    /// The value of `x-amz-crc32`. Costs a pass over the body.
    #[must_use]
    pub fn crc32(&self) -> u32 {
        checksum::crc32(self.body())
    }

    /// The value of `x-amzn-RequestId`, made when it is first asked for.
    #[must_use]
    pub fn request_id(&self) -> &str {
        self.request_id.get_or_init(|| checksum::request_id(&mut checksum::random()).into())
    }

    /// Ready for the next answer.
    pub(crate) fn clear(&mut self) {
        self.status = 200;
        self.refusal = None;
        self.body.clear();
        self.request_id.take();
    }
}
