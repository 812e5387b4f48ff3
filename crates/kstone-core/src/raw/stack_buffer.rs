//! Bytes that are appended one piece after another: on the stack while they are few, on the heap then.
//!
//! A vector that may lie on the stack can have bytes inserted anywhere, and so makes place behind each piece, too; this
//! one only grows at its end, by one copy.
//!
//! Invariant: one of `near[..len]`, which was written, and `far` is empty.

use std::mem::MaybeUninit;
use std::ops::{Deref, DerefMut};

/// A buffer of bytes whose first `N` need no allocation.
///
/// ```
/// use kstone_core::buffer::{Buffer, StackBuffer};
/// let mut buffer = StackBuffer::<4>::new();
/// buffer.extend_from_slice(b"abc");
/// buffer.extend_from_slice(b"de");
/// assert_eq!(&*buffer, b"abcde");
/// ```
pub struct StackBuffer<const N: usize> {
    near: [MaybeUninit<u8>; N],
    /// How many bytes of `near` there are.
    len: usize,
    /// All bytes, once they are more than `near` takes.
    far: Vec<u8>,
}

impl<const N: usize> StackBuffer<N> {
    /// A buffer without bytes.
    #[inline]
    #[must_use]
    pub fn new() -> Self {
        Self { near: [MaybeUninit::uninit(); N], len: 0, far: Vec::new() }
    }

    /// A buffer without bytes that grows to this length by one allocation at most.
    #[inline]
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        let mut buffer = Self::new();
        buffer.reserve(capacity);
        buffer
    }

    /// Has an empty buffer grow to this length by one allocation at most.
    #[inline]
    pub fn reserve(&mut self, capacity: usize) {
        if capacity > N {
            self.far.reserve(capacity);
        }
    }

    #[inline]
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        match self.near.get_mut(self.len..self.len + bytes.len()) {
            Some(place) if self.far.is_empty() => {
                place.write_copy_of_slice(bytes);
                self.len += bytes.len();
            }
            _ => self.append_far(bytes),
        }
    }

    #[cold]
    #[inline(never)]
    fn append_far(&mut self, bytes: &[u8]) {
        if self.far.is_empty() {
            let mut far = std::mem::take(&mut self.far);
            far.extend_from_slice(self);
            self.far = far;
            self.len = 0;
        }
        self.far.extend_from_slice(bytes);
    }

    pub(crate) fn shorten(&mut self, len: usize) {
        self.len = self.len.min(len);
        self.far.truncate(len);
    }
}

impl<const N: usize> Default for StackBuffer<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Deref for StackBuffer<N> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self.far.is_empty() {
            // SAFETY: so many were written.
            true => unsafe { self.near[..self.len].assume_init_ref() },
            false => &self.far,
        }
    }
}

impl<const N: usize> DerefMut for StackBuffer<N> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        match self.far.is_empty() {
            // SAFETY: so many were written.
            true => unsafe { self.near[..self.len].assume_init_mut() },
            false => &mut self.far,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It holds what a vector holds, whatever is appended, taken off and written over.
    #[test]
    fn it_is_a_vector_of_bytes_however_it_grows_and_shrinks() {
        let mut random = fastrand::Rng::with_seed(7);
        for round in 0..2000 {
            let mut buffer =
                if round % 2 == 0 { StackBuffer::<16>::new() } else { StackBuffer::with_capacity(round % 40) };
            let mut model = Vec::new();
            for _ in 0..12 {
                let piece: Vec<u8> = (0..random.usize(0..12)).map(|_| random.u8(..)).collect();
                match random.u8(0..5) {
                    0 => {
                        let len = random.usize(0..40);
                        buffer.shorten(len);
                        model.truncate(len);
                    }
                    1 => {
                        buffer.reverse();
                        model.reverse();
                    }
                    _ => {
                        buffer.append(&piece);
                        model.extend_from_slice(&piece);
                    }
                }
                assert_eq!(&*buffer, &*model);
            }
        }
    }
}
