//! Items whose lists, maps and sets are built member by member, against a tree.

use std::collections::BTreeMap;

use kstone_c_abi::boundary::status::{
    KSTONE_ERR_INVALID, KSTONE_ERR_LIMIT, KSTONE_ERR_MISUSE, KSTONE_NOT_FOUND, KSTONE_OK, Status,
};
use kstone_c_abi::item::{
    KSTONE_TYPE_B, KSTONE_TYPE_BOOL, KSTONE_TYPE_BS, KSTONE_TYPE_L, KSTONE_TYPE_M, KSTONE_TYPE_N, KSTONE_TYPE_NS,
    KSTONE_TYPE_NULL, KSTONE_TYPE_S, KSTONE_TYPE_SS,
};
use libfuzzer_sys::arbitrary::{self, Arbitrary};

use super::calls::Database;
use super::item_calls::{Building, Found};
use super::model::Key;

/// The most lists and maps inside each other.
const LEVELS_MAX: usize = 32;

/// A call on an item that is being built. Of a name 0 stands for none.
#[derive(Arbitrary, Debug, Clone, Copy)]
pub(super) enum Step {
    Open(u8, u8),
    Text(u8, u8),
    Number(u8, i8),
    Bytes(u8, u8),
    Truth(u8, bool),
    Null(u8),
    Json(u8, i8),
    Close,
    Cancel,
    Remove(u8),
}

/// A value as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tree {
    /// A value without members: its type and its bytes.
    Leaf(u32, Vec<u8>),
    List(Vec<Tree>),
    Map(BTreeMap<String, Tree>),
    /// A set's type and its elements, in no order before it is closed.
    Set(u32, Vec<Vec<u8>>),
}

impl Tree {
    fn new(type_: u32) -> Option<Self> {
        match type_ {
            KSTONE_TYPE_L => Some(Self::List(Vec::new())),
            KSTONE_TYPE_M => Some(Self::Map(BTreeMap::new())),
            KSTONE_TYPE_SS | KSTONE_TYPE_NS | KSTONE_TYPE_BS => Some(Self::Set(type_, Vec::new())),
            _ => None,
        }
    }

    fn type_(&self) -> u32 {
        match self {
            Self::Leaf(type_, _) | Self::Set(type_, _) => *type_,
            Self::List(_) => KSTONE_TYPE_L,
            Self::Map(_) => KSTONE_TYPE_M,
        }
    }

    /// Whether a member of this name and type has a place here.
    fn takes(&self, name: &str, type_: u32) -> bool {
        match self {
            Self::Leaf(..) => false,
            Self::List(_) => name.is_empty(),
            Self::Map(_) => !name.is_empty(),
            // The types of sets follow those of their elements in the same order.
            Self::Set(set, _) => name.is_empty() && *set == type_ + (KSTONE_TYPE_SS - KSTONE_TYPE_S),
        }
    }

    fn add(&mut self, name: String, value: Self) {
        match (self, value) {
            (Self::List(members), value) => members.push(value),
            (Self::Map(members), value) => drop(members.insert(name, value)),
            (Self::Set(_, elements), Self::Leaf(_, bytes)) => elements.push(bytes),
            (tree, value) => unreachable!("{value:?} has no place in {tree:?}"),
        }
    }

    /// Puts a set in order; false where it is none.
    fn close(&mut self) -> bool {
        let Self::Set(type_, elements) = self else { return true };
        let number = |bytes: &Vec<u8>| str::from_utf8(bytes).ok().and_then(|text| text.parse::<i64>().ok());
        match *type_ {
            KSTONE_TYPE_NS => elements.sort_by_key(number),
            _ => elements.sort(),
        }
        !elements.is_empty() && elements.windows(2).all(|pair| pair[0] != pair[1])
    }

    /// Compares a value that the library gives, member by member.
    fn check(&self, found: &Found) {
        assert_eq!(found.type_(), self.type_());
        let members: Vec<(&str, Self)> = match self {
            Self::Leaf(_, bytes) => {
                assert_eq!((found.bytes(), found.count()), (bytes.clone(), 0));
                return;
            }
            Self::List(members) => members.iter().map(|member| ("", member.clone())).collect(),
            Self::Map(members) => members.iter().map(|(name, member)| (name.as_str(), member.clone())).collect(),
            Self::Set(type_, elements) => {
                let type_ = type_ - (KSTONE_TYPE_SS - KSTONE_TYPE_S);
                elements.iter().map(|element| ("", Self::Leaf(type_, element.clone()))).collect()
            }
        };
        assert_eq!(found.count(), members.len());
        let given = found.members();
        assert_eq!(given.len(), members.len());
        for (at, ((name, member), (given_name, given))) in members.iter().zip(&given).enumerate() {
            assert_eq!(name, given_name);
            member.check(given);
            member.check(&found.at(at).expect("a member"));
            if self.type_() == KSTONE_TYPE_M {
                member.check(&found.find(name).expect("a member of this name"));
            }
        }
        assert!(found.at(members.len()).is_none());
    }
}

/// An item, and what it must hold.
pub(super) struct Nested {
    item: Building,
    attributes: BTreeMap<String, Tree>,
    /// What is open, the outermost first.
    open: Vec<(String, Tree)>,
}

fn name_of(choice: u8) -> &'static str {
    ["", "n", "a", "zz", "ä", "m"][usize::from(choice % 6)]
}

