//! Responses: what an account answers.

use std::ffi::c_char;
use std::ops::Range;
use std::sync::OnceLock;

use kstone_dynamodb::{Account, Response};

use crate::boundary::text::{OwnedText, lent_text};
use crate::boundary::{Handle, Tag, Tagged, accessor, borrow, by_contract};
use crate::item::Bytes;

/// The answer to one request after another.
#[derive(Default)]
pub struct ResponseObject {
    response: Response,
    /// The request's number for C, made when it is first asked for.
    request_id: OnceLock<RequestId>,
    /// False until the first answer, and where the last one was not finished.
    is_answered: bool,
}

/// A text that belongs to a response.
struct RequestId(OwnedText);

// SAFETY: the text never changes once it is made, and its owner alone releases it.
unsafe impl Send for RequestId {}
// SAFETY: as for Send.
unsafe impl Sync for RequestId {}

impl Drop for RequestId {
    fn drop(&mut self) {
        // SAFETY: the text was made for this response, and nobody may use it after the response.
        unsafe { OwnedText::release(self.0.as_ptr()) }
    }
}

impl Tagged for ResponseObject {
    const TAG: Tag = Tag::RESPONSE;
    const NAME: &'static str = "a kstone_response";
}

impl ResponseObject {
    /// Takes the answer to a request. None of the arguments lies in this response.
    pub(crate) fn answer(&mut self, account: &Account, target: &[u8], body: &[u8]) {
        self.is_answered = false;
        self.request_id.take();
        // A target that is no text is none that AWS knows.
        account.call(&String::from_utf8_lossy(target), body, &mut self.response);
        self.is_answered = true;
    }

    /// Whether these bytes are lent by this response: the next answer would change them.
    pub(crate) fn lends(&self, bytes: &[u8]) -> bool {
        let begins_in = |range: Range<*const u8>| range.contains(&bytes.as_ptr());
        let request_id = self.request_id.get().is_some_and(|id| {
            let start: *const u8 = id.0.as_ptr().cast();
            begins_in(start..start.wrapping_add(self.response.request_id().len()))
        });
        begins_in(self.response.body().as_ptr_range()) || request_id
    }

    fn answered(&self) -> Option<&Response> {
        self.is_answered.then_some(&self.response)
    }

    fn request_id(&self) -> Option<*const c_char> {
        let response = self.answered()?;
        let text = self.request_id.get_or_init(|| RequestId(OwnedText::for_handle(response.request_id())));
        Some(text.0.as_ptr().cast_const())
    }
}

/// Releases a response that the caller gives back.
///
/// # Safety
/// `response` was handed out and is used no more.
pub(crate) unsafe fn release(response: *mut ResponseObject) {
    drop(by_contract!(Handle::take_back(response)));
}

/// The status of the HTTP answer that AWS would give: 200; 400 for what AWS refuses, 413 for a body of over 16 MiB, 500
/// where the account failed inside. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_response_http_status(r: *const ResponseObject) -> i32 {
    accessor!(0, borrow(r).ok().and_then(ResponseObject::answered).map_or(0, |response| response.status().into()))
}

/// The body of the answer: JSON, as AWS would send it. Of a refusal {"__type":"...","message":"..."}; empty where the
/// status is 413, and for NULL. No NUL follows it.
///
/// Ownership: borrowed from the response: it is gone when that is used for another call, or freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_response_body(r: *const ResponseObject) -> Bytes {
    accessor!(Bytes::EMPTY, {
        borrow(r).ok().and_then(ResponseObject::answered).map_or(Bytes::EMPTY, |response| Bytes::of(response.body()))
    })
}

/// The CRC-32 of the body, which AWS sends as x-amz-crc32 and clients check. 0 for NULL.
///
/// Cost: a pass over the body.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_response_crc32(r: *const ResponseObject) -> u32 {
    accessor!(0, borrow(r).ok().and_then(ResponseObject::answered).map_or(0, Response::crc32))
}

/// The number of the request, which AWS sends as x-amzn-RequestId: 52 capital letters and digits, made at random when
/// it is first asked for. Empty for NULL, never NULL. Borrowed from the response, as its body is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_response_request_id(r: *const ResponseObject) -> *const c_char {
    let _uncancelled = crate::cancellation::Uncancelled::new();
    let empty = lent_text!("").as_ptr();
    accessor!(empty, borrow(r).ok().and_then(ResponseObject::request_id).unwrap_or(empty))
}
