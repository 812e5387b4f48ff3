//! Where an account's tables are, and the names that AWS's resources have by that.
//!
//! ```text
//! arn:aws:dynamodb:us-east-1:000000000000:table/music
//!                                                    /index/by-year   /stream/LABEL   /backup/ID   /export/ID   /import/ID
//! ```
//! Thread safety: immutable.

use crate::echo::Echo;
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

    /// What stands behind the prefix of this account's ARNs.
    pub(crate) fn after_prefix<'n>(&self, arn: &'n str) -> Option<&'n str> {
        arn.strip_prefix(&*self.prefix)
    }

    /// The name in the ARN of a table of this account.
    pub(crate) fn name_of_table_arn<'n>(&self, arn: &'n str) -> Option<&'n str> {
        self.after_prefix(arn).filter(|name| !name.contains('/'))
    }

    /// What AWS says of ARNs that it does not take in the place of a name was captured in October 2026 (ack-api-quirks,
    /// DDB-TABLE-442): which of several things that are wrong it says first was not.
    #[cold]
    fn name_in<'n>(&self, arn: &'n str) -> Result<&'n str, Refusal> {
        if let Some(name) = self.name_of_table_arn(arn) {
            return Ok(name);
        }
        let echo = || Echo::of(arn);
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        Err(match parts[..] {
            [_, partition, ..] if partition != "aws" => Refusal::validation(Text::PartitionOfArn { arn: echo() }),
            [_, _, _, region, ..] if *region != *self.region => Refusal::validation(Text::RegionOfArn { arn: echo() }),
            [_, _, "dynamodb", _, account, _] if *account != *self.account_id => {
                Refusal::new(RefusalKind::AccessDenied, Text::AccessDenied)
            }
            _ => Refusal::validation(Text::TypeOfArn { arn: echo() }),
        })
    }
}