impl Nested {
    /// An item after these steps, with everything closed.
    pub(super) fn built(steps: &[Step]) -> Self {
        let mut nested = Self { item: Building::new(), attributes: BTreeMap::new(), open: Vec::new() };
        for step in steps {
            nested.step(*step);
        }
        while !nested.open.is_empty() {
            if !nested.close() {
                nested.cancel();
            }
        }
        // An index may refuse what is no number.
        nested.step(Step::Remove(1));
        nested.check(&nested.item);
        nested
    }

    /// Puts the item and gets it.
    pub(super) fn check_put(&self, db: &Database, key: &Key) {
        self.check(&self.item.put_and_get(db, key));
    }

    /// The item holds what was built.
    fn check(&self, item: &Building) {
        assert_eq!(item.count(), self.attributes.len());
        for (name, tree) in &self.attributes {
            tree.check(&item.find(name).expect("an attribute"));
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Open(name, type_) => self.begin(name_of(name), u32::from(type_ % 12)),
            Step::Text(name, choice) => {
                let text = "text".repeat(usize::from(choice % 40));
                let status = self.item.set_text(name_of(name), &text);
                self.added(name_of(name), Tree::Leaf(KSTONE_TYPE_S, text.into_bytes()), status);
            }
            Step::Number(name, value) => {
                let status = self.item.set_number(name_of(name), value.into());
                self.added(name_of(name), Tree::Leaf(KSTONE_TYPE_N, value.to_string().into_bytes()), status);
            }
            Step::Bytes(name, byte) => {
                let bytes = vec![byte; usize::from(byte % 3)];
                let status = self.item.set_bytes(name_of(name), &bytes);
                self.added(name_of(name), Tree::Leaf(KSTONE_TYPE_B, bytes), status);
            }
            Step::Truth(name, truth) => {
                let status = self.item.set_truth(name_of(name), truth);
                self.added(name_of(name), Tree::Leaf(KSTONE_TYPE_BOOL, vec![u8::from(truth)]), status);
            }
            Step::Null(name) => {
                let status = self.item.set_null(name_of(name));
                self.added(name_of(name), Tree::Leaf(KSTONE_TYPE_NULL, Vec::new()), status);
            }
            Step::Json(name, value) => {
                let status = self.item.set_json(name_of(name), &format!(r#"{{"L":[{{"N":"{value}"}}]}}"#));
                let number = Tree::Leaf(KSTONE_TYPE_N, value.to_string().into_bytes());
                self.added(name_of(name), Tree::List(vec![number]), status);
            }
            Step::Close => drop(self.close()),
            Step::Cancel => self.cancel(),
            Step::Remove(name) => {
                let status = self.item.remove(name_of(name));
                let expected = match self.open.is_empty() {
                    false => KSTONE_ERR_MISUSE,
                    true if self.attributes.remove(name_of(name)).is_some() => KSTONE_OK,
                    true => KSTONE_NOT_FOUND,
                };
                assert_eq!(status, expected);
            }
        }
        // Accessors see an empty item as long as anything is open.
        assert_eq!(self.item.count(), if self.open.is_empty() { self.attributes.len() } else { 0 });
    }

    /// How many lists and maps are open.
    fn levels(&self) -> usize {
        self.open.iter().filter(|(_, tree)| !matches!(tree, Tree::Set(..))).count()
    }

    /// Whether a member has a place where the item is.
    fn takes(&self, name: &str, type_: u32, levels: usize) -> bool {
        match self.open.last() {
            None => !name.is_empty(),
            Some((_, tree)) => tree.takes(name, type_) && self.levels() + levels <= LEVELS_MAX,
        }
    }

    fn begin(&mut self, name: &str, type_: u32) {
        let status = self.item.open(name, type_);
        let tree = Tree::new(type_);
        let levels = usize::from(!matches!(tree, Some(Tree::Set(..))));
        match tree.filter(|_| self.takes(name, type_, levels)) {
            Some(tree) => {
                assert_eq!(status, KSTONE_OK);
                self.open.push((name.to_owned(), tree));
            }
            None => assert!([KSTONE_ERR_INVALID, KSTONE_ERR_LIMIT].contains(&status), "status {status}"),
        }
    }

    fn added(&mut self, name: &str, value: Tree, status: Status) {
        let levels = usize::from(matches!(value, Tree::List(_)));
        if !self.takes(name, value.type_(), levels) {
            assert!([KSTONE_ERR_INVALID, KSTONE_ERR_LIMIT].contains(&status), "status {status}");
            return;
        }
        assert_eq!(status, KSTONE_OK);
        match self.open.last_mut() {
            Some((_, tree)) => tree.add(name.to_owned(), value),
            None => drop(self.attributes.insert(name.to_owned(), value)),
        }
    }

    /// Closes the innermost one; whether it is closed.
    fn close(&mut self) -> bool {
        let status = self.item.close();
        let Some((name, mut tree)) = self.open.pop() else {
            assert_eq!(status, KSTONE_ERR_MISUSE);
            return false;
        };
        if !tree.close() {
            assert_eq!(status, KSTONE_ERR_INVALID);
            self.open.push((name, tree));
            return false;
        }
        assert_eq!(status, KSTONE_OK);
        match self.open.last_mut() {
            Some((_, outer)) => outer.add(name, tree),
            None => drop(self.attributes.insert(name, tree)),
        }
        true
    }

    fn cancel(&mut self) {
        assert_eq!(self.item.cancel(), if self.open.is_empty() { KSTONE_NOT_FOUND } else { KSTONE_OK });
        self.open.clear();
    }
}
