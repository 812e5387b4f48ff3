//! Arguments in, outputs out: pointers and lengths become slices and texts, or a failure that names the argument.

use std::ffi::{c_char, c_void};
use std::path::Path;
use std::ptr::NonNull;
use std::slice;

use kstone_api::utf8;
use kstone_api::{PARTITION_KEY_MAX_BYTES, SORT_KEY_MAX_BYTES};

use super::contract::by_contract;
use super::failure::Failure;
use super::status::{KSTONE_OK, Status};
use super::text::OwnedText;

/// As the length of a const char pointer: the text ends at its NUL. Lengths of const void pointers are always given.
pub const KSTONE_STRLEN: usize = -1isize as usize;

/// The bytes of a pointer and a length.
///
/// # Safety
/// `data` and `len` describe memory that may be read and does not change during `'a`, or are among what is refused.
#[inline]
pub(crate) unsafe fn bytes<'a>(data: *const c_void, len: usize, name: &'static str) -> Result<&'a [u8], Failure> {
    if len == 0 {
        return Ok(&[]);
    }
    if data.is_null() || len > isize::MAX as usize {
        return Err(refuse_bytes(data, len, name));
    }
    // SAFETY: not NULL and no longer than memory can be; the caller vouches for the rest.
    Ok(unsafe { slice::from_raw_parts(data.cast(), len) })
}

/// The bytes of a partition key and of a sort key.
///
/// # Safety
/// As for [`bytes`].
#[inline(always)]
pub(crate) unsafe fn key_bytes<'a>(
    pk: (*const c_void, usize),
    sk: (*const c_void, usize),
) -> Result<(&'a [u8], &'a [u8]), Failure> {
    match by_contract!(usual_key_bytes(pk, sk)) {
        Some(key) => Ok(key),
        None => by_contract!(key_bytes_or_refusal(pk, sk)),
    }
}

/// The same of what nearly every key is: a partition key alone, or both, within their limits.
///
/// # Safety
/// As for [`bytes`].
#[inline(always)]
pub(crate) unsafe fn usual_key_bytes<'a>(
    (pk, pk_len): (*const c_void, usize),
    (sk, sk_len): (*const c_void, usize),
) -> Option<(&'a [u8], &'a [u8])> {
    let is_within = pk_len <= PARTITION_KEY_MAX_BYTES && sk_len <= SORT_KEY_MAX_BYTES;
    if !is_within || pk.is_null() || (sk_len != 0 && sk.is_null()) {
        return None;
    }
    let sk = if sk_len == 0 { NonNull::dangling().as_ptr() } else { sk.cast() };
    // SAFETY: not NULL and short, and not read where they are empty; the caller vouches for the rest.
    Some(unsafe { (slice::from_raw_parts(pk.cast(), pk_len), slice::from_raw_parts(sk, sk_len)) })
}

#[cold]
#[inline(never)]
unsafe fn key_bytes_or_refusal<'a>(
    (pk, pk_len): (*const c_void, usize),
    (sk, sk_len): (*const c_void, usize),
) -> Result<(&'a [u8], &'a [u8]), Failure> {
    by_contract!(Ok((bytes(pk, pk_len, "pk")?, bytes(sk, sk_len, "sk")?)))
}

#[cold]
#[inline(never)]
fn refuse_bytes(data: *const c_void, len: usize, name: &str) -> Failure {
    Failure::misuse(if data.is_null() {
        format!("{name} is NULL, but its length is not 0")
    } else if len == KSTONE_STRLEN {
        format!("{name} is bytes, which may hold a NUL: KSTONE_STRLEN is for text alone")
    } else {
        format!("the length of {name} is impossible: {len}")
    })
}

/// The text of a pointer and a length, which may be [`KSTONE_STRLEN`].
#[inline]
pub(crate) unsafe fn text<'a>(data: *const c_char, len: usize, name: &'static str) -> Result<&'a str, Failure> {
    checked_text(by_contract!(text_bytes(data, len, name))?, name)
}

/// The text of these bytes.
#[inline]
pub(crate) fn checked_text<'a>(bytes: &'a [u8], name: &'static str) -> Result<&'a str, Failure> {
    utf8(bytes).map_err(|error| {
        Failure::invalid(format!("{name} is not UTF-8: the byte at offset {} is wrong", error.valid_up_to()))
    })
}

/// Refuses a text of a struct whose length was forgotten: it is not NULL, and its length is 0.
pub(crate) fn has_length(data: *const c_char, len: usize, name: &'static str) -> Result<(), Failure> {
    if !data.is_null() && len == 0 {
        return Err(Failure::invalid(format!(
            "{name} is empty: {name}_len is 0, set it to the length or to KSTONE_STRLEN"
        )));
    }
    Ok(())
}

