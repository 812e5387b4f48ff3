//! The table: items under keys, the schema that they follow, and what callers do with both.

pub(crate) mod commit;
pub(crate) mod configure;
pub(crate) mod expiries;
pub(crate) mod fork;
pub mod index;
pub(crate) mod memory_limit;
pub(crate) mod one_at_a_time;
pub(crate) mod pager;
mod reading;
pub(crate) mod release;
pub(crate) mod retired;
pub(crate) mod state;
pub mod stream;
pub mod ttl;

use std::sync::{Arc, OnceLock, Weak};

use crate::error::{Error, Reason, Result};
use kstone_core::engine::{Charge, Engine, EngineOrdinal, Exclusive, Present};
use kstone_core::item::{self, ItemRef, SplitItem};
use kstone_core::key::KeyRef;
use kstone_core::label::InternedLayout;
use kstone_core::record::{Glance, Record, RecordRef};
use kstone_core::typed_key::{KeyScratch, TableKey};
use kstone_core::value::Item;
use kstone_expr::partiql::StatementCache;
use parking_lot::{Mutex, RwLock, RwLockReadGuard};

use crate::account::environment::Environment;
use crate::expression::ExpressionCache;
use crate::interrupt::Interrupt;
use crate::model::clock::Clock;
use crate::model::item_check::{check_item, untyped_key};
use crate::model::progress::SnapshotProgress;
use crate::model::schema::TableSchema;
use crate::model::statistic::Statistic;
use crate::model::stats::Stats;
use crate::request::write::{Prepared, PreparedAction, RestOfItem, Write, WriteContext};
use crate::table::one_at_a_time::{OneAtATime, Turn};
use crate::table::state::{ReadContext, TableState};
use crate::table::stream::{Stream, StreamRecord};
use crate::table::ttl::has_passed;
#[cfg(doc)]
use crate::{ItemWriter, Select};

/// Items of typed attributes under a partition key and an optional sort key, in memory. Clones are handles of one table;
/// the last one frees everything, unless an [`Account`](crate::Account) owns it.
///
/// Calls may be made from any thread at any time; each sees the effect of every call that returned before it began. An item
/// comes back as it was put, numbers in canonical form; it may take 400 KB as DynamoDB counts.
///
/// A table is typed where its schema names and types its key ([`TableSchema::partition_key`]): items carry the attributes
/// of their key, which live in the key alone, numbers order as numbers, and a key that is given by itself is the text of S
/// and N and the bytes of B. In an untyped table keys are bytes that are given with each item: 1 to 2048 of partition key,
/// up to 1024 of sort key, none being no sort key. Where its items have attributes named `pk` or `sk`, they must equal the
/// key, as S or as B. Its keys are compared as bytes with text and binary alike, whatever they spell, and shown as S where
/// they are UTF-8, as B otherwise.
#[derive(Clone)]
pub struct Table {
    shared: Arc<Shared>,
    /// What ends long calls through this handle: see [`Table::interrupted_by`].
    pub(crate) interrupt: Option<Interrupt>,
}

struct Shared {
    engine: Engine,
    environment: Arc<Environment>,
    state: RwLock<Arc<TableState>>,
    /// That of the state: a table is typed from the start, or once it is filled with what was one.
    keys: OnceLock<&'static InternedLayout>,
    configuring: OneAtATime,
    snapshot_progress: Mutex<SnapshotProgress>,
    /// What the memory limit has counted of the stream and of what is known of expiry.
    apart: Charge,
}

/// A table that may be gone.
pub(crate) struct WeakTable(Weak<Shared>);

impl WeakTable {
    pub(crate) fn get(&self) -> Option<Table> {
        Some(Table { shared: self.0.upgrade()?, interrupt: None })
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if self.engine.is_limited() {
            self.environment.limited.remove(self.engine.ordinal());
        }
    }
}

