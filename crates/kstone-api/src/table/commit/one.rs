//! One write, decided and done under the lock of its stripe: what the commit of several does, without lists.
//!
//! ```text
//! lock ─► decide ─► plain: write          the engine writes the body over the older version, where it can
//!                └► watched: derive entries ─► lock their stripes, if free ─► note ─► write
//! ```
//! What cannot be done so is left to the commit of several.

use std::slice;
use std::sync::Arc;

use kstone_core::engine::{OneStripe, Writes};
use kstone_core::key::RoutedKey;
use kstone_core::record::Record;

use super::plan::Terms;
use super::{LOCKED_EVALUATION_MAX_BYTES, Settle, unless_dropped};
use crate::error::Result;
use crate::request::write::{ItemChange, MadeBody, Prepared};
use crate::table::Table;

impl Table {
    /// Does one write whose expressions are known: what it returns of its item.
    pub(crate) fn write_prepared(&self, write: &Prepared<'_>) -> Result<Option<Record>> {
        if !self.engine().is_limited()
            && let Some(returned) = self.write_at_once(write)?
        {
            return Ok(returned);
        }
        Ok(self.commit_prepared(slice::from_ref(write), Settle::FirstError)?.pop().flatten())
    }

    /// None where it cannot be done at once.
    fn write_at_once(&self, write: &Prepared<'_>) -> Result<Option<Option<Record>>> {
        let key = RoutedKey::from(write.key.get());
        let stripe = self.engine().lock_stripe(key.stripe())?;
        if stripe.is_watched(key.key()) {
            return self.write_watched(write, &key, stripe);
        }
        let old = stripe.get(&key);
        if takes_long(write, old.as_deref()) {
            return Ok(None);
        }
        let mut made = MadeBody::new();
        let ItemChange { new, returned } = write.decide(&key, old.as_deref(), &mut made)?;
        if let Some(write) = new.lent(&key, &made) {
            stripe.write(write);
        }
        Ok(Some(returned))
    }

    /// The same where the write concerns more than its item. None, too, where a stripe of an index entry is not free.
    fn write_watched(
        &self,
        write: &Prepared<'_>,
        key: &RoutedKey<'_>,
        stripe: OneStripe<'_>,
    ) -> Result<Option<Option<Record>>> {
        let old = stripe.get(key);
        if takes_long(write, old.as_deref()) {
            return Ok(None);
        }
        let table = self.state_in_force();
        if key.key().label().is_empty() != table.keys.is_none() {
            return Ok(None);
        }
        let terms = Terms { table: Some(&table), now: self.now_for(&table) };
        let mut entries = Writes::new();
        let (returned, item) = terms.decide(write, (key, old.as_deref()), &mut entries)?;
        let changes = item.as_ref().map(|item| terms.stream_changes(std::iter::once(item), |_| old.as_deref()));
        let mut commit = stripe.into_commit();
        for (route, _) in &entries {
            if !commit.try_lock(self.engine(), route.stripe())? {
                return Ok(None);
            }
        }
        let garbage = item.as_ref().zip(changes).map(|(item, changes)| terms.note(std::iter::once(item), changes));
        let now = terms.now;
        let cleaning = table.needs_cleaning().then(|| Arc::clone(&table));
        drop(table);
        let mut writing = commit.writing();
        if let Some(item) = item {
            writing.write(self.engine(), item.write);
        }
        for entry in entries.drain(..) {
            writing.write(self.engine(), entry.into());
        }
        writing.finish();
        drop(garbage);
        if let Some(table) = cleaning {
            unless_dropped(self, self.clean_near(&table, std::iter::once(key.stripe()), now))?;
        }
        Ok(Some(returned))
    }
}

/// Whether expressions are asked of so much that others should not wait for it.
fn takes_long(write: &Prepared<'_>, old: Option<&Record>) -> bool {
    write.has_expression() && old.is_some_and(|old| old.body().len() > LOCKED_EVALUATION_MAX_BYTES)
}
