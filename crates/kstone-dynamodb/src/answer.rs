//! An answer while it is written: JSON at the end of one buffer, commas where they belong.
//!
//! Thread safety: plain values.

use kstone_api::json::{JsonForm, value_to_string, write_item};
use kstone_core::item::{ItemRef, ValueRef};

/// An answer's body.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    out: String,
}

impl Answer {
    /// An empty one, in memory that an earlier one had.
    pub(crate) fn in_buffer(mut out: String) -> Self {
        out.clear();
        Self { out }
    }

    /// The body.
    pub(crate) fn into_buffer(self) -> String {
        self.out
    }

    /// An object whose members `write` writes.
    pub(crate) fn object(&mut self, write: impl FnOnce(&mut Self)) {
        self.open('{');
        write(self);
        self.close('}');
    }

    /// A list whose elements `write` writes.
    pub(crate) fn list(&mut self, write: impl FnOnce(&mut Self)) {
        self.open('[');
        write(self);
        self.close(']');
    }

    /// No body, as a few operations answer.
    pub(crate) fn nothing(&mut self) {
        self.out.clear();
    }

    /// Opens an object or a list, for callers that write between calls.
    pub(crate) fn open(&mut self, bracket: char) {
        self.comma();
        self.out.push(bracket);
    }

    /// Closes what is open.
    pub(crate) fn close(&mut self, bracket: char) {
        self.out.push(bracket);
    }

    /// A member's name, which needs no escapes; its value follows.
    pub(crate) fn name(&mut self, name: &str) -> &mut Self {
        self.comma();
        self.out.push('"');
        self.out.push_str(name);
        self.out.push_str("\":");
        self
    }

    /// A member's name that is data; its value follows.
    pub(crate) fn data_name(&mut self, name: &str) -> &mut Self {
        self.text(name);
        self.out.push(':');
        self
    }

    /// A string.
    pub(crate) fn text(&mut self, text: &str) {
        self.comma();
        let is_plain = |b: u8| b >= b' ' && b != b'"' && b != b'\\';
        if text.bytes().all(is_plain) {
            self.out.push('"');
            self.out.push_str(text);
            self.out.push('"');
        } else {
            self.out.push_str(&serde_json::Value::from(text).to_string());
        }
    }

    /// A whole number.
    pub(crate) fn integer(&mut self, number: i64) {
        self.raw(&number.to_string());
    }

    /// A number with a fraction, as Java prints doubles: at least one digit behind the point.
    pub(crate) fn double(&mut self, number: f64) {
        self.raw(&format!("{number:?}"));
    }

    /// A truth value.
    pub(crate) fn boolean(&mut self, value: bool) {
        self.raw(if value { "true" } else { "false" });
    }

    /// An item, as DynamoDB's JSON has it.
    pub(crate) fn item(&mut self, item: ItemRef<'_>) {
        self.comma();
        write_item(&mut self.out, item, JsonForm::Typed);
    }

    /// A value, as DynamoDB's JSON has it.
    pub(crate) fn value(&mut self, value: ValueRef<'_>) {
        self.raw(&value_to_string(value, JsonForm::Typed));
    }

    /// A value that is JSON already.
    pub(crate) fn raw(&mut self, json: &str) {
        self.comma();
        self.out.push_str(json);
    }

    /// A comma, unless something was just opened or named.
    fn comma(&mut self) {
        if !matches!(self.out.as_bytes().last(), None | Some(b'{' | b'[' | b':' | b',')) {
            self.out.push(',');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_stand_between_members_and_elements_alone() {
        let mut answer = Answer::default();
        answer.object(|answer| {
            answer.name("a").integer(-1);
            answer.name("b").list(|answer| {
                answer.text("x:");
                answer.text("[");
                answer.list(|_| {});
                answer.object(|_| {});
            });
            answer.data_name("q\"").double(1.0);
            answer.name("t").boolean(true);
        });
        assert_eq!(answer.into_buffer(), r#"{"a":-1,"b":["x:","[",[],{}],"q\"":1.0,"t":true}"#);
    }
}
