//! The blocks of a snapshot's file, and the checksum that runs through them: `docs/snapshot-format.md`.
//!
//! # Invariants
//! - Every checksum is the crc32 of all bytes before it that are not a checksum themselves. So none holds where an
//!   earlier byte differs, and a block moved, doubled or left out is found as a flipped bit is. (Checksums are left out
//!   since the crc32 of anything followed by its own crc32 is a constant: the thread from block to block would break.)
//! - A reader takes at most [`BLOCK_MAX_BYTES`] for a block, and no more than the file turns out to have.
//!
//! Thread safety: one user at a time.

use std::io::{self, Read, Write};

use crate::error::{Error, Result};
use crate::error::{Position, Reason};
use crc32fast::Hasher;
use kstone_core::item::BODY_MAX_BYTES;
use kstone_core::key::{KeyRef, PARTITION_KEY_MAX_BYTES, SORT_KEY_MAX_BYTES};
use kstone_core::record::Record;

/// What every snapshot begins with. The first byte is no text, the last two tell of line ends that were translated.
pub(super) const MAGIC: [u8; 8] = *b"\x89KSNAP\r\n";
/// The version of a file that holds one untyped table.
pub(super) const ONE_TABLE: u32 = 1;
/// The version of a file that holds a catalog and any number of tables.
pub(super) const CATALOG: u32 = 2;
/// A block of items is written when it has so many bytes.
pub(super) const BLOCK_TARGET_BYTES: usize = 256 << 10;
/// The most bytes that a block may have.
pub(super) const BLOCK_MAX_BYTES: usize = 2 << 20;
/// The lengths before each record.
const RECORD_HEAD_BYTES: usize = 8;
/// The most bytes that the annotation of an account may have.
pub(super) const ANNOTATION_MAX_BYTES: usize = 64 << 20;

const _: () = {
    let record = RECORD_HEAD_BYTES + PARTITION_KEY_MAX_BYTES + SORT_KEY_MAX_BYTES + BODY_MAX_BYTES;
    assert!(BLOCK_TARGET_BYTES + record <= BLOCK_MAX_BYTES, "a block that is not full takes any record");
};

/// What a block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum BlockKind {
    /// Number of items u64, last number of the stream u64, schema as JSON.
    Header = 1,
    /// Records.
    Items = 2,
    /// Number of items u64. Ends a table, and a file of version 1.
    End = 3,
    /// Number of tables u32, number of their items u64. Begins the tables of a file of version 2.
    Catalog = 4,
    /// The same. Ends a file of version 2.
    EndOfCatalog = 5,
    /// Bytes of whoever saved the account. Behind the catalog, any number of times.
    Annotation = 6,
}

impl BlockKind {
    fn of(code: u32) -> Option<Self> {
        let all = [Self::Header, Self::Items, Self::End, Self::Catalog, Self::EndOfCatalog, Self::Annotation];
        all.into_iter().find(|kind| *kind as u32 == code)
    }
}

/// Writes blocks.
pub(super) struct BlockWriter<'a, W> {
    out: W,
    name: &'a str,
    crc: Hasher,
}

impl<'a, W: Write> BlockWriter<'a, W> {
    /// Writes what stands before the first block. Errors call the file `name`.
    pub(super) fn begin(out: W, name: &'a str, version: u32) -> Result<Self> {
        let mut writer = Self { out, name, crc: Hasher::new() };
        writer.put(&MAGIC)?;
        writer.put(&version.to_le_bytes())?;
        writer.put_crc()?;
        Ok(writer)
    }

    /// Writes a block.
    pub(super) fn block(&mut self, kind: BlockKind, payload: &[u8]) -> Result<()> {
        let length = u32::try_from(payload.len()).expect("a block is smaller than BLOCK_MAX_BYTES");
        self.put(&(kind as u32).to_le_bytes())?;
        self.put(&length.to_le_bytes())?;
        self.put(payload)?;
        self.put_crc()
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.crc.update(bytes);
        self.out.write_all(bytes).map_err(|error| Error::io("write", self.name, error))
    }

    fn put_crc(&mut self) -> Result<()> {
        let crc = self.crc.clone().finalize();
        self.out.write_all(&crc.to_le_bytes()).map_err(|error| Error::io("write", self.name, error))
    }
}

