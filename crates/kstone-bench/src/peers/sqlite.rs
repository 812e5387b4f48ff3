//! SQLite `:memory:` through rusqlite: a B-tree table without row ids, prepared statements.
//!
//! In its favour: one transaction for a whole workload. A commit costs it more the larger the database is. A connection
//! is one thread's, so it has no part in the workloads of several threads.

use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{CachedStatement, Connection};

use crate::data::{FILTERED, Key, Partition, Shape, Value};
use crate::snapshots::Saved;
use crate::store::{Result, Session, Store, Tally, Work};
use crate::workload::Workload;

mod documents;

/// A connection to a database of one table.
pub(crate) struct Sqlite {
    connection: Connection,
    shape: Shape,
}

impl Store for Sqlite {
    const ORDERED: bool = true;
    const ATOMIC: bool = true;
    const EXTRA: &'static [Workload] = &[Workload::ScanFirst, Workload::Count, Workload::CountSmall];

    fn open(_records: usize, shape: Shape) -> Result<Self> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
             CREATE TABLE t (pk BLOB NOT NULL, sk BLOB NOT NULL, value TEXT NOT NULL, PRIMARY KEY (pk, sk)) WITHOUT ROWID",
        )?;
        Ok(Self { connection, shape })
    }

    fn run(&mut self, work: &Work<'_>) -> Tally {
        let prepare = |sql| self.connection.prepare_cached(sql).expect("the statement is right");
        let mut session = Statements {
            pk_bytes: if self.shape == Shape::Points { 16 } else { 8 },
            put: prepare("INSERT OR REPLACE INTO t (pk, sk, value) VALUES (?, ?, ?)"),
            get: prepare("SELECT value FROM t WHERE pk = ? AND sk = ?"),
            delete: prepare("DELETE FROM t WHERE pk = ? AND sk = ?"),
            scan: prepare("SELECT value FROM t"),
            update: prepare("UPDATE t SET value = 'x' || substr(value, 2) WHERE pk = ? AND sk = ?"),
            scan_first: prepare("SELECT value FROM t LIMIT ?"),
            count: prepare("SELECT count(*) FROM t"),
            filter: prepare("SELECT value FROM t WHERE substr(value, 1, 1) = ?"),
            query: prepare("SELECT value FROM t WHERE pk = ? ORDER BY sk"),
            last: prepare("SELECT value FROM t WHERE pk = ? ORDER BY sk DESC LIMIT 1"),
        };
        prepare("BEGIN").execute(()).expect("there is no transaction yet");
        let tally = work.perform(&mut session);
        prepare("COMMIT").execute(()).expect("there is a transaction");
        tally
    }
}

impl Saved for Sqlite {
    fn save(&self, path: &Path) -> Result<()> {
        let mut file = Connection::open(path)?;
        copy(&self.connection, &mut file)?;
        file.close().map_err(|(_, error)| error.into())
    }

    fn read(path: &Path) -> Result<Self> {
        let mut connection = Connection::open_in_memory()?;
        copy(&Connection::open(path)?, &mut connection)?;
        Ok(Self { connection, shape: Shape::Points })
    }
}

/// All pages in one step.
fn copy(from: &Connection, to: &mut Connection) -> Result<()> {
    match Backup::new(from, to)?.step(-1)? {
        StepResult::Done => Ok(()),
        other => Err(format!("the backup is not done: {other:?}").into()),
    }
}

struct Statements<'a> {
    pk_bytes: usize,
    put: CachedStatement<'a>,
    get: CachedStatement<'a>,
    delete: CachedStatement<'a>,
    scan: CachedStatement<'a>,
    update: CachedStatement<'a>,
    filter: CachedStatement<'a>,
    scan_first: CachedStatement<'a>,
    count: CachedStatement<'a>,
    query: CachedStatement<'a>,
    last: CachedStatement<'a>,
}

impl Session for Statements<'_> {
    fn put(&mut self, key: &Key, value: &Value) {
        let (pk, sk) = key.split_at(self.pk_bytes);
        let value = str::from_utf8(value).expect("values are text");
        self.put.execute((pk, sk, value)).expect("memory does not run out");
    }

    fn get(&mut self, key: &Key, out: &mut Value) -> bool {
        let (pk, sk) = key.split_at(self.pk_bytes);
        let mut rows = self.get.query((pk, sk)).expect("the statement is right");
        let row = rows.next().expect("the database is sound");
        row.map(|row| out.copy_from_slice(value_in(row))).is_some()
    }

    fn delete(&mut self, key: &Key) {
        let (pk, sk) = key.split_at(self.pk_bytes);
        self.delete.execute((pk, sk)).expect("memory does not run out");
    }

    fn scan(&mut self, visit: impl FnMut(&[u8])) {
        visit_rows(self.scan.query(()), visit);
    }

    fn scan_first(&mut self, items: usize, visit: impl FnMut(&[u8])) {
        visit_rows(self.scan_first.query((i64::try_from(items).expect("a scan is short"),)), visit);
    }

    fn count(&mut self) -> u64 {
        let count: i64 = self.count.query_one((), |row| row.get(0)).expect("the database is sound");
        count.unsigned_abs()
    }

    fn update(&mut self, key: &Key) {
        let (pk, sk) = key.split_at(self.pk_bytes);
        let changed = self.update.execute((pk, sk)).expect("memory does not run out");
        assert_eq!(changed, 1, "the key is present");
    }

    fn filter(&mut self, visit: impl FnMut(&[u8])) {
        visit_rows(self.filter.query((FILTERED,)), visit);
    }

    fn query(&mut self, partition: Partition, visit: impl FnMut(&[u8])) {
        visit_rows(self.query.query((&partition,)), visit);
    }

    fn last(&mut self, partition: Partition, visit: impl FnMut(&[u8])) {
        visit_rows(self.last.query((&partition,)), visit);
    }
}

fn value_in<'a>(row: &'a rusqlite::Row<'_>) -> &'a [u8] {
    row.get_ref(0).expect("there is one column").as_bytes().expect("it is text")
}

fn visit_rows(rows: rusqlite::Result<rusqlite::Rows<'_>>, mut visit: impl FnMut(&[u8])) {
    let mut rows = rows.expect("the statement is right");
    while let Some(row) = rows.next().expect("the database is sound") {
        visit(value_in(row));
    }
}
