//! Exports: every item as a line of JSON, in the form of DynamoDB's table exports.
//!
//! ```text
//! {"Item":{"pk":{"S":"customer#1"},"sk":{"S":"order#7"},"total":{"N":"12.5"}}}
//! ```
//!
//! The key comes first, of an untyped table as the attributes `pk` and `sk` (S where its bytes are UTF-8, B otherwise; no
//! `sk` where there is no sort key), then the attributes of the item in the order of their names. Equal databases have equal exports,
//! down to the byte. DynamoDB's import from S3 takes such lines, and so do the tools around it.
//!
//! Source: the Developer Guide, "DynamoDB table export output format", for DynamoDB JSON.
//!
//! Thread safety: any thread, at any time.

use std::io::{BufWriter, Write};
use std::path::Path;

#[cfg(doc)]
use crate::ImportOptions;
use kstone_core::engine::PointInTimeView;

use crate::account::Account;
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::model::json::write_line;
use crate::table::Table;
use crate::table::pager::Pager;
use crate::table::state::TableState;
use crate::transfer::file;

impl Table {
    /// Writes every item as a line of JSON, as the database is at one moment; how many. Items that have expired are
    /// left out where reads do not show them. [`ImportOptions`] tells what comes back.
    ///
    /// Costs a pass over the items; memory for a page of 1 MiB and a line, and, until the call returns, for what is
    /// overwritten meanwhile. Writers wait for the moment of the view alone.
    ///
    /// # Errors
    /// [`Error::Io`] where `out` refuses; [`Error::Interrupted`]; [`Error::Poisoned`].
    ///
    /// ```
    /// use kstone_api::{Database, ItemBuilder};
    /// let db = Database::create_in_memory()?;
    /// db.put_with_sk(b"customer#1", b"order#7", ItemBuilder::new().number("total", 12.5).build())?;
    /// let mut lines = Vec::new();
    /// db.export_json(&mut lines)?;
    /// let expected = r#"{"Item":{"pk":{"S":"customer#1"},"sk":{"S":"order#7"},"total":{"N":"12.5"}}}"#;
    /// assert_eq!(lines, format!("{expected}\n").into_bytes());
    /// # Ok::<(), kstone_api::Error>(())
    /// ```
    pub fn export_json(&self, out: impl Write) -> Result<u64> {
        let mut out = BufWriter::new(out);
        let exported = self.export_to(&mut out, "the output")?;
        out.flush().map_err(|error| Error::io("write", "the output", error))?;
        Ok(exported)
    }

    /// As [`Table::export_json`], to a file in the place of one that is there, as safely as
    /// [`Table::save_snapshot`].
    ///
    /// # Errors
    /// As there.
    pub fn export_json_file(&self, path: impl AsRef<Path>) -> Result<u64> {
        let path = path.as_ref();
        file::replace(path, |out| self.export_to(out, &file::name_of(path)))
    }

    fn export_to(&self, out: &mut impl Write, name: &str) -> Result<u64> {
        let (state, view) = self.view_with_table()?;
        let now = self.now_for(&state);
        write_items((&state, &view), now, out, name, self.interrupt.as_ref())
    }
}

impl Account {
    /// As [`Table::export_json`] for every table, all of them as they are at one moment: to what `output` gives for each
    /// table's name, in the order of the names; how many items in all.
    ///
    /// ```
    /// use kstone_api::{Account, ItemBuilder, KeyType, TableSchema};
    /// let account = Account::create_in_memory();
    /// let users = account.create_table(TableSchema::new().name("users").partition_key("id", KeyType::S))?;
    /// users.put_item(ItemBuilder::new().string("id", "ann").build())?;
    /// let mut tables = Vec::new();
    /// let items = account.export_json(|table| {
    ///     tables.push(table.to_owned());
    ///     Ok(std::io::sink())
    /// })?;
    /// assert_eq!((items, tables), (1, vec!["users".to_owned()]));
    /// # Ok::<(), kstone_api::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Table::export_json`]; what `output` returns.
    pub fn export_json<W: Write>(&self, mut output: impl FnMut(&str) -> Result<W>) -> Result<u64> {
        self.export_each(|name, write| {
            let mut out = BufWriter::new(output(name)?);
            let exported = write(&mut out, name)?;
            out.flush().map_err(|error| Error::io("write", name, error))?;
            Ok(exported)
        })
    }

    /// As [`Account::export_json`], to a file `<table>.jsonl` for each table in a folder that is there, each as safely as
    /// [`Table::export_json_file`]: one that was there is the old one or the new one, whole. A failure leaves the files
    /// that were written before it.
    ///
    /// # Errors
    /// As there.
    pub fn export_json_files(&self, folder: impl AsRef<Path>) -> Result<u64> {
        self.export_each(|name, write| {
            let path = folder.as_ref().join(format!("{name}.jsonl"));
            file::replace(&path, |out| write(out, &file::name_of(&path)))
        })
    }

    /// Has each table written, by a function that takes where to, and what errors call that.
    fn export_each(
        &self,
        mut export: impl FnMut(&str, &mut dyn FnMut(&mut dyn Write, &str) -> Result<u64>) -> Result<u64>,
    ) -> Result<u64> {
        let mut exported = 0;
        for table in self.view()?.tables() {
            let mut write = |mut out: &mut dyn Write, name: &str| table.export_to(&mut out, name);
            exported += export(table.name(), &mut write)?;
        }
        Ok(exported)
    }
}

/// Writes the items of a table at one moment that reads show.
pub(crate) fn write_items(
    (state, view): (&TableState, &PointInTimeView),
    now: i64,
    out: &mut impl Write,
    name: &str,
    interrupt: Option<&Interrupt>,
) -> Result<u64> {
    let mut exported = 0;
    let mut line = String::new();
    for page in Pager::of_view(view, interrupt) {
        for record in page?.iter().filter(|record| !state.is_hidden(record, now)) {
            line.clear();
            write_line(&mut line, record);
            out.write_all(line.as_bytes()).map_err(|error| Error::io("write", name, error))?;
            exported += 1;
        }
    }
    Ok(exported)
}
