//! Moments of a table that can be restored: forks, taken when the table is used and the last one is a minute old.
//!
//! ```text
//! on at 0 s     moments  0 · 60 · 120 · 180 · …          of more than eight the one goes that lies closest between two others
//! restore to t  the newest moment that is not behind t; now itself is one
//! ```
//! A fork pins what is overwritten after it, so a table with eight moments may take nine times its memory, and no more.
//! Nobody takes forks while the table is not used: then there is nothing new to keep.
//!
//! Thread safety: a lock for a moment, taken by who finds that a fork is due.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use kstone_api::{Error, Table};
use parking_lot::Mutex;

use super::settings::Settings;

/// How far moments lie apart, in seconds.
const INTERVAL_SECONDS: i64 = 60;
/// The most moments of a table.
const MAX_MOMENTS: usize = 8;

/// A table as it was.
#[derive(Clone)]
pub(crate) struct Moment {
    /// In epoch milliseconds.
    pub(crate) at: i64,
    pub(crate) table: Table,
    pub(crate) settings: Settings,
}

/// The moments of a table whose recovery is on.
pub(crate) struct Moments {
    /// From when on the next one is due, in epoch seconds.
    due: AtomicI64,
    kept: Mutex<Vec<Moment>>,
}

impl Moments {
    /// Those of a table from now on, of which now is the first.
    pub(crate) fn beginning(now: Moment) -> Self {
        let due = AtomicI64::new(next(now.at));
        Self { due, kept: Mutex::new(vec![now]) }
    }

    /// The same for a fork of the account.
    pub(crate) fn forked(&self) -> Self {
        Self { due: AtomicI64::new(self.due.load(Ordering::Relaxed)), kept: Mutex::new(self.kept.lock().clone()) }
    }

    /// Whether the next one is due.
    #[inline]
    pub(crate) fn is_due(&self, now: i64) -> bool {
        now >= self.due.load(Ordering::Relaxed)
    }

    /// Takes the one that is due, unless somebody else does.
    pub(crate) fn take(&self, table: &Table, settings: &Settings, now_millis: i64) {
        let Some(mut kept) = self.kept.try_lock() else { return };
        if !self.is_due(now_millis.div_euclid(1000)) {
            return;
        }
        self.due.store(next(now_millis), Ordering::Relaxed);
        // A table that cannot be forked now is asked again in a minute.
        let Ok(fork) = table.fork() else { return };
        kept.push(Moment { at: now_millis, table: fork, settings: settings.clone() });
        if kept.len() > MAX_MOMENTS {
            thin(&mut kept);
        }
    }

    /// The time of the oldest, in epoch milliseconds.
    pub(crate) fn earliest(&self) -> i64 {
        self.kept.lock().first().map_or(i64::MAX, |moment| moment.at)
    }

    /// The newest that is not behind this time.
    pub(crate) fn at(&self, millis: i64) -> Option<Moment> {
        self.kept.lock().iter().rev().find(|moment| moment.at <= millis).cloned()
    }
}

/// Now, as a moment.
pub(crate) fn now(table: &Table, settings: &Settings, now_millis: i64) -> Result<Moment, Error> {
    Ok(Moment { at: now_millis, table: table.fork()?, settings: settings.clone() })
}

/// What a table of the catalog has of it.
pub(crate) type Recovering = Option<Arc<Moments>>;

fn next(millis: i64) -> i64 {
    millis.div_euclid(1000).saturating_add(INTERVAL_SECONDS)
}

/// Gives up the moment whose neighbours lie closest together, for their distance to now: old ones become rare.
fn thin(moments: &mut Vec<Moment>) {
    let last = moments.last().map_or(0, |moment| moment.at);
    let gap = |at: usize| {
        let (before, after) = (moments[at - 1].at, moments[at + 1].at);
        // As a fraction of the age, in parts of a million.
        i128::from(after.saturating_sub(before)) * 1_000_000 / i128::from(last.saturating_sub(before).max(1))
    };
    let rarest = (1..moments.len().saturating_sub(1)).min_by_key(|at| gap(*at));
    if let Some(at) = rarest {
        moments.remove(at);
    }
}

#[cfg(test)]
mod tests {
    use kstone_api::{Account, KeyType, TableSchema};

    use super::*;

    #[test]
    fn moments_are_few_and_the_older_the_rarer() {
        let schema = TableSchema::new().name("plain").partition_key("id", KeyType::S);
        let table = Account::create_in_memory().create_table(schema).expect("created");
        let settings = Settings::default();
        let moments = Moments::beginning(now(&table, &settings, 0).expect("forked"));
        for second in 1..=100_000 {
            if moments.is_due(second) {
                moments.take(&table, &settings, second * 1000);
            }
        }
        let kept: Vec<i64> = moments.kept.lock().iter().map(|moment| moment.at / 1000).collect();
        assert_eq!((kept.len(), kept[0]), (MAX_MOMENTS, 0), "{kept:?}");
        assert!(kept[MAX_MOMENTS - 1] > 100_000 - 61, "{kept:?}");
        let gaps: Vec<i64> = kept.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.windows(2).filter(|pair| pair[0] < pair[1]).count() <= 3, "{gaps:?}");
        assert_eq!(moments.at(-1).map(|moment| moment.at), None);
        assert_eq!(moments.at(59_999).map(|moment| moment.at), Some(0));
    }
}
