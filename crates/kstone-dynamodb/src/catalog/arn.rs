//! Where an account's tables are, and the names that AWS's resources have by that.
//!
//! ```text
//! arn:aws:dynamodb:us-east-1:000000000000:table/music
//!                                                    /index/by-year   /stream/LABEL   /backup/ID   /export/ID   /import/ID
//! ```
//! Thread safety: immutable.

use crate::refusal::{Refusal, RefusalKind};
use crate::texts::Text;

/// A region and an account's number.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    region: Box<str>,
    account_id: Box<str>,
    /// What stands before a table's name in its ARN.
    prefix: Box<str>,
}

impl Place {
    pub(crate) fn new(region: &str, account_id: &str) -> Self {
        let prefix = format!("arn:aws:dynamodb:{region}:{account_id}:table/").into();
        Self { region: region.into(), account_id: account_id.into(), prefix }
    }

    /// The region.
    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    /// The account's number.
    pub(crate) fn account_id(&self) -> &str {
        &self.account_id
    }

    /// A table's ARN.
    pub(crate) fn table_arn(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The name of the table that a request names, be it by its ARN.
    ///
    /// # Errors
    /// What is said of an ARN of somebody else's table.
    #[inline]
    pub(crate) fn table_name<'n>(&self, name: &'n str) -> Result<&'n str, Refusal> {
        // No table's name has a colon.
        if !name.starts_with("arn:") {
            return Ok(name);
        }
        self.name_in(name)
    }

    #[cold]
    fn name_in<'n>(&self, arn: &'n str) -> Result<&'n str, Refusal> {
        match arn.strip_prefix(&*self.prefix) {
            Some(name) => Ok(name),
            None => Err(Refusal::new(RefusalKind::ResourceNotFound, Text::ResourceNotFound)),
        }
    }
}
