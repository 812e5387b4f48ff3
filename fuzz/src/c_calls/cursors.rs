//! Cursors against a list and a place in it.

use kstone_c_abi::boundary::status::KSTONE_OK;
use kstone_c_abi::cursor::CursorObject;
use libfuzzer_sys::arbitrary::{self, Arbitrary};

use super::KeyChoice;
use super::calls::{Database, Handle};
use super::model::{Entry, Key, Model};

#[derive(Arbitrary, Debug, Clone, Copy)]
pub(super) enum Move {
    First,
    Last,
    Next,
    Prev,
    /// To a key; in a partition with its key, or with none.
    Seek(KeyChoice, bool),
}

/// Where a cursor must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    On(usize),
    End,
}

/// A cursor, and what it must show.
pub(super) struct Cursor {
    handle: Handle<CursorObject>,
    /// What there was when it was opened, in its order.
    entries: Vec<Entry>,
    pk: Option<Vec<u8>>,
    reverse: bool,
    place: Place,
}

impl Cursor {
    /// A cursor over a partition or over all items, or over those of them that have an attribute `n`.
    pub(super) fn open(db: &Database, model: &Model, pk: Option<Vec<u8>>, reverse: bool, filtered: bool) -> Self {
        let handle = db.cursor(pk.as_deref(), reverse, filtered);
        let mut entries = match &pk {
            Some(pk) => model.entries(Some(pk), reverse),
            // The library's own order is that of its pages, which are compared with the model where they are read.
            None => db.pages(None, false, 0),
        };
        entries.retain(|(_, item)| !filtered || item.contains_key("n"));
        Self { handle, entries, pk, reverse, place: Place::Start }
    }

    /// Moves the cursor; it is then where the list says.
    pub(super) fn go(&mut self, to: Move) {
        let last = self.entries.len().checked_sub(1);
        let (given, expected) = match to {
            Move::First => (self.handle.first(), self.at(Some(0))),
            Move::Last => (self.handle.last(), last.map_or(Place::Start, Place::On)),
            Move::Next => (self.handle.next_item(), self.next()),
            Move::Prev => (self.handle.prev_item(), self.prev()),
            Move::Seek(choice, with_pk) => return self.seek(choice.key(), with_pk),
        };
        self.check(given, expected);
    }

    fn next(&self) -> Place {
        match self.place {
            Place::Start => self.at(Some(0)),
            Place::On(at) => self.at(Some(at + 1)),
            Place::End => Place::End,
        }
    }

    fn prev(&self) -> Place {
        let before = match self.place {
            Place::Start => None,
            Place::On(at) => at.checked_sub(1),
            Place::End => self.entries.len().checked_sub(1),
        };
        before.map_or(Place::Start, Place::On)
    }

    /// The place of an entry, or the end.
    fn at(&self, found: Option<usize>) -> Place {
        found.filter(|at| *at < self.entries.len()).map_or(Place::End, Place::On)
    }

    fn seek(&mut self, key: Key, with_pk: bool) {
        let (pk, sk) = key;
        let own = self.pk.clone();
        let refused = match &own {
            Some(own) => with_pk && *own != pk,
            None => !with_pk,
        };
        let (status, given) = self.handle.seek(if with_pk { &pk } else { b"" }, &sk);
        if refused {
            assert!(status < 0, "a seek that is none returned {status}");
            return self.check_item(self.place);
        }
        let pk = own.unwrap_or(pk);
        let partition_start = self.entries.iter().position(|((other, _), _)| *other == pk);
        let Some(partition_start) = partition_start else {
            // Which partition comes behind one that is not there is the library's to say: it is one's first item.
            let found = given.map(|entry| self.entries.iter().position(|other| *other == entry).expect("an entry"));
            let is_start = |at: usize| at == 0 || self.entries[at - 1].0.0 != self.entries[at].0.0;
            assert!(found.is_none_or(is_start), "a seek between partitions ends inside of one");
            self.place = self.at(found);
            return self.check_item(self.place);
        };
        let is_behind = |other: &[u8]| if self.reverse { other <= &sk[..] } else { other >= &sk[..] };
        let rest = &self.entries[partition_start..];
        let passed = rest.iter().take_while(|((other, sk), _)| *other == pk && !is_behind(sk)).count();
        let expected = self.at(Some(partition_start + passed));
        self.check(given, expected);
        assert_eq!(status == KSTONE_OK, matches!(expected, Place::On(_)), "status {status}");
    }

    fn check(&mut self, given: Option<Entry>, expected: Place) {
        self.place = expected;
        assert_eq!(given.as_ref(), self.entry(expected));
        self.check_item(expected);
    }

    fn check_item(&self, place: Place) {
        assert_eq!(self.handle.item().as_ref(), self.entry(place));
    }

    fn entry(&self, place: Place) -> Option<&Entry> {
        match place {
            Place::On(at) => self.entries.get(at),
            Place::Start | Place::End => None,
        }
    }
}