impl Table {
    /// An empty table.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an option outside its range and for a schema that DynamoDB would refuse.
    pub(crate) fn create(environment: Arc<Environment>, schema: TableSchema, ordinal: EngineOrdinal) -> Result<Self> {
        let engine = environment.group()?.engine(ordinal);
        let state = TableState::new(schema, environment.options.stream_max_bytes())?;
        Ok(Self::of(engine, environment, state))
    }

    pub(crate) fn of(engine: Engine, environment: Arc<Environment>, state: TableState) -> Self {
        engine.watch(state.watch());
        let keys = state.keys.map_or_else(OnceLock::new, OnceLock::from);
        let apart = engine.charge();
        let shared = Shared {
            engine,
            environment,
            state: RwLock::new(Arc::new(state)),
            keys,
            configuring: OneAtATime::default(),
            snapshot_progress: Mutex::default(),
            apart,
        };
        let table = Self { shared: Arc::new(shared), interrupt: None };
        if table.engine().is_limited() {
            let weak = WeakTable(Arc::downgrade(&table.shared));
            table.environment().limited.add(table.engine().ordinal(), weak);
        }
        table
    }

    /// What a fork of this table alone is in.
    pub(crate) fn forked_environment(&self) -> Arc<Environment> {
        Arc::new(self.shared.environment.forked())
    }

    /// A fork of this table: over another engine, in another state.
    pub(crate) fn forked(&self, engine: Engine, environment: Arc<Environment>, state: TableState) -> Self {
        Self { interrupt: self.interrupt.clone(), ..Self::of(engine, environment, state) }
    }

    /// The same database by a handle whose long calls end when the flag is raised. Other handles know nothing of it.
    #[must_use]
    pub fn interrupted_by(&self, interrupt: &Interrupt) -> Self {
        let mut handle = self.clone();
        handle.interrupt = Some(interrupt.clone());
        handle
    }

    /// # Errors
    /// [`Error::Interrupted`] where this handle's flag is raised.
    #[inline]
    pub(crate) fn check_interrupt(&self) -> Result<()> {
        self.interrupt.as_ref().map_or(Ok(()), Interrupt::check)
    }

    /// The schema in force.
    pub fn schema(&self) -> TableSchema {
        self.state().schema.clone()
    }

    /// The name by which an account knows the table, which stays; none where it was not created in one.
    pub(crate) fn name_in_account(&self) -> Option<String> {
        // An account counts its tables from 1.
        let in_account = self.engine().ordinal() != EngineOrdinal::default();
        self.state().schema.name.clone().filter(|_| in_account)
    }

    /// Fixes the time that decides what has expired, in epoch seconds; 0 goes back to the clock. For tests. The time of a
    /// table in an account is set by [`Account::set_time`](crate::Account::set_time), which tells all its tables.
    pub fn set_time(&self, epoch_seconds: i64) {
        let before = self.shared.environment.clock.now_epoch_seconds();
        self.shared.environment.clock.set_time(epoch_seconds);
        if self.shared.environment.clock.now_epoch_seconds() < before {
            // What had passed for good may expire after all.
            self.forget_expiries();
        }
    }

    pub(crate) fn forget_expiries(&self) {
        self.state().expiries.iter().for_each(|expiries| expiries.forget());
    }

    /// The changes after a sequence number, oldest first: at most `max`, at most 1,000.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the schema has no stream or `max` is 0; [`Error::Trimmed`] where the stream has dropped
    /// of some of them.
    pub fn read_stream(&self, after: u64, max: usize) -> Result<Vec<StreamRecord>> {
        match &self.state().stream {
            Some(stream) => stream.read(after, max),
            None => Err(Error::from(Reason::NoStream)),
        }
    }

    /// The stream in force, if there is one, shared: it can be read on when the table has another one, or none, or is
    /// dropped.
    #[must_use]
    pub fn change_stream(&self) -> Option<Arc<Stream>> {
        self.state().stream.clone()
    }

    pub(crate) fn environment(&self) -> &Arc<Environment> {
        &self.shared.environment
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.shared.engine
    }

    pub(crate) fn stream_max_bytes(&self) -> usize {
        self.shared.environment.options.stream_max_bytes()
    }

