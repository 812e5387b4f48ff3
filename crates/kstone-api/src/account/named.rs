//! How operations of an account name their tables.

use std::sync::Arc;

use super::Account;
use crate::error::{Error, Reason, Result};
use crate::request::operation::TransactError;
use crate::request::write::WriteContext;
use crate::table::Table;
use crate::table::commit::tables::{SeveralTables, Tables};

/// What names a table of an account: its name, or a handle of it.
///
/// ```
/// use kstone_api::{Account, KeyType, NamesTable, TableSchema};
/// let account = Account::create_in_memory();
/// let users = account.create_table(TableSchema::new().name("users").partition_key("id", KeyType::S))?;
/// let named: [&dyn NamesTable; 3] = [&"users", &"users".to_string(), &users];
/// assert!(named.iter().all(|name| name.find_in(&account).is_ok()));
/// # Ok::<(), kstone_api::Error>(())
/// ```
pub trait NamesTable {
    /// The table in this account.
    ///
    /// # Errors
    /// [`Error::TableNotFound`]; [`Error::Invalid`] for a handle of another account's table.
    fn find_in(&self, account: &Account) -> Result<Table>;
}

impl NamesTable for str {
    fn find_in(&self, account: &Account) -> Result<Table> {
        account.table(self)
    }
}

impl NamesTable for String {
    fn find_in(&self, account: &Account) -> Result<Table> {
        account.table(self)
    }
}

impl NamesTable for Table {
    fn find_in(&self, account: &Account) -> Result<Table> {
        match Arc::ptr_eq(self.environment(), &account.shared.environment) {
            true => Ok(self.clone()),
            false => Err(Error::from(Reason::OtherAccount)),
        }
    }
}

impl<T: NamesTable + ?Sized> NamesTable for &T {
    fn find_in(&self, account: &Account) -> Result<Table> {
        (*self).find_in(account)
    }
}

impl Account {
    /// The tables that operations name, of which there is at least one; or the first that names none.
    pub(crate) fn tables_of<'n, N: NamesTable + 'n>(
        &self,
        names: impl Iterator<Item = &'n N>,
    ) -> Result<SeveralTables, TransactError> {
        let find = |(at, name): (usize, &N)| name.find_in(self).map_err(|error| TransactError::of(at, error));
        names.enumerate().map(find).collect::<Result<_, _>>().map(SeveralTables::of)
    }
}

impl SeveralTables {
    /// What it takes to prepare the write at this place.
    pub(crate) fn context_of(&self, write: usize) -> WriteContext<'_> {
        self.of(write).write_context()
    }
}
