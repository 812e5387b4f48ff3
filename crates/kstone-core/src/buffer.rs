//! A buffer that bytes are appended to: on the heap, or on the stack while it is short.

use std::ops::DerefMut;

pub use crate::raw::stack_buffer::StackBuffer;

/// What writes keys and values appends to. Its methods are those of [`Vec`].
pub trait Buffer: DerefMut<Target = [u8]> {
    /// Appends a byte.
    fn push(&mut self, byte: u8);
    /// Appends these bytes.
    fn extend_from_slice(&mut self, bytes: &[u8]);
    /// Keeps this many bytes.
    fn truncate(&mut self, len: usize);
}

impl Buffer for Vec<u8> {
    #[inline]
    fn push(&mut self, byte: u8) {
        self.push(byte);
    }

    #[inline]
    fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    fn truncate(&mut self, len: usize) {
        self.truncate(len);
    }
}

impl<const N: usize> Buffer for StackBuffer<N> {
    #[inline]
    fn push(&mut self, byte: u8) {
        self.append(&[byte]);
    }

    #[inline]
    fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.append(bytes);
    }

    fn truncate(&mut self, len: usize) {
        self.shorten(len);
    }
}
