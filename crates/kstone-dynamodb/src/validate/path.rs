//! Where in a request a value is, in the two forms in which the service says it.

use smallvec::SmallVec;

use crate::show::lower_first;

/// The most bytes of a map's name in a path.
const MAX_ENTRY_BYTES: usize = 16 * 1024;

/// A step down.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// To a structure's member.
    Name(&'static str),
    /// To a list's element, counted from one.
    Element(usize),
    /// To a map's entry.
    Entry(String),
}

impl Step {
    /// To the entry of this name, of which a path shows the beginning.
    pub(super) fn entry(name: &str) -> Self {
        Self::Entry(name[..name.floor_char_boundary(MAX_ENTRY_BYTES)].to_owned())
    }
}

/// The steps to a value.
#[derive(Clone, Debug, Default)]
pub(super) struct Path(SmallVec<[Step; 4]>);

impl Path {
    pub(super) fn push(&mut self, step: Step) {
        self.0.push(step);
    }

    pub(super) fn pop(&mut self) {
        self.0.pop();
    }

    /// `keySchema.1.member.keyType`
    pub(super) fn shown(&self) -> String {
        self.written(lower_first)
    }

    /// `RequestItems.T.member.Keys`
    pub(super) fn raw(&self) -> String {
        self.written(str::to_owned)
    }

    fn written(&self, name: impl Fn(&str) -> String) -> String {
        let steps = self.0.iter().map(|step| match step {
            Step::Name(member) => name(member),
            Step::Element(at) => format!("{at}.member"),
            Step::Entry(key) => format!("{key}.member"),
        });
        steps.collect::<Vec<_>>().join(".")
    }
}

#[cfg(test)]
mod tests {
    use super::{Path, Step};

    #[test]
    fn paths_are_written_in_two_forms() {
        let mut path = Path::default();
        path.push(Step::Name("RequestItems"));
        path.push(Step::entry("T"));
        path.push(Step::Name("Keys"));
        assert_eq!(path.shown(), "requestItems.T.member.keys");
        assert_eq!(path.raw(), "RequestItems.T.member.Keys");
        path.pop();
        path.push(Step::Element(2));
        assert_eq!(path.shown(), "requestItems.T.member.2.member");
    }
}
