//! The library's memory: mimalloc, not the allocator of the program that the library is loaded into.
//!
//! The `mimalloc` crate asks for every block with its alignment spelled out. Where that is at most what every block has,
//! the plain call says the same and takes half the instructions: a block of 145 bytes in 31 instead of 74, one that must
//! lie at 16 bytes in as many instead of 200. So mimalloc's C functions are called from here.
//!
//! It is mimalloc's version 2. Version 3 takes the thread that loaded the library for the process's main thread, and a
//! later thread that the system gives the same address would use the heap of that thread, which has ended.
//!
//! # Memory that the program locks
//! After `mlockall(MCL_FUTURE)` every mapping that may be written is filled at once, and what is only reserved counts
//! against `RLIMIT_MEMLOCK` too. So mimalloc reserves 64 MiB at a time instead of a gigabyte, and makes it writable only
//! where it is used. Where the limit lets it have nothing at all, blocks come from the C library.
//!
//! # Thread safety
//! mimalloc's: any thread may allocate, and free what another allocated.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::{c_int, c_long};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

use libmimalloc_sys::{
    mi_free, mi_malloc, mi_malloc_aligned, mi_realloc, mi_realloc_aligned, mi_zalloc, mi_zalloc_aligned,
};

/// mimalloc.
pub(crate) struct Allocator;

unsafe extern "C" {
    // Of mimalloc; the crate declares them behind a feature that brings another dependency, or not at all.
    fn mi_collect(force: bool);
    fn mi_option_set_default(option: c_int, value: c_long);
    fn mi_is_in_heap_region(block: *const u8) -> bool;
}

/// Numbers of mimalloc's `mi_option_t`.
const OPTION_ARENA_EAGER_COMMIT: c_int = 4;
const OPTION_ARENA_RESERVE: c_int = 23;
/// How much address space mimalloc reserves at a time, in KiB: two of its segments.
const ARENA_RESERVE_KIB: c_long = 64 * 1024;

/// Sets mimalloc's options. It is called when the library is loaded, before anything is allocated; what the program's
/// environment says (`MIMALLOC_ARENA_RESERVE`, …) goes before these.
extern "C" fn set_options() {
    // SAFETY: options may be set at any time.
    unsafe {
        mi_option_set_default(OPTION_ARENA_EAGER_COMMIT, 0);
        mi_option_set_default(OPTION_ARENA_RESERVE, ARENA_RESERVE_KIB);
    }
}

/// The loader calls what stands in this section.
#[used]
#[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".init_array"))]
#[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
static AT_LOAD: extern "C" fn() = set_options;

/// Gives what is free back to the system, which mimalloc does by itself only bit by bit and while it is used.
pub(crate) fn give_back() {
    // SAFETY: it may be called at any time.
    unsafe { mi_collect(true) }
}

/// Whether a block ever came from the C library, because mimalloc had none.
static HAS_FOREIGN_BLOCKS: AtomicBool = AtomicBool::new(false);

/// Whether the block came from the C library. The flag is set before such a block is handed out, so its
/// owner sees the flag.
#[inline]
fn is_foreign(block: *const u8) -> bool {
    // SAFETY: any address may be asked for.
    HAS_FOREIGN_BLOCKS.load(Ordering::Relaxed) && unsafe { !mi_is_in_heap_region(block) }
}

/// A block of the C library's, zeroed.
///
/// # Safety
/// As `GlobalAlloc::alloc`.
#[cold]
#[inline(never)]
unsafe fn alloc_foreign(layout: Layout) -> *mut u8 {
    HAS_FOREIGN_BLOCKS.store(true, Ordering::Relaxed);
    // SAFETY: as this function's.
    unsafe { System.alloc_zeroed(layout) }
}

/// Moves a block's bytes into a new block, from mimalloc or the C library.
///
/// # Safety
/// As `GlobalAlloc::realloc`.
#[cold]
#[inline(never)]
unsafe fn move_block(block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
    // SAFETY: the caller vouches for the size with this alignment; the blocks are two, and both hold the smaller size.
    unsafe {
        let moved = Allocator.alloc(Layout::from_size_align_unchecked(new_size, layout.align()));
        if !moved.is_null() {
            ptr::copy_nonoverlapping(block, moved, layout.size().min(new_size));
            Allocator.dealloc(block, layout);
        }
        moved
    }
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
// A block is freed and grown by the allocator that it came from.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: any size and any power of two may be asked for.
        unsafe {
            let block: *mut u8 = match is_natural(layout, layout.size()) {
                true => mi_malloc(layout.size()).cast(),
                false => mi_malloc_aligned(layout.size(), layout.align()).cast(),
            };
            if block.is_null() { alloc_foreign(layout) } else { block }
        }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe {
            let block: *mut u8 = match is_natural(layout, layout.size()) {
                true => mi_zalloc(layout.size()).cast(),
                false => mi_zalloc_aligned(layout.size(), layout.align()).cast(),
            };
            if block.is_null() { alloc_foreign(layout) } else { block }
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller gives back what it got from here.
        unsafe {
            match is_foreign(block) {
                false => mi_free(block.cast()),
                true => System.dealloc(block, layout),
            }
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: as above.
        unsafe {
            if is_foreign(block) {
                return move_block(block, layout, new_size);
            }
            let grown: *mut u8 = match is_natural(layout, new_size) {
                true => mi_realloc(block.cast(), new_size).cast(),
                false => mi_realloc_aligned(block.cast(), new_size, layout.align()).cast(),
            };
            if grown.is_null() { move_block(block, layout, new_size) } else { grown }
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
