//! kstone: `kstone_account_call`, with one response that is used again.

#![expect(unsafe_code, reason = "calls of C functions")]

use std::ffi::{c_char, c_void};
use std::ptr::{null, null_mut};

use crate::Result;
use crate::engine::{Engine, Operation};

/// The part of `include/kstone.h` that is called, declared by hand.
mod ffi {
    use std::ffi::{c_char, c_void};

    /// `kstone_bytes`
    #[repr(C)]
    pub(super) struct Bytes {
        pub(super) data: *const u8,
        pub(super) len: usize,
    }

    unsafe extern "C" {
        pub(super) fn kstone_account_open(options: *const c_void, out: *mut *mut c_void, err: *mut *mut c_void) -> i32;
        pub(super) fn kstone_account_call(
            account: *mut c_void,
            target: *const c_char,
            target_len: usize,
            body: *const c_void,
            body_len: usize,
            response: *mut *mut c_void,
            err: *mut *mut c_void,
        ) -> i32;
        pub(super) fn kstone_response_http_status(response: *const c_void) -> i32;
        pub(super) fn kstone_response_body(response: *const c_void) -> Bytes;
        pub(super) fn kstone_free(object: *mut c_void);
    }
}

/// An account and the response of its last call.
pub(crate) struct Account {
    account: *mut c_void,
    response: *mut c_void,
}

impl Account {
    /// An account without tables, of the default options.
    pub(crate) fn open() -> Result<Self> {
        let mut account = null_mut();
        // SAFETY: no options are all defaults, no error is asked for, and `account` is there to be written to.
        let status = unsafe { ffi::kstone_account_open(null(), &raw mut account, null_mut()) };
        if status == 0 { Ok(Self { account, response: null_mut() }) } else { Err("the account does not open".into()) }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        // SAFETY: both are the library's objects or null, and are used no more.
        unsafe {
            ffi::kstone_free(self.response);
            ffi::kstone_free(self.account);
        }
    }
}

impl Engine for Account {
    fn call(&mut self, operation: Operation, body: &[u8]) -> Result<&[u8]> {
        let target = target(operation);
        // SAFETY: the account is open, each text comes with its length, and the response is null or one of this library.
        let status = unsafe {
            ffi::kstone_account_call(
                self.account,
                target.as_ptr().cast::<c_char>(),
                target.len(),
                body.as_ptr().cast(),
                body.len(),
                &raw mut self.response,
                null_mut(),
            )
        };
        if status != 0 {
            return Err(format!("{target}: status {status}").into());
        }
        // SAFETY: the call answered, so the response is one; its body lives until the next call, as the borrow says.
        let (http, body) = unsafe {
            let body = ffi::kstone_response_body(self.response);
            (ffi::kstone_response_http_status(self.response), std::slice::from_raw_parts(body.data, body.len))
        };
        if http == 200 { Ok(body) } else { Err(String::from_utf8_lossy(body).into()) }
    }
}

fn target(operation: Operation) -> &'static str {
    match operation {
        Operation::CreateTable => "DynamoDB_20120810.CreateTable",
        Operation::DeleteTable => "DynamoDB_20120810.DeleteTable",
        Operation::PutItem => "DynamoDB_20120810.PutItem",
        Operation::GetItem => "DynamoDB_20120810.GetItem",
        Operation::Query => "DynamoDB_20120810.Query",
        Operation::UpdateItem => "DynamoDB_20120810.UpdateItem",
        Operation::TransactWriteItems => "DynamoDB_20120810.TransactWriteItems",
    }
}
