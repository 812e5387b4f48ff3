//! The tree of an export, as AWS writes it (facts 5.1; AWS's developer guide, "DynamoDB table export output format").
//!
//! ```text
//! PREFIX/AWSDynamoDB/EXPORT-ID/
//!   _started
//!   data/NAME.json.gz                               lines, each an item or a change
//!   manifest-files.json    manifest-files.checksum      a line for each file of data
//!   manifest-summary.json  manifest-summary.checksum    written last: where it is the export is whole
//! ```

use std::fs;
use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::{Bucket, md5_base64, md5_hex};

/// A file of data ends where it has so many bytes before they are compressed.
const FILE_BYTES: usize = 64 << 20;

/// An export that is being written.
pub(crate) struct ExportTree<'b> {
    bucket: &'b Bucket,
    /// The key of its folder, with a slash behind it.
    folder: String,
    extension: &'static str,
    lines: GzEncoder<Vec<u8>>,
    lines_bytes: usize,
    lines_items: u64,
    /// The manifest of files.
    files: String,
    pub(crate) items: u64,
    pub(crate) bytes: u64,
}

impl<'b> ExportTree<'b> {
    /// Begins an export in a folder of its own.
    pub(crate) fn begin(bucket: &'b Bucket, folder: String, is_ion: bool) -> io::Result<Self> {
        let extension = if is_ion { "ion.gz" } else { "json.gz" };
        let tree = Self {
            bucket,
            folder,
            extension,
            lines: encoder(),
            lines_bytes: 0,
            lines_items: 0,
            files: String::new(),
            items: 0,
            bytes: 0,
        };
        tree.write("_started", b"")?;
        Ok(tree)
    }

    /// Adds an item, or a change of one.
    pub(crate) fn line(&mut self, line: &str) -> io::Result<()> {
        self.lines.write_all(line.as_bytes())?;
        self.lines.write_all(b"\n")?;
        self.lines_bytes += line.len() + 1;
        self.bytes += line.len() as u64 + 1;
        self.lines_items += 1;
        self.items += 1;
        if self.lines_bytes >= FILE_BYTES { self.end_file() } else { Ok(()) }
    }

    fn end_file(&mut self) -> io::Result<()> {
        let bytes = std::mem::replace(&mut self.lines, encoder()).finish()?;
        let name = format!("data/{:026x}.{}", crate::checksum::random().u128(..) >> 24, self.extension);
        self.write(&name, &bytes)?;
        let line = json!({
            "itemCount": self.lines_items,
            "md5Checksum": md5_base64(&bytes),
            "etag": format!("{}-1", md5_hex(&bytes)),
            "dataFileS3Key": format!("{}{name}", self.folder),
        });
        self.files.push_str(&format!("{line}\n"));
        (self.lines_bytes, self.lines_items) = (0, 0);
        Ok(())
    }

    /// Writes the manifests; the key of the summary. `summary` is what it says besides what is counted here.
    pub(crate) fn end(mut self, mut summary: serde_json::Map<String, serde_json::Value>) -> io::Result<Ended> {
        if self.lines_items > 0 || self.files.is_empty() {
            self.end_file()?;
        }
        let files = std::mem::take(&mut self.files);
        self.write_checked("manifest-files", files.as_bytes())?;
        summary.insert("manifestFilesS3Key".to_owned(), json!(format!("{}manifest-files.json", self.folder)));
        summary.insert("billedSizeBytes".to_owned(), json!(self.bytes));
        summary.insert("itemCount".to_owned(), json!(self.items));
        let summary = serde_json::Value::Object(summary).to_string();
        self.write_checked("manifest-summary", summary.as_bytes())?;
        let manifest = format!("{}manifest-summary.json", self.folder);
        Ok(Ended { manifest, items: self.items, bytes: self.bytes })
    }

    fn write_checked(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.write(&format!("{name}.checksum"), md5_base64(bytes).as_bytes())?;
        self.write(&format!("{name}.json"), bytes)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.bucket.path(&format!("{}{name}", self.folder));
        let path = path.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a prefix that is no path"))?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, bytes)
    }
}

/// What became of an export.
pub(crate) struct Ended {
    pub(crate) manifest: String,
    pub(crate) items: u64,
    pub(crate) bytes: u64,
}

fn encoder() -> GzEncoder<Vec<u8>> {
    GzEncoder::new(Vec::new(), Compression::default())
}
