//! Document paths with their names known: following them, comparing them, finding two that overlap.
//!
//! Thread safety: borrows only.

use std::cmp::Ordering;

use crate::refusal::{Refusal, Result};
use crate::texts::{Reason, ShownPath, ShownStep};
use kstone_core::item::ValueRef;
use kstone_core::key_layout::KeyLayout;

use super::Kind;
use super::ast::{Segment, Symbols};
use super::bind::BoundParameters;
use super::subject::{Subject, is_untyped_key};

/// One step of a path. Names order before indexes, so that of the steps behind one prefix those of one sort stand
/// together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place<'a> {
    Name(&'a str),
    Index(u32),
}

impl BoundParameters<'_> {
    #[inline]
    pub(super) fn place<'a>(&'a self, segment: &'a Segment) -> Place<'a> {
        match segment {
            Segment::Name(name) => Place::Name(name),
            Segment::Alias(alias) => Place::Name(self.name(*alias)),
            Segment::Index(index) => Place::Index(*index),
        }
    }

    /// What the path leads to.
    #[inline]
    pub fn follow<'a>(&self, path: &[Segment], subject: &Subject<'a>) -> Option<ValueRef<'a>> {
        let (first, rest) = path.split_first()?;
        let Place::Name(name) = self.place(first) else { return None };
        let mut found = subject.get(name)?;
        for segment in rest {
            found = match self.place(segment) {
                Place::Name(name) => found.map()?.get(name)?,
                Place::Index(index) => found.list().nth(index as usize)?,
            };
        }
        Some(found)
    }

    /// Whether the path is the partition key or sort key of an untyped table itself.
    #[inline]
    pub(super) fn is_untyped_key(&self, path: &[Segment]) -> bool {
        matches!(path, [segment] if matches!(self.place(segment), Place::Name(name) if is_untyped_key(name)))
    }

    /// The attribute that the path names, where it is no more than that and not of this key.
    pub(super) fn attribute<'a>(&'a self, path: &'a [Segment], layout: &KeyLayout) -> Option<&'a str> {
        match path {
            [segment] => match self.place(segment) {
                Place::Name(name) => (!layout.has(name)).then_some(name),
                Place::Index(_) => None,
            },
            _ => None,
        }
    }

    /// The attribute that the path begins with.
    pub(super) fn root<'a>(&'a self, path: &'a [Segment]) -> &'a str {
        match path.first().map(|segment| self.place(segment)) {
            Some(Place::Name(name)) => name,
            _ => "",
        }
    }

    pub(super) fn compare(&self, a: &[Segment], b: &[Segment]) -> Ordering {
        a.iter().map(|segment| self.place(segment)).cmp(b.iter().map(|segment| self.place(segment)))
    }

    /// The path as errors show it.
    pub(super) fn show(&self, path: &[Segment]) -> ShownPath {
        let step = |segment| match self.place(segment) {
            Place::Name(name) => ShownStep::Name(name.into()),
            Place::Index(index) => ShownStep::Index(index),
        };
        ShownPath(path.iter().map(step).collect())
    }

    /// The order of these paths, given by their indexes, in which those with a common beginning stand together.
    ///
    /// # Errors
    /// [`Refusal`] where one path is the beginning of another, or two part ways as a map's entry and a list's
    /// element: the first such pair in the expression.
    pub(super) fn in_order(&self, kind: Kind, symbols: &Symbols, paths: &[u16]) -> Result<Box<[u16]>> {
        let path = |at: u16| &*symbols.paths[usize::from(paths[usize::from(at)])];
        let mut order: Vec<u16> = (0..super::ast::index(paths.len())).collect();
        order.sort_by(|&a, &b| self.compare(path(a), path(b)));
        let clashes = |a: u16, b: u16| self.clash(path(a), path(b));
        // A clash of any two shows in neighbours: whatever lies between them begins as both do.
        if order.windows(2).all(|pair| clashes(pair[0], pair[1]).is_none()) {
            return Ok(order.into());
        }
        Err(self.first_clash(kind, paths.len(), path))
    }

    #[cold]
    fn first_clash<'a>(&self, kind: Kind, count: usize, path: impl Fn(u16) -> &'a [Segment]) -> Refusal {
        let pairs = (1..super::ast::index(count)).flat_map(|second| (0..second).map(move |first| (first, second)));
        let of_sort = |wanted| {
            let mut pairs =
                pairs.clone().filter(|&(first, second)| self.clash(path(first), path(second)) == Some(wanted));
            pairs.next().map(|(first, second)| (self.show(path(first)), self.show(path(second))))
        };
        let (first, second) = match of_sort(Clash::Overlap) {
            Some((first, second)) => return kind.refuse(Reason::PathsOverlap { first, second }),
            None => of_sort(Clash::Conflict).expect("two neighbours clash"),
        };
        kind.refuse(Reason::PathsConflict { first, second })
    }

    fn clash(&self, a: &[Segment], b: &[Segment]) -> Option<Clash> {
        for (a, b) in a.iter().zip(b) {
            match (self.place(a), self.place(b)) {
                (a, b) if a == b => {}
                (Place::Name(_), Place::Index(_)) | (Place::Index(_), Place::Name(_)) => return Some(Clash::Conflict),
                _ => return None,
            }
        }
        Some(Clash::Overlap)
    }
}

/// How two paths get in each other's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clash {
    /// One is the beginning of the other, or they are the same.
    Overlap,
    /// One goes on into a map, the other into a list.
    Conflict,
}