/// Reads blocks, each checked before anything is made of it.
pub(super) struct BlockReader<'a, R> {
    input: R,
    name: &'a str,
    crc: Hasher,
    offset: u64,
    /// Payloads of earlier blocks that nobody looks at any more.
    spare: Vec<Vec<u8>>,
    /// A block that was read ahead, and where it begins.
    ahead: Option<(Block, u64)>,
}

/// A block that was read: its kind, its payload and where in the file that begins.
pub(super) struct Block {
    pub(super) kind: BlockKind,
    pub(super) payload: Vec<u8>,
    pub(super) offset: u64,
}

impl<'a, R: Read> BlockReader<'a, R> {
    /// Reads what stands before the first block: with the version. Errors call the file `name`.
    pub(super) fn begin(input: R, name: &'a str) -> Result<(Self, u32)> {
        let mut reader = Self { input, name, crc: Hasher::new(), offset: 0, spare: Vec::new(), ahead: None };
        if reader.take::<8>()? != MAGIC {
            return Err(reader.corrupt(0, "not a snapshot of kstone: it begins otherwise"));
        }
        let version = u32::from_le_bytes(reader.take()?);
        reader.check_crc()?;
        if version != ONE_TABLE && version != CATALOG {
            return Err(Error::from(Reason::SnapshotVersion {
                name: name.into(),
                version,
                one_table: ONE_TABLE,
                catalog: CATALOG,
            }));
        }
        Ok((reader, version))
    }

    /// Reads the annotation that stands here, which may be none.
    pub(super) fn annotation(&mut self) -> Result<Vec<u8>> {
        let mut annotation = Vec::new();
        loop {
            let start = self.offset;
            let block = self.block()?;
            if block.kind != BlockKind::Annotation {
                self.ahead = Some((block, start));
                return Ok(annotation);
            }
            if annotation.len() + block.payload.len() > ANNOTATION_MAX_BYTES {
                return Err(self.corrupt(start, format!("an annotation of more than {ANNOTATION_MAX_BYTES} bytes")));
            }
            annotation.extend_from_slice(&block.payload);
            self.reuse(block.payload);
        }
    }

    /// Reads a block.
    pub(super) fn block(&mut self) -> Result<Block> {
        if let Some((block, _)) = self.ahead.take() {
            return Ok(block);
        }
        let start = self.offset;
        let code = u32::from_le_bytes(self.take()?);
        let length = u32::from_le_bytes(self.take()?);
        let kind = BlockKind::of(code).ok_or_else(|| self.corrupt(start, format!("a block of unknown kind {code}")))?;
        if length as usize > BLOCK_MAX_BYTES {
            let what = format!("a block of {length} bytes: it may have {BLOCK_MAX_BYTES}");
            return Err(self.corrupt(start, what));
        }
        let offset = self.offset;
        let mut payload = self.spare.pop().unwrap_or_default();
        payload.clear();
        let read = (&mut self.input).take(length.into()).read_to_end(&mut payload);
        read.map_err(|error| Error::io("read", self.name, error))?;
        self.offset += payload.len() as u64;
        if payload.len() < length as usize {
            self.reuse(payload);
            return Err(self.ends_early());
        }
        self.crc.update(&payload);
        self.check_crc()?;
        Ok(Block { kind, payload, offset })
    }

    /// Takes back the memory of a payload for a later block.
    pub(super) fn reuse(&mut self, payload: Vec<u8>) {
        self.spare.push(payload);
    }

    /// Makes sure that nothing follows.
    pub(super) fn end(&mut self) -> Result<()> {
        match self.read_up_to(&mut [0])? {
            0 => Ok(()),
            _ => Err(self.corrupt(self.offset, "bytes behind the end of the snapshot")),
        }
    }

