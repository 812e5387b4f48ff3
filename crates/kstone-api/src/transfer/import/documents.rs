//! The items of JSON that goes over lines.
//!
//! ```text
//! [ ITEM, ITEM, … ]                                          an array
//! {"Items": [ ITEM, … ], "Count": 2, "ScannedCount": 2, … }  what Scan and Query answer, and `aws dynamodb scan` prints
//! { … } { … }                                                items one after another, as `jq` prints them
//! ```
//! An input may hold several of these. Memory: an item's text. Where brackets, commas or colons are missing between
//! items, no item after that can be told from its neighbours: that is an error even where bad records are skipped.

use std::io::BufRead;

use super::form::is_typed;
use super::layout::{BYTE_ORDER_MARK, RESPONSE};
use super::records::{Failed, TextPlace};
use super::scanner::Scanner;

const TRUNCATED: &str = "the input ends within an array of items: it is truncated";

/// Reads items, one at a time.
pub(super) struct Documents<R> {
    scanner: Scanner<R>,
    within: Within,
}

/// What is read next.
#[derive(Clone, Copy)]
enum Within {
    /// What begins outside of everything.
    Nothing,
    /// An element of an array, which may be that of a response; the first one has no comma before it.
    Array { first: bool, of_response: bool },
    /// A member of a response behind its array.
    Response,
}

impl<R: BufRead> Documents<R> {
    pub(super) fn of(input: R) -> Self {
        Self { scanner: Scanner::new(input), within: Within::Nothing }
    }