/// The bytes of what should be text, not looked at.
///
/// # Safety
/// As for [`bytes`]; with [`KSTONE_STRLEN`] a NUL ends the text.
#[inline]
pub(crate) unsafe fn text_bytes<'a>(data: *const c_char, len: usize, name: &'static str) -> Result<&'a [u8], Failure> {
    let len = match len {
        // SAFETY: not NULL, so the caller vouches for a NUL.
        KSTONE_STRLEN if !data.is_null() => unsafe { libc::strlen(data) },
        len => len,
    };
    by_contract!(bytes(data.cast(), len, name))
}

/// The path of a pointer and a length, which may be [`KSTONE_STRLEN`]: on Unix any bytes but NUL, on other systems
/// UTF-8.
pub(crate) unsafe fn file_path<'a>(data: *const c_char, len: usize, name: &'static str) -> Result<&'a Path, Failure> {
    let bytes = by_contract!({
        let len = if len == KSTONE_STRLEN && !data.is_null() { libc::strlen(data) } else { len };
        bytes(data.cast(), len, name)
    })?;
    if bytes.is_empty() {
        return Err(Failure::invalid(format!("{name} is empty: it needs the name of a file")));
    }
    if let Some(at) = bytes.iter().position(|&byte| byte == 0) {
        return Err(Failure::invalid(format!("{name} holds a NUL at offset {at}: no file has such a name")));
    }
    #[cfg(unix)]
    return Ok(Path::new(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes)));
    #[cfg(not(unix))]
    return by_contract!(text(data, len, name)).map(Path::new);
}

#[cold]
#[inline(never)]
fn refuse_output(name: &str) -> Failure {
    Failure::misuse(format!("{name} is NULL: it takes the output"))
}

/// A place for an output, known not to be NULL.
pub(crate) struct Out<T>(NonNull<T>);

impl<T> Out<T> {
    /// Accepts an output pointer.
    ///
    /// # Safety
    /// `pointer` is NULL or may be written for as long as the place is kept.
    #[inline]
    pub(crate) unsafe fn new(pointer: *mut T, name: &'static str) -> Result<Self, Failure> {
        match NonNull::new(pointer) {
            Some(place) => Ok(Self(place)),
            None => Err(refuse_output(name)),
        }
    }

    /// Accepts an output pointer that may be NULL.
    ///
    /// # Safety
    /// As for [`Out::new`].
    pub(crate) unsafe fn optional(pointer: *mut T) -> Option<Self> {
        NonNull::new(pointer).map(Self)
    }

    /// Writes the output, after everything that can fail.
    #[inline]
    pub(crate) fn set(self, value: T) {
        // SAFETY: `new` was told that it may be written.
        unsafe { self.0.write(value) }
    }
}

/// A buffer of the caller's, known not to be NULL where it has a capacity.
#[derive(Clone, Copy)]
pub(crate) struct OutBytes {
    place: *mut u8,
    capacity: usize,
}

impl OutBytes {
    /// Accepts a buffer; none says nothing of it.
    ///
    /// # Safety
    /// `buffer` is NULL or may be written for `capacity` bytes for as long as the result is kept, and the library's own
    /// memory does not overlap it.
    #[inline]
    pub(crate) unsafe fn new(buffer: *mut c_void, capacity: usize) -> Option<Self> {
        (!buffer.is_null() || capacity == 0).then_some(Self { place: buffer.cast(), capacity })
    }

    /// The same, or a failure.
    ///
    /// # Safety
    /// As for [`OutBytes::new`].
    pub(crate) unsafe fn or_refuse(buffer: *mut c_void, capacity: usize) -> Result<Self, Failure> {
        let refuse = || Failure::misuse("buffer is NULL, but its capacity is not 0");
        by_contract!(Self::new(buffer, capacity)).ok_or_else(refuse)
    }

    /// Copies bytes of the library's where all of them fit; how many they are.
    #[inline]
    pub(crate) fn copy(self, bytes: &[u8]) -> usize {
        if bytes.len() <= self.capacity {
            // SAFETY: `new` was told that so many may be written, and that nothing overlaps.
            unsafe { self.place.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        }
        bytes.len()
    }
}

/// Refuses flags that mean nothing yet.
pub(crate) fn known_flags(flags: u32, known: u32) -> Result<(), Failure> {
    match flags & !known {
        0 => Ok(()),
        unknown => Err(Failure::invalid(format!("flags: {unknown:#x} is not known here"))),
    }
}

/// Writes a text and its length to their outputs.
pub(crate) fn set_text(out: Out<*mut c_char>, out_len: Out<usize>, text: &str) -> Status {
    out.set(OwnedText::for_caller(text).as_ptr());
    out_len.set(text.len());
    KSTONE_OK
}
