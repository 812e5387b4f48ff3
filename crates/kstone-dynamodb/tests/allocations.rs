//! How often a request allocates: a binary of its own, since its allocator counts for all that runs in it.

#![expect(unsafe_code, reason = "a counting allocator is an unsafe trait's implementation")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use kstone_dynamodb::{Account, AccountOptions, Response};

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: all it does in addition to the system's allocator is to count.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// The most that a request of this kind allocates, of several: the first ones fill what is kept.
fn allocations(account: &Account, response: &mut Response, operation: &str, body: &str) -> usize {
    let target = format!("DynamoDB_20120810.{operation}");
    let mut most = 0;
    for round in 0..8 {
        let before = COUNT.with(Cell::get);
        account.call(&target, body.as_bytes(), response);
        let count = COUNT.with(Cell::get) - before;
        assert_eq!(response.status(), 200, "{}", String::from_utf8_lossy(response.body()));
        if round >= 2 {
            most = most.max(count);
        }
    }
    most
}

#[test]
fn a_request_for_an_item_allocates_nothing_and_a_write_little() {
    let account = Account::open(AccountOptions::default()).unwrap();
    let mut response = Response::default();
    let mut most = |operation: &str, body: &str| allocations(&account, &mut response, operation, body);
    let table = r#"{"TableName":"users","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}]}"#;
    account.call("DynamoDB_20120810.CreateTable", table.as_bytes(), &mut Response::default());
    let put = most(
        "PutItem",
        r#"{"TableName":"users","Item":{"id":{"S":"a"},"name":{"S":"Nina Simone"},"age":{"N":"42"},"active":{"BOOL":true},"n":{"N":"1"}}}"#,
    );
    let get = most("GetItem", r#"{"TableName":"users","Key":{"id":{"S":"a"}},"ConsistentRead":true}"#);
    let update = most(
        "UpdateItem",
        r#"{"TableName":"users","Key":{"id":{"S":"a"}},"UpdateExpression":"SET n = n + :x","ExpressionAttributeValues":{":x":{"N":"1"}}}"#,
    );
    assert_eq!(get, 0, "a GetItem");
    assert_eq!(put, 0, "a PutItem over an item that is as long");
    assert!(update <= 7, "an UpdateItem allocates {update} times");
}
