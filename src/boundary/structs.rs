//! Structs that callers fill in, read by their size, so that they may grow.
//!
//! # Invariants
//! A struct is copied out, never referred to: it may be shorter than ours (its missing fields are 0) or longer (what
//! we do not know must be 0).

use std::mem::size_of;

use super::failure::Failure;

/// The largest struct_size that is believed: beyond it the field is taken for uninitialised.
const STRUCT_MAX_BYTES: usize = 4096;

/// A struct whose first field is its size.
///
/// # Safety
/// The type is `repr(C)`, begins with its size as a `usize`, and all bits zero are a value of it.
pub(crate) unsafe trait CStruct: Copy {
    /// Its name in C.
    const NAME: &'static str;
    /// Where its fields begin, and its size: a shorter struct ends at one of these.
    const EDGES: &'static [usize];
}

/// Implements [`CStruct`].
macro_rules! c_struct {
    ($type:ty, $name:literal, [$($field:ident),* $(,)?]) => {
        // SAFETY: callers of this macro name a repr(C) struct of integers and pointers, struct_size first.
        unsafe impl $crate::boundary::structs::CStruct for $type {
            const NAME: &'static str = $name;
            const EDGES: &'static [usize] =
                &[$(std::mem::offset_of!($type, $field)),*, std::mem::size_of::<$type>()];
        }
    };
}
pub(crate) use c_struct;

/// A copy of a caller's struct; all zero for NULL.
///
/// # Safety
/// `pointer` is NULL or begins with the size of the memory that may be read behind it.
pub(crate) unsafe fn read_struct<T: CStruct>(pointer: *const T) -> Result<T, Failure> {
    // SAFETY: not NULL, so it begins with its size.
    let size = (!pointer.is_null()).then(|| unsafe { pointer.cast::<usize>().read_unaligned() });
    if size == Some(size_of::<T>()) {
        // SAFETY: as large as the caller says it is, and any bits are a value, as those of integers and pointers are.
        return Ok(unsafe { pointer.read_unaligned() });
    }
    // SAFETY: `CStruct` says that zero bits are a value.
    let mut value: T = unsafe { std::mem::zeroed() };
    let Some(size) = size else { return Ok(value) };
    let known = size.min(size_of::<T>());
    if size > STRUCT_MAX_BYTES || !T::EDGES[1..].contains(&known) {
        return Err(Failure::invalid(format!("{}.struct_size is {size}: set it to sizeof({0})", T::NAME)));
    }
    // SAFETY: both sides have `known` bytes; then the caller's bytes up to `size` are read one by one.
    unsafe {
        (&raw mut value).cast::<u8>().copy_from_nonoverlapping(pointer.cast(), known);
        if (known..size).any(|at| pointer.cast::<u8>().add(at).read() != 0) {
            return Err(Failure::invalid(format!("{} sets a field that this version does not know", T::NAME)));
        }
    }
    Ok(value)
}

/// Refuses a field that this version does not serve yet.
pub(crate) fn not_served(set: bool, field: &str) -> Result<(), Failure> {
    match set {
        false => Ok(()),
        true => Err(Failure::invalid(format!("{field} is not served by this version: leave it 0"))),
    }
}
