//! Accounts and responses: what C cannot bring about.

use super::*;
use crate::account::{AccountObject, kstone_account_call, kstone_account_open};
use crate::boundary::hand_out;
use crate::response::{
    ResponseObject, kstone_response_body, kstone_response_crc32, kstone_response_http_status,
    kstone_response_request_id,
};

/// Everything that a response says.
fn said(response: *const ResponseObject) -> (i32, Vec<u8>, u32, String) {
    // SAFETY: the response is live.
    unsafe {
        (
            kstone_response_http_status(response),
            bytes_of(kstone_response_body(response)).to_vec(),
            kstone_response_crc32(response),
            string(kstone_response_request_id(response)),
        )
    }
}

#[test]
fn a_response_whose_answer_was_not_finished_says_nothing() {
    let mut account: *mut AccountObject = ptr::null_mut();
    let mut response = hand_out(ResponseObject::default());
    assert_eq!(said(response), (0, Vec::new(), 0, String::new()));
    let (target, body) = ("DynamoDB_20120810.ListTables", b"{}");
    // SAFETY: live handles, slices and variables of ours.
    unsafe {
        assert_eq!(kstone_account_open(ptr::null(), &mut account, ptr::null_mut()), KSTONE_OK);
        succeeds(KSTONE_OK, |err| {
            kstone_account_call(account, chars(target), target.len(), data(body), body.len(), &mut response, err)
        });
    }
    let (status, body, ..) = said(response);
    assert_eq!((status, body), (200, b"{\"TableNames\":[]}".to_vec()));
    free(response);
    free(account);
}

#[test]
fn responses_and_accounts_are_borrowed_by_kind() {
    let response = hand_out(ResponseObject::default());
    let mut wrong: *mut ResponseObject = open().cast();
    let (target, body) = ("DynamoDB_20120810.ListTables", b"{}");
    // SAFETY: live handles of any kind, slices and variables of ours.
    unsafe {
        let message = fails(KSTONE_ERR_MISUSE, |err| {
            let account = response.cast();
            kstone_account_call(account, chars(target), target.len(), data(body), body.len(), &mut wrong, err)
        });
        assert!(message.contains("a kstone_account is needed"), "{message}");
    }
    free(wrong);
    free(response);
}
