//! The library's memory: mimalloc, not the allocator of the program that the library is loaded into.
//!
//! The `mimalloc` crate asks for every block with its alignment spelled out. Where that is at most what every block has,
//! the plain call says the same and takes half the instructions: a block of 145 bytes in 31 instead of 74, one that must
//! lie at 16 bytes in as many instead of 200. So mimalloc's C functions are called from here.
//!
//! # Thread safety
//! mimalloc's: any thread may allocate, and free what another allocated.

use std::alloc::{GlobalAlloc, Layout};

use libmimalloc_sys::{
    mi_free, mi_malloc, mi_malloc_aligned, mi_realloc, mi_realloc_aligned, mi_zalloc, mi_zalloc_aligned,
};

/// mimalloc.
pub(crate) struct Allocator;

unsafe extern "C" {
    /// Of mimalloc; the crate declares it behind a feature that brings another dependency.
    fn mi_collect(force: bool);
}

/// Gives what is free back to the system, which mimalloc does by itself only bit by bit and while it is used.
pub(crate) fn give_back() {
    // SAFETY: it may be called at any time.
    unsafe { mi_collect(true) }
}

/// What every block of at least as many bytes is aligned to: C's `max_align_t`.
const NATURAL_ALIGN: usize = 16;
/// What every block is aligned to, however small.
const LEAST_ALIGN: usize = 8;

/// Whether a block of the layout's size, once it has `size` bytes, is aligned as it should be by itself.
#[inline]
fn is_natural(layout: Layout, size: usize) -> bool {
    layout.align() <= LEAST_ALIGN || (layout.align() <= NATURAL_ALIGN && size >= NATURAL_ALIGN)
}

// SAFETY: mimalloc's functions keep malloc's promises; blocks are aligned as `is_natural` says or as they were asked for.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: any size and any power of two may be asked for.
        unsafe {
            match is_natural(layout, layout.size()) {
                true => mi_malloc(layout.size()).cast(),
                false => mi_malloc_aligned(layout.size(), layout.align()).cast(),
            }
        }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe {
            match is_natural(layout, layout.size()) {
                true => mi_zalloc(layout.size()).cast(),
                false => mi_zalloc_aligned(layout.size(), layout.align()).cast(),
            }
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, _layout: Layout) {
        // SAFETY: the caller gives back what it got from here.
        unsafe { mi_free(block.cast()) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: as above.
        unsafe {
            match is_natural(layout, new_size) {
                true => mi_realloc(block.cast(), new_size).cast(),
                false => mi_realloc_aligned(block.cast(), new_size, layout.align()).cast(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_aligned_as_asked_and_keep_their_bytes_when_they_grow() {
        for align in [1, 2, 4, 8, 16, 32, 64, 4096] {
            for size in [1, 2, 7, 8, 9, 15, 16, 17, 24, 40, 100, 145, 1000, 5000] {
                let layout = Layout::from_size_align(size, align).expect("a layout");
                // SAFETY: the block is written within its size and given back with its layout.
                unsafe {
                    let blocks: Vec<*mut u8> = (0..8).map(|_| Allocator.alloc(layout)).collect();
                    for &block in &blocks {
                        assert!(block.addr().is_multiple_of(align), "{size} bytes at {align}");
                        block.write_bytes(7, size);
                        let grown = Allocator.realloc(block, layout, 3 * size);
                        assert!(grown.addr().is_multiple_of(align), "{} bytes at {align}", 3 * size);
                        assert!((0..size).all(|at| *grown.add(at) == 7));
                        Allocator.dealloc(grown, Layout::from_size_align(3 * size, align).expect("a layout"));
                    }
                    let zeroed = Allocator.alloc_zeroed(layout);
                    assert!((0..size).all(|at| *zeroed.add(at) == 0) && zeroed.addr().is_multiple_of(align));
                    Allocator.dealloc(zeroed, layout);
                }
            }
        }
    }
}