    /// What errors call the file.
    pub(super) fn name(&self) -> &'a str {
        self.name
    }

    /// Where the next block begins.
    pub(super) fn offset(&self) -> u64 {
        self.ahead.as_ref().map_or(self.offset, |(_, start)| *start)
    }

    /// What the reader holds on to for blocks.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.spare.iter().map(Vec::capacity).sum()
    }

    /// An error about the byte at `offset`.
    pub(super) fn corrupt(&self, offset: u64, what: impl Into<String>) -> Error {
        corrupt(self.name, offset, what)
    }

    fn ends_early(&self) -> Error {
        self.corrupt(self.offset, "the file ends inside the snapshot")
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let bytes = self.take_unchecked()?;
        self.crc.update(&bytes);
        Ok(bytes)
    }

    fn check_crc(&mut self) -> Result<()> {
        let expected = self.crc.clone().finalize();
        let at = self.offset;
        match u32::from_le_bytes(self.take_unchecked()?) {
            found if found == expected => Ok(()),
            found => {
                let what = format!("the checksum is {found:08x}, of the bytes before it {expected:08x}");
                Err(self.corrupt(at, what))
            }
        }
    }

    /// Bytes that take no part in the checksum, not yet or not at all.
    fn take_unchecked<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        let read = self.read_up_to(&mut bytes)?;
        self.offset += read as u64;
        if read == N { Ok(bytes) } else { Err(self.ends_early()) }
    }

    fn read_up_to(&mut self, bytes: &mut [u8]) -> Result<usize> {
        let mut read = 0;
        while read < bytes.len() {
            match self.input.read(&mut bytes[read..]) {
                Ok(0) => break,
                Ok(some) => read += some,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io("read", self.name, error)),
            }
        }
        Ok(read)
    }
}

/// An error about the byte at `offset` of a file.
pub(super) fn corrupt(name: &str, offset: u64, what: impl Into<String>) -> Error {
    Error::corrupt(name, Position::Byte(offset), what)
}

/// How much a catalog says there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) tables: u32,
    pub(super) items: u64,
}

impl Totals {
    pub(super) fn to_bytes(self) -> Vec<u8> {
        [&self.tables.to_le_bytes()[..], &self.items.to_le_bytes()].concat()
    }

    pub(super) fn read(payload: &[u8]) -> Result<Self> {
        let wrong = || Error::from(Reason::CatalogLength);
        let (tables, items) = payload.split_first_chunk().ok_or_else(wrong)?;
        let items = items.try_into().map_err(|_| wrong())?;
        Ok(Self { tables: u32::from_le_bytes(*tables), items: u64::from_le_bytes(items) })
    }
}

/// Appends a record: pk_len u16, sk_len u16, body_len u32, then their bytes.
pub(super) fn put_record(payload: &mut Vec<u8>, record: &Record) {
    let (pk, sk, body) = (record.pk(), record.sk(), record.body());
    payload.extend_from_slice(&(pk.len() as u16).to_le_bytes());
    payload.extend_from_slice(&(sk.len() as u16).to_le_bytes());
    payload.extend_from_slice(&(body.len() as u32).to_le_bytes());
    payload.extend_from_slice(pk);
    payload.extend_from_slice(sk);
    payload.extend_from_slice(body);
}

/// Takes a record off the front: its key and its body, the key's lengths checked.
pub(super) fn take_record<'a>(payload: &mut &'a [u8]) -> Result<(KeyRef<'a>, &'a [u8])> {
    let record = take_parts(payload);
    let (pk, sk, body) = record.ok_or_else(|| Error::from(Reason::RecordBeyondBlock))?;
    Ok((KeyRef::new(pk, sk)?, body))
}

/// Where the record behind so many others begins in a payload, whose records were taken before.
pub(super) fn place_of_record(payload: &[u8], records: usize) -> usize {
    let mut rest = payload;
    for _ in 0..records {
        take_parts(&mut rest);
    }
    payload.len() - rest.len()
}

fn take_parts<'a>(payload: &mut &'a [u8]) -> Option<(&'a [u8], &'a [u8], &'a [u8])> {
    let (pk_len, rest) = payload.split_first_chunk()?;
    let (sk_len, rest) = rest.split_first_chunk()?;
    let (body_len, rest) = rest.split_first_chunk()?;
    let (pk, rest) = rest.split_at_checked(u16::from_le_bytes(*pk_len).into())?;
    let (sk, rest) = rest.split_at_checked(u16::from_le_bytes(*sk_len).into())?;
    let (body, rest) = rest.split_at_checked(u32::from_le_bytes(*body_len) as usize)?;
    *payload = rest;
    Some((pk, sk, body))
}
