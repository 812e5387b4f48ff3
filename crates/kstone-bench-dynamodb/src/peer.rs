//! dynoxide, embedded: its methods take and give structures of Rust, which serde reads from JSON and writes as JSON.

use dynoxide::{Database, DynoxideError};
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::engine::{Engine, Operation};

/// A database in memory and the body of its last answer.
pub(crate) struct Peer {
    database: Database,
    answer: Vec<u8>,
}

impl Peer {
    /// A database without tables.
    pub(crate) fn open() -> Result<Self> {
        Ok(Self { database: Database::memory()?, answer: Vec::new() })
    }

    fn pass<'b, I: Deserialize<'b>, O: Serialize>(
        &mut self,
        body: &'b [u8],
        method: impl FnOnce(&Database, I) -> std::result::Result<O, DynoxideError>,
    ) -> Result<&[u8]> {
        let answer = method(&self.database, serde_json::from_slice(body)?)?;
        self.answer.clear();
        serde_json::to_writer(&mut self.answer, &answer)?;
        Ok(&self.answer)
    }
}

impl Engine for Peer {
    fn call(&mut self, operation: Operation, body: &[u8]) -> Result<&[u8]> {
        match operation {
            Operation::CreateTable => self.pass(body, Database::create_table),
            Operation::DeleteTable => self.pass(body, Database::delete_table),
            Operation::PutItem => self.pass(body, Database::put_item),
            Operation::GetItem => self.pass(body, Database::get_item),
            Operation::Query => self.pass(body, Database::query),
            Operation::UpdateItem => self.pass(body, Database::update_item),
            Operation::TransactWriteItems => self.pass(body, Database::transact_write_items),
        }
    }
}