    /// Comes to the next item: where it begins. None at the end.
    pub(super) fn next(&mut self) -> Result<Option<TextPlace>, Failed> {
        loop {
            self.scanner.start();
            let found = match (self.within, self.scanner.blanks()?) {
                (Within::Nothing, None) => return Ok(None),
                (_, None) => return Err(self.scanner.bad(TRUNCATED)),
                (Within::Nothing, Some(byte)) => self.outside(byte)?,
                (Within::Array { first, of_response }, Some(byte)) => self.element(byte, first, of_response)?,
                (Within::Response, Some(byte)) => self.member(byte)?,
            };
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    /// The text of the item; none where it is longer than any may be.
    pub(super) fn text(&self) -> Option<&[u8]> {
        self.scanner.text()
    }

    fn outside(&mut self, byte: u8) -> Result<Option<TextPlace>, Failed> {
        match byte {
            b'{' => self.object(),
            b'[' => {
                self.scanner.keep(byte);
                self.within = Within::Array { first: true, of_response: false };
                Ok(None)
            }
            _ if byte == BYTE_ORDER_MARK[0] && self.scanner.place() == (TextPlace { line: 1, column: 1 }) => {
                for expected in BYTE_ORDER_MARK {
                    if self.scanner.peek()? != Some(*expected) {
                        return Err(self.scanner.bad("expected an item or an array of items"));
                    }
                    self.scanner.keep(*expected);
                }
                Ok(None)
            }
            _ => Err(self.scanner.bad("expected an item or an array of items")),
        }
    }

    fn element(&mut self, byte: u8, first: bool, of_response: bool) -> Result<Option<TextPlace>, Failed> {
        match byte {
            b']' => {
                self.scanner.keep(byte);
                self.within = if of_response { Within::Response } else { Within::Nothing };
                return Ok(None);
            }
            _ if first => {}
            b',' => {
                self.scanner.keep(byte);
                if self.scanner.blanks()?.is_none() {
                    return Err(self.scanner.bad(TRUNCATED));
                }
            }
            _ => return Err(self.scanner.bad("expected a comma or the end of the array after an item")),
        }
        let place = self.scanner.start();
        self.scanner.value()?;
        self.within = Within::Array { first: false, of_response };
        Ok(Some(place))
    }

    /// Members of a response have nothing to import.
    fn member(&mut self, byte: u8) -> Result<Option<TextPlace>, Failed> {
        self.scanner.keep(byte);
        match byte {
            b'}' => {
                self.within = Within::Nothing;
                Ok(None)
            }
            b',' => {
                self.scanner.blanks()?;
                let name = self.name()?;
                if name == "Items" || !RESPONSE.contains(&name.as_str()) {
                    let what = format!("a response of Scan or Query has no {name:.64?} after its items");
                    return Err(self.scanner.bad(what));
                }
                self.scanner.value()?;
                Ok(None)
            }
            _ => Err(self.scanner.bad("expected a comma or the end of the response")),
        }
    }

    /// Keeps the name of a member, its colon and the blanks around it.
    fn name(&mut self) -> Result<String, Failed> {
        let from = self.scanner.kept();
        if self.scanner.peek()? != Some(b'"') {
            return Err(self.scanner.bad("expected the name of a member"));
        }
        self.scanner.value()?;
        let quoted = self.scanner.text().map_or(&[][..], |text| &text[from..]);
        let name = String::from_utf8_lossy(quoted).trim_matches('"').to_owned();
        if self.scanner.blanks()? != Some(b':') {
            return Err(self.scanner.bad("expected a colon after the name of a member"));
        }
        self.scanner.keep(b':');
        self.scanner.blanks()?;
        Ok(name)
    }

    /// An item, or the beginning of a response up to its first item.
    fn object(&mut self) -> Result<Option<TextPlace>, Failed> {
        let place = self.scanner.start();
        self.scanner.keep(b'{');
        let mut names = Vec::new();
        loop {
            match self.scanner.blanks()? {
                Some(b'}') if names.is_empty() => break,
                None => return Err(truncated(place)),
                _ => {}
            }
            let name = self.name()?;
            let may_be_response = names.iter().chain([&name]).all(|name: &String| RESPONSE.contains(&name.as_str()));
            if name == "Items" && may_be_response && self.scanner.peek()? == Some(b'[') {
                if let Some(first) = self.items()? {
                    return Ok(Some(first));
                }
            } else {
                self.scanner.value()?;
            }
            if names.len() < RESPONSE.len() + 1 {
                names.push(name);
            }
            match self.scanner.blanks()? {
                Some(b',') => self.scanner.keep(b','),
                Some(b'}') => break,
                None => return Err(truncated(place)),
                _ => return Err(self.scanner.bad("expected a comma or the end of the item after a member")),
            }
        }
        self.scanner.keep(b'}');
        let is_response = |name: &str| names.iter().any(|found| found == name);
        let empty_response = is_response("Items")
            && is_response("Count")
            && names.iter().all(|name| RESPONSE.contains(&name.as_str()))
            && self.scanner.text().is_some_and(has_no_items);
        Ok((!empty_response).then_some(place))
    }

    /// The first item of an array that a response has, or all of an array that an item has as its attribute `Items`.
    fn items(&mut self) -> Result<Option<TextPlace>, Failed> {
        self.scanner.keep(b'[');
        if self.scanner.blanks()? == Some(b'{') {
            let (from, place) = (self.scanner.kept(), self.scanner.place());
            self.scanner.value()?;
            if self.scanner.text().is_some_and(|text| is_typed(&text[from..])) {
                self.scanner.forget(from);
                self.within = Within::Array { first: false, of_response: true };
                return Ok(Some(place));
            }
        }
        self.scanner.rest(1)?;
        Ok(None)
    }
}

fn truncated(place: TextPlace) -> Failed {
    let what = format!("the item that begins here has no end: the input is truncated (column {})", place.column);
    Failed::Bad { line: place.line, what }
}

/// Whether the array `Items` of an object is empty.
fn has_no_items(object: &[u8]) -> bool {
    let value: Option<serde_json::Value> = serde_json::from_slice(object).ok();
    value.is_some_and(|value| value["Items"].as_array().is_some_and(Vec::is_empty))
}
