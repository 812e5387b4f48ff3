//! One moment of several engines: a commit that decides on items of all of them, and reads that it cannot come between.
//!
//! A commit and reads of one engine are the simple case.

use std::cmp::Ordering;

use smallvec::SmallVec;

use super::commit::{Commit, INLINE_WRITES};
use super::lock_place::{LockPlace, check_ordinals};
use super::read::StripesToRead;
use super::{Engine, KeyWrite};
use crate::error::{Error, Reason, Result};
use crate::key::{KeyRef, RoutedKey};
use crate::record::{Lent, Record};

/// An engine and keys of it.
pub type EngineKeys<'a> = (&'a Engine, &'a [KeyRef<'a>]);

impl Engine {
    /// Decides and writes under the locks of all the keys' stripes, as one: nobody sees a part of it.
    ///
    /// `decide` is shown the present items and returns the records to write, which must have keys among `keys`. Nothing
    /// is written where it returns an error.
    ///
    /// # Errors
    /// What `decide` returns; [`Error::Invalid`] for a record of another key; [`Error::Poisoned`], also for every later
    /// call if `decide` panics; [`Error::Closed`].
    pub fn commit<T, E: From<Error>>(
        &self,
        keys: &[KeyRef<'_>],
        decide: impl FnOnce(&Present<'_>) -> Result<(Vec<Record>, T), E>,
    ) -> Result<T, E> {
        let decide = |present: &Present<'_>| {
            let (records, outcome) = decide(present)?;
            Ok((records.into_iter().map(|record| (0, record)), outcome))
        };
        commit_across(&[(self, keys)], decide, |_| ())
    }
}

/// Decides and writes under the locks of all the keys' stripes, in whichever engines they are, as one: nobody sees a part
/// of it.
///
/// `decide` is shown the present items and returns the records to write, each with the place of its engine in `keys`; they
/// must have keys among those. Nothing is written where it returns an error. `note` runs when it is certain that they
/// will be written, before anybody can see them.
///
/// ```
/// use kstone_core::engine::{Engine, EngineOptions, EngineOrdinal, commit_across, read_across};
/// use kstone_core::{Error, key::KeyRef, record::Record};
/// let engine = |number| {
///     Engine::new(EngineOptions { ordinal: EngineOrdinal(number), ..EngineOptions::default() })
/// };
/// let (orders, stock) = (engine(1)?, engine(2)?);
/// let (order, article) = ([KeyRef::new(b"order#1", b"")?], [KeyRef::new(b"pen", b"")?]);
/// let keys = [(&orders, &order[..]), (&stock, &article[..])];
/// let sold = commit_across(
///     &keys,
///     |present| {
///         let in_stock = present.get_in(1, article[0]).is_some();
///         let records = in_stock.then(|| [(0, Record::put(order[0], b"")), (1, Record::tombstone(article[0]))]);
///         Ok::<_, Error>((records.into_iter().flatten(), in_stock))
///     },
///     |_| (),
/// )?;
/// assert!(!sold && read_across(&keys)? == [[None], [None]]);
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
/// As [`Engine::commit`], of any of the engines; [`Error::Invalid`] where two of them have one ordinal.
pub fn commit_across<T, E: From<Error>, R: IntoIterator<Item = (usize, Record)>>(
    keys: &[EngineKeys<'_>],
    decide: impl FnOnce(&Present<'_>) -> Result<(R, T), E>,
    note: impl FnOnce(&T),
) -> Result<T, E> {
    let named = NamedKeys::of(keys);
    let mut commit = Commit::new();
    commit.lock(named.0.iter().map(|named| (named.engine, named.key.stripe())))?;
    let engines = keys.iter().map(|(engine, _)| *engine).collect();
    let present = Present { commit, engines };
    let (records, outcome) = decide(&present)?;
    let mut writes: SmallVec<[(&Engine, KeyWrite<'_>); INLINE_WRITES]> = SmallVec::new();
    for (at, record) in records {
        let key = RoutedKey::from(record.key_ref());
        let Some(engine) = present.engines.get(at).filter(|engine| named.has(engine, key)) else {
            return Err(Error::from(Reason::KeyNotNamed { record: format!("{record:?}").into() }).into());
        };
        let route = key.route();
        writes.push((engine, KeyWrite::Record(route, record)));
    }
    note(&outcome);
    let mut writing = present.commit.writing();
    for (engine, write) in writes {
        writing.write(engine, write);
    }
    writing.finish();
    Ok(outcome)
}

/// The items of these keys as they are at one moment, in their order: no [`commit_across`] lies between them.
///
/// # Errors
/// [`Error::Poisoned`] and [`Error::Closed`] of any of the engines; [`Error::Invalid`] where two of them have one ordinal.
pub fn read_across(keys: &[EngineKeys<'_>]) -> Result<Vec<Vec<Option<Record>>>> {
    let mut engines: SmallVec<[&Engine; INLINE_WRITES]> = keys.iter().map(|(engine, _)| *engine).collect();
    engines.sort_unstable_by_key(|engine| engine.ordinal());
    check_ordinals(engines.iter().copied())?;
    // A lock that a thread waits for while it holds it, even shared, may be waiting for a writer in between.
    engines.dedup_by_key(|engine| engine.ordinal());
    let routed: Vec<Vec<RoutedKey<'_>>> =
        keys.iter().map(|(_, keys)| keys.iter().copied().map(RoutedKey::from).collect()).collect();
    let mut locked = Vec::with_capacity(engines.len());
    for engine in &engines {
        let of_engine = keys.iter().zip(&routed).filter(|((other, _), _)| std::ptr::eq(*other, *engine));
        locked.push(StripesToRead::lock(engine, of_engine.flat_map(|(_, routed)| routed))?);
    }
    let read = |((engine, _), routed): (&EngineKeys<'_>, &Vec<RoutedKey<'_>>)| {
        let at = engines.binary_search_by_key(&engine.ordinal(), |engine| engine.ordinal());
        let stripes = &locked[at.expect("every engine is locked")];
        stripes.look_up(routed, StripesToRead::count)
    };
    Ok(keys.iter().zip(&routed).map(read).collect())
}

/// The keys that a commit may write, in the order of their locks and tags: sorted before the locks are taken, so that
/// each look-up under them is O(log n).
struct NamedKeys<'a>(SmallVec<[NamedKey<'a>; INLINE_WRITES]>);

struct NamedKey<'a> {
    engine: &'a Engine,
    key: RoutedKey<'a>,
}

impl<'a> NamedKeys<'a> {
    fn of(keys: &[EngineKeys<'a>]) -> Self {
        let of_engine = |&(engine, keys): &EngineKeys<'a>| {
            keys.iter().map(move |key| NamedKey { engine, key: RoutedKey::from(*key) })
        };
        let mut named: SmallVec<_> = keys.iter().flat_map(of_engine).collect();
        named.sort_unstable_by(NamedKey::order);
        Self(named)
    }

    fn has(&self, engine: &Engine, key: RoutedKey<'_>) -> bool {
        let wanted = NamedKey { engine, key };
        self.0.binary_search_by(|named| named.order(&wanted)).is_ok()
    }
}

impl NamedKey<'_> {
    fn place(&self) -> LockPlace {
        self.engine.lock_place(self.key.stripe())
    }

    /// By lock, tag and key; the tag tells items from index entries.
    fn order(&self, other: &NamedKey<'_>) -> Ordering {
        #[cfg(test)]
        tests::COMPARISONS.with(|count| count.set(count.get() + 1));
        let (own, others) = (&self.key, &other.key);
        let by_tag = (self.place(), own.route().tag).cmp(&(other.place(), others.route().tag));
        by_tag.then_with(|| (own.key().pk(), own.key().sk()).cmp(&(others.key().pk(), others.key().sk())))
    }
}

/// The present items, under the locks of a commit.
pub struct Present<'a> {
    commit: Commit<'a>,
    engines: SmallVec<[&'a Engine; INLINE_WRITES]>,
}

impl Present<'_> {
    /// The item of this key in the first engine that the commit named; none, too, where the commit did not name a key of
    /// its stripe.
    pub fn get(&self, key: KeyRef<'_>) -> Option<Lent<'_>> {
        self.get_in(0, key)
    }

    /// The same in the engine at this place among those that the commit named.
    pub fn get_in(&self, engine: usize, key: KeyRef<'_>) -> Option<Lent<'_>> {
        self.commit.get(self.engines.get(engine)?, &key.into())
    }
}

#[cfg(test)]
mod tests;
