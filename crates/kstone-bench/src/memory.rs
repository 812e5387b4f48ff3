//! How much memory this process holds, counted in one way for all systems.
//!
//! The measure is private resident memory: what the process has touched and shares with nobody. What a store keeps in
//! files on a RAM disk is not in it (mapped or not, those pages are shared) and is added by the store itself, see
//! [`disk_blocks`]. So memory that a store has freed but its allocator has not given back counts, as it does for
//! the program that runs it.

use std::io;
use std::path::Path;

/// Private resident bytes of this process.
pub(crate) fn private_resident() -> io::Result<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm")?;
    let pages = private_pages(&statm).ok_or_else(|| io::Error::other("/proc/self/statm is not as expected"))?;
    Ok(pages * page_bytes())
}

/// Resident pages less shared ones: the second field less the third.
fn private_pages(statm: &str) -> Option<u64> {
    let mut fields = statm.split_whitespace().map(str::parse::<u64>);
    let _virtual = fields.next()?.ok()?;
    let resident = fields.next()?.ok()?;
    let shared = fields.next()?.ok()?;
    resident.checked_sub(shared)
}

#[expect(unsafe_code, reason = "the page size is had from libc alone")]
fn page_bytes() -> u64 {
    // SAFETY: sysconf takes no pointers.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u64::try_from(bytes).expect("every system has a page size")
}

/// The bytes that the files of a directory take on their (RAM) disk; holes in them count nothing.
pub(crate) fn disk_blocks(directory: &Path) -> io::Result<u64> {
    use std::os::unix::fs::MetadataExt;
    let mut blocks = 0;
    for entry in std::fs::read_dir(directory)? {
        blocks += entry?.metadata()?.blocks();
    }
    // st_blocks counts in units of 512 bytes, whatever the file system's own.
    Ok(blocks * 512)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_pages_are_resident_less_shared() {
        assert_eq!(private_pages("1000 300 120 4 0 90 0\n"), Some(180));
        assert_eq!(private_pages("1000 300"), None);
        assert_eq!(private_pages(""), None);
    }

    #[test]
    fn touched_memory_is_counted() {
        let before = private_resident().expect("Linux has /proc");
        let memory = std::hint::black_box(vec![1u8; 16 << 20]);
        let after = private_resident().expect("Linux has /proc");
        assert!(after >= before + (15 << 20), "{before} {after} {}", memory.len());
    }
}