    pub(crate) fn stream_share_bytes(&self) -> usize {
        self.shared.environment.limited.stream_share_bytes(self.shared.environment.options)
    }

    /// What the memory limit is to count of the stream and of what is known of expiry.
    pub(crate) fn apart(&self) -> &Charge {
        &self.shared.apart
    }

    pub(crate) fn expressions(&self) -> &ExpressionCache {
        self.shared.environment.expressions()
    }

    pub(crate) fn statements(&self) -> &StatementCache {
        self.shared.environment.statements()
    }

    /// Bytes of what the engine does not hold, the stream apart: parsed texts, and what is known of expiry.
    pub(crate) fn apart_bytes(&self) -> usize {
        self.shared.environment.cache_bytes() + self.state().expiries.as_ref().map_or(0, |expiries| expiries.bytes())
    }

    pub(crate) fn state(&self) -> Arc<TableState> {
        Arc::clone(&self.shared.state.read())
    }

    /// The table in force. While a stripe is locked it stays so: see [`Table::install`].
    pub(crate) fn state_in_force(&self) -> RwLockReadGuard<'_, Arc<TableState>> {
        self.shared.state.read()
    }

    /// The layout of a typed table's keys.
    #[inline]
    pub(crate) fn keys(&self) -> Option<&'static InternedLayout> {
        self.shared.keys.get().copied()
    }

    /// What it takes to prepare a write.
    pub(crate) fn write_context(&self) -> WriteContext<'_> {
        WriteContext { cache: self.expressions(), keys: self.keys() }
    }

    pub(crate) fn is_current(&self, table: &Arc<TableState>) -> bool {
        Arc::ptr_eq(&self.shared.state.read(), table)
    }

    pub(crate) fn set_state(&self, table: Arc<TableState>) {
        if let Some(keys) = table.keys {
            // Where it is set already it is this one: `following_keys` refuses any other.
            let _set_before = self.shared.keys.set(keys);
        }
        *self.shared.state.write() = table;
        if self.engine().is_limited() {
            self.environment().limited.share_streams();
        }
    }

    /// Has writes watched no longer where the table in force has become plain by itself: nothing is left of the indexes
    /// it had.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub(crate) fn note_plain(&self) -> Result<()> {
        if !self.engine().writes_are_watched() || !self.state_in_force().is_plain() {
            return Ok(());
        }
        Ok(self.engine().exclusive(|_| self.engine().watch(self.state_in_force().watch()))?)
    }

    pub(crate) fn configuring(&self) -> Result<Turn<'_>> {
        self.shared.configuring.enter(Reason::Busy)
    }

    pub(crate) fn progress_cell(&self) -> &Mutex<SnapshotProgress> {
        &self.shared.snapshot_progress
    }

    pub(crate) fn read_context(&self) -> ReadContext<'_> {
        let table = self.state();
        let now = self.now_for(&table);
        ReadContext { cache: self.expressions(), table, now }
    }

    /// The time; of no interest, and not asked for, where nothing expires and no stream notes it.
    pub(crate) fn now_for(&self, table: &TableState) -> i64 {
        if table.needs_time() { self.environment().clock.now_epoch_seconds() } else { 0 }
    }

    /// Does one write and says what it returns of the item, under the item's key.
    ///
    /// # Errors
    /// [`Error::ConditionFailed`]; [`Error::Invalid`] and [`Error::Limit`] for a key, an item or an expression that
    /// DynamoDB would refuse; [`Error::Poisoned`]. Nothing is written then.
    pub fn write(&self, write: Write) -> Result<Option<Record>> {
        self.write_prepared(&write.prepare(&self.write_context())?)
    }

    /// Stores the item under a partition key alone, in the place of the one that was there.
    ///
    /// # Errors
    /// [`Error::Invalid`] and [`Error::Limit`] for a key or an item that DynamoDB would refuse; [`Error::Poisoned`].
    pub fn put(&self, pk: &[u8], item: Item) -> Result<()> {
        self.put_with_sk(pk, &[], item)
    }

    /// Stores the item under a partition key and a sort key.
    ///
    /// # Errors
    /// As [`Table::put`].
    pub fn put_with_sk(&self, pk: &[u8], sk: &[u8], item: Item) -> Result<()> {
        self.put_body(pk, sk, &item::encode(&item)?)
    }

    /// Stores an item in its stored form, as [`ItemWriter::finish`] gives it: one copy of its bytes. That they are an
    /// item is believed: bytes that come from outside go through [`ItemRef::validate`](crate::ItemRef::validate) first.
    ///
    /// # Errors
    /// As [`Table::put`].
    #[inline]
    pub fn put_body(&self, pk: &[u8], sk: &[u8], body: &[u8]) -> Result<()> {
        match self.keys() {
            None => self.put_untyped((pk, sk), body),
            Some(layout) => self.put_under(layout, (pk, sk), body),
        }
    }

    /// [`Table::put_body`] of an untyped table.
    #[inline(never)]
    fn put_untyped(&self, (pk, sk): (&[u8], &[u8]), body: &[u8]) -> Result<()> {
        let key = KeyRef::new(pk, sk)?;
        check_item(&key, ItemRef::new(body))?;
        self.put_checked(&key, body)
    }

    /// [`Table::put_body`] of a typed table.
    #[inline(never)]
    fn put_under(&self, layout: &'static InternedLayout, (pk, sk): (&[u8], &[u8]), body: &[u8]) -> Result<()> {
        if layout.has_numbers() || layout.may_be_in(body) {
            if let Some(split) = layout.split_near(body).filter(|split| (split.key.pk(), split.key.sk()) == (pk, sk)) {
                return self.put_split(&split);
            }
            let key = TableKey::of_bytes(Some(layout), pk, sk)?;
            return self.put_split(&layout.split_under(key.get(), ItemRef::new(body))?);
        }
        let key = layout.key_of_plain_bytes(pk, sk)?;
        item::check_size(&key, ItemRef::new(body))?;
        self.put_checked(&key, body)
    }

    /// Stores an item under the key that its attributes are: those of a typed table's key, `pk` and `sk` of an untyped one.
    ///
    /// ```
    /// use kstone_api::{Database, ItemBuilder, KeyType, TableSchema};
    /// let scores = TableSchema::new().partition_key("user", KeyType::S).sort_key("score", KeyType::N);
    /// let db = Database::create_in_memory_with_schema(scores)?;
    /// db.put_item(ItemBuilder::new().string("user", "ann").number("score", 12).bool("won", true).build())?;
    /// let item = db.get_with_sk(b"ann", b"12")?.unwrap();
    /// assert_eq!(item["score"].as_number(), Some(&"12".to_string()));
    /// # Ok::<(), kstone_api::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the key attribute that is missing, of another type or empty; as [`Table::put`].
    pub fn put_item(&self, item: Item) -> Result<()> {
        self.put_item_body(&item::encode(&item)?)
    }

    /// As [`Table::put_item`] of an item in its stored form, which is believed.
    ///
    /// # Errors
    /// As [`Table::put_item`].
    pub fn put_item_body(&self, body: &[u8]) -> Result<()> {
        let item = ItemRef::new(body);
        match self.keys() {
            None => {
                let (pk, sk) = untyped_key(item)?;
                self.put_body(pk, sk, body)
            }
            Some(layout) => match layout.split_near(body) {
                Some(split) => self.put_split(&split),
                None => self.put_split(&layout.split(item, &mut KeyScratch::default())?),
            },
        }
    }

    #[inline(never)]
    fn put_split(&self, item: &SplitItem<'_>) -> Result<()> {
        let mut rest = RestOfItem::new();
        let body = item.rest_in(&mut rest);
        item::check_size(&item.key, ItemRef::new(body))?;
        self.put_checked(&item.key, body)
    }

    #[inline(always)]
    fn put_checked(&self, &key: &KeyRef<'_>, body: &[u8]) -> Result<()> {
        if !self.engine().writes_are_watched() {
            let growth = || self.growth(std::iter::once(Record::footprint_of(key, body)), 0);
            let reserve = || self.reserve_bytes(growth());
            let _reserved = self.engine().is_limited().then(reserve).transpose()?;
            if self.engine().put_unwatched(key, body)? {
                return Ok(());
            }
        }
        self.write_prepared(&Prepared::plain(key.into(), PreparedAction::Put(body.into()))).map(drop)
    }

    /// The item of a partition key alone, copied out.
    ///
    /// # Errors
    /// [`Error::Invalid`] and [`Error::Limit`] for a key that cannot be; [`Error::Poisoned`].
    pub fn get(&self, pk: &[u8]) -> Result<Option<Item>> {
        self.get_with_sk(pk, &[])
    }

    /// The item of a partition key and a sort key, copied out.
    ///
    /// # Errors
    /// As [`Table::get`].
    pub fn get_with_sk(&self, pk: &[u8], sk: &[u8]) -> Result<Option<Item>> {
        Ok(self.get_record(pk, sk)?.map(|record| record.item().to_item()))
    }

    /// The item of a key, shared: no bytes are copied. It stays good whatever happens to the database.
    ///
    /// # Errors
    /// As [`Table::get`].
    #[inline(always)]
    pub fn get_record(&self, pk: &[u8], sk: &[u8]) -> Result<Option<Record>> {
        self.look(pk, sk, Record::clone)
    }

    /// The item that this table has under the key of another table's item. The two have keys of the same names and types.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn get_record_of(&self, item: &Record) -> Result<Option<Record>> {
        self.get_by_key(item.key_ref())
    }

    /// As [`Table::get_record`], of a key of this table.
    pub(crate) fn get_by_key(&self, key: KeyRef<'_>) -> Result<Option<Record>> {
        Ok(self.engine().look(key, |record| self.is_hidden(record), Record::clone)?)
    }

    /// Shows the item of a key to `take`, as [`Table::look`] does for twice the instructions, where nothing is unusual about
    /// key, item and database: most look-ups. What is unclear, as it is where `take` says that it could not do it all, is
    /// for [`Table::look`].
    #[inline(always)]
    pub fn glance(&self, pk: &[u8], sk: &[u8], take: impl FnOnce(RecordRef<'_>) -> bool) -> Glance {
        self.engine().glance(pk, sk, take)
    }

    /// Shows the item of a key to `take`, which should be short and must not use the database: writers of the item's
    /// stripe wait for it.
    ///
    /// # Errors
    /// As [`Table::get`].
    #[inline(always)]
    pub fn look<T>(&self, pk: &[u8], sk: &[u8], take: impl FnOnce(&Record) -> T) -> Result<Option<T>> {
        match self.keys() {
            None => Ok(self.engine().look(KeyRef::new(pk, sk)?, |record| self.is_hidden(record), take)?),
            Some(layout) => self.look_under(layout, (pk, sk), take),
        }
    }

    /// [`Table::look`] in a typed table.
    #[inline(never)]
    fn look_under<T>(
        &self,
        layout: &'static InternedLayout,
        (pk, sk): (&[u8], &[u8]),
        take: impl FnOnce(&Record) -> T,
    ) -> Result<Option<T>> {
        let key = TableKey::of_bytes(Some(layout), pk, sk)?;
        Ok(self.engine().look(key.get(), |record| self.is_hidden(record), take)?)
    }

    /// Whether no request sees the item. Clones no table, since the count of those who hold it is a cache line that all
    /// threads share.
    pub(crate) fn is_hidden(&self, record: &Record) -> bool {
        let table = self.shared.state.read();
        let hides = |expires_at| has_passed(expires_at, self.shared.environment.clock.now_epoch_seconds());
        table.hides_expired() && table.expires_at(record.item()).is_some_and(hides)
    }

    /// Removes the item of a partition key alone. Removing what is not there is no error.
    ///
    /// # Errors
    /// As [`Table::get`].
    pub fn delete(&self, pk: &[u8]) -> Result<()> {
        self.delete_with_sk(pk, &[])
    }

    /// Removes the item of a partition key and a sort key.
    ///
    /// # Errors
    /// As [`Table::get`].
    pub fn delete_with_sk(&self, pk: &[u8], sk: &[u8]) -> Result<()> {
        let Some(layout) = self.keys() else { return self.delete_key(KeyRef::new(pk, sk)?) };
        self.delete_key(TableKey::of_bytes(Some(layout), pk, sk)?.get())
    }

    #[inline]
    fn delete_key(&self, key: KeyRef<'_>) -> Result<()> {
        if self.engine().delete_unwatched(key)? {
            return self.keep_to_limit(|| std::iter::once(key.stripe()));
        }
        self.write_prepared(&Prepared::plain(key.into(), PreparedAction::Delete)).map(drop)
    }

    /// Decides and writes as one under the locks of all `keys`; see
    /// [`Engine::commit`](kstone_core::engine::Engine::commit).
    ///
    /// # Errors
    /// As there.
    pub fn commit_with<T>(
        &self,
        keys: &[KeyRef<'_>],
        decide: impl FnOnce(&Present<'_>) -> Result<(Vec<Record>, T)>,
    ) -> Result<T> {
        self.engine().commit(keys, decide)
    }

    /// Makes an SST of every memtable. Never needed; for tests and measurements.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn flush(&self) -> Result<()> {
        Ok(self.engine().flush()?)
    }

    /// Removes what has expired, merges every stripe into one SST and frees what deleted and overwritten items and
    /// dropped indexes held.
    /// Never needed.
    ///
    /// # Errors
    /// [`Error::Interrupted`], as [`Table::purge_expired`]; [`Error::Poisoned`].
    pub fn compact(&self) -> Result<()> {
        let table = self.state();
        if table.ttl.is_some() {
            self.purge_expired()?;
        }
        self.release_all(&table)?;
        Ok(self.engine().compact()?)
    }

    /// Removes every item, as one: no reader sees a part of it. The stream drops all that was noted until then; a
    /// reader that goes on with it is told so by [`Error::Trimmed`].
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn clear(&self) -> Result<()> {
        let clear = |locked: &mut Exclusive<'_>| {
            let of_stream = self.state().stream.as_deref().map(Stream::clear);
            locked.clear();
            of_stream
        };
        Ok(self.engine().exclusive(clear).map(drop)?)
    }

    /// How many items there are, expired ones that were not removed yet included.
    ///
    /// # Errors
    /// As [`Table::stats`].
    pub fn count(&self) -> Result<u64> {
        Ok(self.engine().count()?)
    }

    /// One number of [`Table::stats`].
    ///
    /// # Errors
    /// As there.
    pub fn stat(&self, statistic: Statistic) -> Result<u64> {
        self.stats().map(|stats| stats.get(statistic))
    }

    /// How many records were written so far, deletions and index entries included: as long as it stays, no item has
    /// changed. A fork goes on from the number of the original. Costs a look at each of 256 stripes, as
    /// [`Table::stats`] does.
    ///
    /// ```
    /// use kstone_api::{Database, Item};
    /// let db = Database::create_in_memory()?;
    /// db.put(b"a", Item::new())?;
    /// let before = db.writes();
    /// db.get(b"a")?;
    /// assert_eq!(db.writes(), before);
    /// db.put(b"b", Item::new())?;
    /// assert!(db.writes() > before);
    /// # Ok::<(), kstone_api::Error>(())
    /// ```
    pub fn writes(&self) -> u64 {
        self.engine().writes()
    }

    /// What is held and was done. Costs a look at the numbers of each of 256 stripes, which are locked (shared)
    /// meanwhile.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn stats(&self) -> Result<Stats> {
        let stream = self.state().stream.as_deref().map(Stream::stats);
        Ok(Stats::new(self.engine().stats()?, stream, self.apart_bytes()))
    }
}
