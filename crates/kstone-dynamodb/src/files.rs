//! Buckets that are folders: what ExportTableToPointInTime writes and ImportTable reads.
//!
//! ```text
//! files_root/BUCKET/PREFIX/AWSDynamoDB/EXPORT-ID/ …          a key of an object is its path below the bucket
//! ```
//! A key never leads out of its bucket: parts that are `.`, `..` or empty are refused, and what is no folder and no file, a
//! link above all, is not there. The bucket itself may be a link.
//!
//! Thread safety: plain functions; each export has a folder of its own.

pub(crate) mod export_tree;
pub(crate) mod ion;
pub(crate) mod ion_text;
pub(crate) mod source;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use md5::{Digest, Md5};

/// A bucket, which may not be there.
pub(crate) struct Bucket {
    folder: PathBuf,
}

impl Bucket {
    /// The bucket of this name, whose characters the request's shape has checked.
    pub(crate) fn of(root: &Path, name: &str) -> Self {
        Self { folder: root.join(name) }
    }

    /// Whether there is such a bucket.
    pub(crate) fn is_there(&self) -> bool {
        self.folder.is_dir()
    }

    /// Where the object of a key is; none for a key that is no path below the bucket.
    pub(crate) fn path(&self, key: &str) -> Option<PathBuf> {
        let is_part = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', '\0', ':']);
        let mut path = self.folder.clone();
        for part in key.split('/') {
            path.push(part);
            if !is_part(part) || path.is_symlink() {
                return None;
            }
        }
        Some(path)
    }

    /// The keys that begin with a prefix, in their order, and where their objects are.
    pub(crate) fn objects(&self, prefix: &str) -> io::Result<Vec<(String, PathBuf)>> {
        let mut found = Vec::new();
        let mut folders = vec![(String::new(), self.folder.clone())];
        while let Some((above, folder)) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                let key = format!("{above}{}", entry.file_name().to_string_lossy());
                let kind = entry.file_type()?;
                if kind.is_dir() {
                    let below = format!("{key}/");
                    // Only folders that the prefix leads to, or that lie below it.
                    if below.starts_with(prefix) || prefix.starts_with(&below) {
                        folders.push((below, entry.path()));
                    }
                } else if kind.is_file() && key.starts_with(prefix) {
                    found.push((key, entry.path()));
                }
            }
        }
        found.sort();
        Ok(found)
    }
}

/// The MD5 of bytes, in Base64, as manifests have it.
pub(crate) fn md5_base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(Md5::digest(bytes))
}

/// The MD5 of bytes, in hexadecimal digits, as ETags have it.
pub(crate) fn md5_hex(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_do_not_lead_out_of_their_bucket() {
        let bucket = Bucket::of(Path::new("/root"), "bucket");
        assert_eq!(bucket.path("a/b.json"), Some(PathBuf::from("/root/bucket/a/b.json")));
        for key in ["", "/a", "a/", "a//b", "..", "a/../b", "./a", "a\\..\\b", "a\0"] {
            assert_eq!(bucket.path(key), None, "{key:?}");
        }
    }

    #[test]
    fn checksums_are_those_of_the_rfc() {
        assert_eq!(md5_hex(b"message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
        assert_eq!(md5_base64(b""), "1B2M2Y8AsgTpgAmY7PhCfg==");
    }
}
