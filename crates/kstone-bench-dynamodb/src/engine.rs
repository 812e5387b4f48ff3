//! What both sides do: a request in, an answer out, as bytes of JSON.

use crate::Result;

/// The operations that are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    CreateTable,
    DeleteTable,
    PutItem,
    GetItem,
    Query,
    UpdateItem,
    TransactWriteItems,
}

/// One side.
pub(crate) trait Engine {
    /// The body of the answer. Errors: whatever is no answer of success.
    fn call(&mut self, operation: Operation, body: &[u8]) -> Result<&[u8]>;
}
