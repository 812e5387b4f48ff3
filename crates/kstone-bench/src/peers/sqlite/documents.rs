//! SQLite's documents: a table with a column for each attribute, prepared statements, one transaction for a workload.
//!
//! In its favour: documents lie in a table with row ids, whose rows stay on their page as whole records up to 4 KB, and
//! the key is a second index that scans never touch.

use std::hint::black_box;

use rusqlite::{Connection, params_from_iter};

use super::Sqlite;
use crate::data::{Key, Shape, value_of};
use crate::documents::{ATTRIBUTES, Documents, FILTERED, Filter, INDEXED, index_key, text, text_of};
use crate::store::Result;

fn open(table: &str) -> Result<Sqlite> {
    let connection = Connection::open_in_memory()?;
    connection.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")?;
    connection.execute_batch(table)?;
    Ok(Sqlite { connection, shape: Shape::Points })
}

fn columns(texts: impl Iterator<Item = String>) -> String {
    texts.collect::<Vec<String>>().join(", ")
}

impl Sqlite {
    fn batch(&self, statements: &str) {
        self.connection.execute_batch(statements).expect("the statement is right");
    }
}

impl Documents for Sqlite {
    fn open_documents() -> Result<Self> {
        let columns = columns((0..ATTRIBUTES).map(|i| format!("a{i:02} TEXT NOT NULL")));
        open(&format!("CREATE TABLE d (pk BLOB NOT NULL PRIMARY KEY, {columns})"))
    }

    fn put_documents(&mut self, keys: &[Key]) {
        let places = columns((0..ATTRIBUTES).map(|_| "?".into()));
        let insert = format!("INSERT INTO d VALUES (?, {places})");
        self.batch("BEGIN");
        let mut insert = self.connection.prepare(&insert).expect("the statement is right");
        for key in keys {
            insert.raw_bind_parameter(1, &key[..]).expect("there is such a parameter");
            for i in 0..ATTRIBUTES {
                insert.raw_bind_parameter(i + 2, text(key, i)).expect("there is such a parameter");
            }
            insert.raw_execute().expect("memory does not run out");
        }
        drop(insert);
        self.batch("COMMIT");
    }

    fn filter(&mut self, filter: Filter) -> usize {
        let name = format!("a{FILTERED:02}");
        let condition = match filter {
            Filter::Equal => format!("{name} = ?1"),
            Filter::Or => format!("{name} = ?1 OR {name} = ?2"),
            Filter::In => format!("{name} IN (?1, ?2, ?3, ?4, ?5, ?6)"),
        };
        let select = format!("SELECT {name} FROM d WHERE {condition}");
        let mut select = self.connection.prepare_cached(&select).expect("the statement is right");
        let mut rows =
            select.query(params_from_iter((0..filter.values()).map(text_of))).expect("the statement is right");
        let mut seen = 0;
        while let Some(row) = rows.next().expect("the database is sound") {
            black_box(super::value_in(row).first());
            seen += 1;
        }
        seen
    }

    fn build_index(&mut self) {
        self.batch(&format!("CREATE INDEX by_attribute ON d (a{INDEXED:02})"));
    }

    fn drop_index(&mut self) {
        self.batch("DROP INDEX by_attribute");
    }

    fn open_indexed(indexes: usize) -> Result<Self> {
        let columns = "pk BLOB NOT NULL PRIMARY KEY, e1 TEXT, e2 TEXT, e3 TEXT, value TEXT NOT NULL";
        let sqlite = open(&format!("CREATE TABLE r ({columns}) WITHOUT ROWID"))?;
        (1..=indexes).for_each(|i| sqlite.batch(&format!("CREATE INDEX by_e{i} ON r (e{i})")));
        Ok(sqlite)
    }

    fn put_indexed(&mut self, keys: &[Key]) {
        self.batch("BEGIN");
        let mut insert = self
            .connection
            .prepare("INSERT OR REPLACE INTO r (pk, e1, e2, e3, value) VALUES (?, ?, ?, ?, ?)")
            .expect("the statement is right");
        for key in keys {
            let letters: [[u8; 10]; 3] = std::array::from_fn(|i| index_key(key, i));
            let text = |bytes| str::from_utf8(bytes).expect("letters are text");
            let [e1, e2, e3] = letters.each_ref().map(|letters| text(letters));
            insert.execute((&key[..], e1, e2, e3, text(value_of(key)))).expect("memory does not run out");
        }
        drop(insert);
        self.batch("COMMIT");
    }
}
