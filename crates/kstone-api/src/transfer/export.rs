//! Exports: every item as a line of JSON, in the form of DynamoDB's table exports.
//!
//! ```text
//! {"Item":{"pk":{"S":"customer#1"},"sk":{"S":"order#7"},"total":{"N":"12.5"}}}
//! ```
//!
//! The key comes first, as the attributes `pk` and `sk` (S where its bytes are UTF-8, B otherwise; no `sk` where there
//! is no sort key), then the attributes of the item in the order of their names. Equal databases have equal exports,
//! down to the byte. DynamoDB's import from S3 takes such lines, and so do the tools around it.
//!
//! Source: the Developer Guide, "DynamoDB table export output format", for DynamoDB JSON.
//!
//! Thread safety: any thread, at any time.

use std::io::{BufWriter, Write};
use std::path::Path;

#[cfg(doc)]
use crate::ImportOptions;
use crate::error::{Error, Result};

use crate::model::json::write_line;
use crate::table::Table;
use crate::transfer::file;
use crate::transfer::view_pages::Pages;

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
        let (table, view) = self.view_with_table()?;
        let now = self.now_for(&table);
        let mut exported = 0;
        let mut line = String::new();
        for page in Pages::of(&view) {
            self.check_interrupt()?;
            for record in page.iter().filter(|record| !table.is_hidden(record, now)) {
                line.clear();
                write_line(&mut line, record.pk(), record.sk(), record.item());
                out.write_all(line.as_bytes()).map_err(|error| Error::io("write", name, error))?;
                exported += 1;
            }
        }
        Ok(exported)
    }
}
