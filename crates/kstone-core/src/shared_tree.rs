//! One tree that a stripe, its forks and iterators share, by count.
//!
//! This is an `Arc` whose users also say with an atomic of their own when they are done. `Arc` orders its last drop
//! behind the others with a fence, which is right, but ThreadSanitizer knows no fences: where a merge later takes the
//! records out of an SST that nobody else holds any more, it would see a race with an iterator that read them long ago.
//!
//! Thread safety: as `Arc`.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::tree::Tree;

#[derive(Clone)]
pub(crate) struct SharedTree(Arc<Inner>);

struct Inner {
    tree: Tree,
    /// Whether any user has released it; what counts is the order that this makes.
    released: AtomicBool,
}

impl SharedTree {
    pub(crate) fn new(tree: Tree) -> Self {
        Self(Arc::new(Inner { tree, released: AtomicBool::new(false) }))
    }

    /// The tree, to be changed; none while somebody else shares it.
    pub(crate) fn get_mut(&mut self) -> Option<&mut Tree> {
        // Not try_unwrap, which orders with a fence.
        Arc::get_mut(&mut self.0).map(|inner| &mut inner.tree)
    }
}

impl Deref for SharedTree {
    type Target = Tree;

    #[inline]
    fn deref(&self) -> &Tree {
        &self.0.tree
    }
}

impl Drop for SharedTree {
    fn drop(&mut self) {
        self.0.released.swap(true, Ordering::Release);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.released.load(Ordering::Acquire);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_user_may_change_a_tree() {
        let mut one = SharedTree::new(Tree::default());
        assert!(one.get_mut().is_some());
        let other = one.clone();
        assert!(one.get_mut().is_none());
        assert!(std::ptr::eq(&*one, &*other));
        drop(other);
        assert!(one.get_mut().is_some());
    }
}
