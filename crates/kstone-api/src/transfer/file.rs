//! Writing a file so that a crash at any moment leaves the old one or the new one.
//!
//! ```text
//! DIRECTORY/.kstone-*.tmp  ─► written ─► fsync ─► rename over TARGET ─► fsync of DIRECTORY
//!             └─ removed where anything fails; left behind where the process is killed
//! ```
//! The permissions of a file that is replaced stay. The temporary file is its owner's alone until they are set, just
//! before the rename: a private file is never readable under another name. A file that is new gets what the umask leaves.
//!
//! Thread safety: each call has a temporary file of its own; of two that write one target at once the later wins.

use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Reason, Result};

/// A path, as errors name it.
pub(crate) fn name_of(path: &Path) -> String {
    path.display().to_string()
}

/// Opens a file for reading.
pub(crate) fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|error| Error::io("read", &name_of(path), error))
}

/// Makes what `write` writes the whole of the file `path`, with the permissions of the file that was there, if there was
/// one, and through a symbolic link.
///
/// # Errors
/// [`Error::Invalid`] for a path that is something else than a file; [`Error::Io`]; what `write` returns. The file is
/// then as it was; only where the directory cannot be synced at the very end may it be the new one.
pub(crate) fn replace<T>(path: &Path, write: impl FnOnce(&mut BufWriter<&File>) -> Result<T>) -> Result<T> {
    let name = name_of(path);
    let failed = |error: io::Error| Error::io("write", &name, error);
    let target = target_of(path).map_err(failed)?;
    let present = match fs::metadata(&target) {
        Ok(present) => Some(present),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed(error)),
    };
    if present.as_ref().is_some_and(|present| !present.is_file()) {
        return Err(Error::from(Reason::NoFile { name: name.into() }));
    }
    let directory = directory_of(&target);
    let temporary = Temporary::in_directory(&directory, present.is_some()).map_err(failed)?;
    let mut out = BufWriter::new(&temporary.file);
    let outcome = write(&mut out)?;
    out.flush().map_err(failed)?;
    drop(out);
    if let Some(present) = present {
        temporary.file.set_permissions(present.permissions()).map_err(failed)?;
    }
    temporary.file.sync_all().map_err(failed)?;
    temporary.rename(&target).map_err(failed)?;
    sync_directory(&directory).map_err(failed)?;
    Ok(outcome)
}

/// The file that a link leads to, also where there is none yet: that is meant, not the link.
fn target_of(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_owned();
    loop {
        match fs::canonicalize(&target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            found => return found,
        }
        // A link that leads round in a circle is another error than that nothing is there, so this comes to an end.
        match fs::read_link(&target) {
            Ok(leads_to) => target = directory_of(&target).join(leads_to),
            // Nothing is there; or no link is, by now.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidInput) => {
                return Ok(target);
            }
            Err(error) => return Err(error),
        }
    }
}

fn directory_of(target: &Path) -> PathBuf {
    match target.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// A new file, removed when it is dropped.
///
/// The `tempfile` crate does this, too, but asks for the current thread on its way, and memory checkers take what Rust
/// remembers of a thread that C began for a leak of the C program.
struct Temporary {
    path: PathBuf,
    file: File,
    renamed: bool,
}

impl Temporary {
    /// A new file under a name that no other file has: its owner's alone where it is `private`, otherwise with the
    /// permissions that the umask leaves it.
    fn in_directory(directory: &Path, private: bool) -> io::Result<Self> {
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, if private { 0o600 } else { 0o666 });
        loop {
            let random = RandomState::new().hash_one(std::process::id());
            let path = directory.join(format!(".kstone-{random:016x}.tmp"));
            match options.open(&path) {
                Ok(file) => return Ok(Self { path, file, renamed: false }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn rename(mut self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)?;
        self.renamed = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.renamed {
            // What made it useless is reported already; that it stays is what a crash would leave, too.
            drop(fs::remove_file(&self.path));
        }
    }
}

/// Makes the rename last. Only Unix has files for directories.
fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// The file's permissions before it is replaced, while the new one is written, and afterwards. Saves and exports
    /// both write through [`replace`].
    #[test]
    fn what_replaces_a_file_is_private_until_it_has_that_files_permissions() -> Result<()> {
        let directory = tempfile::tempdir().expect("made");
        let path = directory.path().join("file");
        let mode = |file: &File| file.metadata().expect("there").permissions().mode() & 0o777;
        let replaced = || {
            let while_written = replace(&path, |out| Ok(mode(out.get_ref())))?;
            Ok::<_, Error>((while_written, mode(&File::open(&path).expect("there"))))
        };
        let umask_leaves = mode(&File::create(directory.path().join("other")).expect("made"));
        assert_eq!(replaced()?, (umask_leaves, umask_leaves), "a new file");
        for permissions in [0o600, 0o640, 0o644, 0o755, 0o400] {
            fs::set_permissions(&path, PermissionsExt::from_mode(permissions)).expect("set");
            assert_eq!(replaced()?, (0o600, permissions));
        }
        Ok(())
    }
}
