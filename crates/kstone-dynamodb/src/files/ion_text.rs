//! Reading Ion text as exports write it: a struct with a field `Item`, as DynamoDB's JSON.
//!
//! Numbers are integers and decimals, blobs are `{{Base64}}`, sets are lists annotated with `$dynamodb_SS` and the like;
//! symbols may stand for names of fields. What is more than that (timestamps, clobs, s-expressions) no export has, and it is
//! refused. Nesting is bounded, since this recurses.

use std::fmt::Write as _;

/// How deep values nest.
const MAX_DEPTH: usize = 64;

/// The item of a line, in DynamoDB's JSON.
pub(crate) fn document(text: &str) -> Option<String> {
    let mut reader = Reader { text, at: 0 };
    reader.blank();
    if reader.takes("$ion_1_0") {
        reader.blank();
    }
    reader.take('{')?;
    let mut item = None;
    while !reader.closes('}')? {
        let name = reader.name()?;
        reader.blank();
        reader.take(':')?;
        reader.blank();
        let is_item = name == "Item";
        let mut out = String::new();
        if is_item {
            reader.fields(&mut out, 0)?
        } else {
            reader.value(&mut out, 0)?
        }
        if is_item {
            item = Some(out);
        }
    }
    reader.blank();
    reader.rest().is_empty().then_some(item).flatten()
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn blank(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn takes(&mut self, word: &str) -> bool {
        let is_next = self.rest().starts_with(word);
        self.at += if is_next { word.len() } else { 0 };
        is_next
    }

    fn take(&mut self, c: char) -> Option<()> {
        self.takes(c.encode_utf8(&mut [0; 4])).then_some(())
    }

    /// Whether a list or a struct ends here; takes the comma between its members.
    fn closes(&mut self, bracket: char) -> Option<bool> {
        self.blank();
        if self.take(bracket).is_some() {
            return Some(true);
        }
        if self.take(',').is_some() {
            self.blank();
            return self.take(bracket).map_or(Some(false), |()| Some(true));
        }
        (!self.rest().is_empty()).then_some(false)
    }

    fn while_is(&mut self, is: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c| !is(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// A symbol or a string.
    fn name(&mut self) -> Option<String> {
        match self.rest().chars().next()? {
            quote @ ('"' | '\'') => self.quoted(quote),
            _ => Some(self.while_is(|c| c.is_alphanumeric() || c == '_' || c == '$').to_owned())
                .filter(|name| !name.is_empty()),
        }
    }

    fn quoted(&mut self, quote: char) -> Option<String> {
        self.take(quote)?;
        let mut out = String::new();
        loop {
            out.push_str(self.while_is(|c| c != quote && c != '\\'));
            let next = self.rest().chars().next()?;
            self.at += next.len_utf8();
            if next == quote {
                return Some(out);
            }
            let escape = self.rest().chars().next()?;
            self.at += escape.len_utf8();
            match escape {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                'r' => out.push('\r'),
                '0' => out.push('\0'),
                'a' => out.push('\x07'),
                'b' => out.push('\x08'),
                'f' => out.push('\x0c'),
                'v' => out.push('\x0b'),
                '\n' => {}
                'x' => out.push(self.code(2)?),
                'u' => out.push(self.unit()?),
                'U' => out.push(self.code(8)?),
                '"' | '\'' | '\\' | '/' | '?' => out.push(escape),
                _ => return None,
            }
        }
    }

    /// A character of so many hexadecimal digits.
    fn code(&mut self, digits: usize) -> Option<char> {
        char::from_u32(self.hex(digits)?)
    }

    fn hex(&mut self, digits: usize) -> Option<u32> {
        let hex = self.rest().get(..digits)?;
        self.at += digits;
        u32::from_str_radix(hex, 16).ok()
    }

    /// One of `\uXXXX`, which may be half of a pair.
    fn unit(&mut self) -> Option<char> {
        let first = self.hex(4)?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        let second = self.takes("\\u").then(|| self.hex(4)).flatten()?;
        let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + low)
    }

    /// A struct, as the map that an item is.
    fn fields(&mut self, out: &mut String, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.take('{')?;
        out.push('{');
        while !self.closes('}')? {
            separate(out);
            let name = self.name()?;
            self.blank();
            self.take(':')?;
            self.blank();
            let _infallible = write!(out, "{}:", serde_json::Value::from(name));
            self.value(out, depth + 1)?;
        }
        out.push('}');
        Some(())
    }

    /// A value, as `{"S":"a"}`.
    fn value(&mut self, out: &mut String, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        for set in ["SS", "NS", "BS"] {
            if self.takes(&format!("$dynamodb_{set}::")) {
                self.blank();
                return self.set(out, set);
            }
        }
        if let Some((type_, json)) = self.scalar()? {
            let _infallible = write!(out, "{{\"{type_}\":{json}}}");
            return Some(());
        }
        match self.rest().chars().next()? {
            '[' => {
                out.push_str("{\"L\":");
                self.list(out, |reader, out| reader.value(out, depth + 1))?;
            }
            '{' => {
                out.push_str("{\"M\":");
                self.fields(out, depth + 1)?;
            }
            _ => return None,
        }
        out.push('}');
        Some(())
    }

    fn set(&mut self, out: &mut String, set: &str) -> Option<()> {
        let _infallible = write!(out, "{{\"{set}\":");
        self.list(out, |reader, out| {
            let (type_, json) = reader.scalar()??;
            set.starts_with(type_).then(|| out.push_str(&json))
        })?;
        out.push('}');
        Some(())
    }

    fn list(&mut self, out: &mut String, mut element: impl FnMut(&mut Self, &mut String) -> Option<()>) -> Option<()> {
        self.take('[')?;
        out.push('[');
        while !self.closes(']')? {
            separate(out);
            element(self, out)?;
        }
        out.push(']');
        Some(())
    }

    /// A value that holds no others: its type and its JSON; nothing where it does hold others.
    fn scalar(&mut self) -> Option<Option<(&'static str, String)>> {
        let text = |text: &str| serde_json::Value::from(text).to_string();
        let rest = self.rest();
        if rest.starts_with("{{") {
            self.at += 2;
            let base64 = self.while_is(|c| c != '}').trim().to_owned();
            return self.takes("}}").then(|| Some(("B", text(&base64))));
        }
        match rest.chars().next()? {
            '"' => Some(Some(("S", text(&self.quoted('"')?)))),
            '-' | '0'..='9' => {
                let number = self.while_is(|c| c.is_ascii_digit() || "+-.dDeE_".contains(c));
                let number = number.replace('_', "").replace(['d', 'D'], "E");
                let number = number.strip_suffix('.').unwrap_or(&number).replace(".E", "E");
                Some(Some(("N", text(&number))))
            }
            '[' | '{' => Some(None),
            _ => match self.name()?.as_str() {
                "true" => Some(Some(("BOOL", "true".to_owned()))),
                "false" => Some(Some(("BOOL", "false".to_owned()))),
                "null" => {
                    // `null.string` is one of a type.
                    if self.take('.').is_some() {
                        self.while_is(char::is_alphanumeric);
                    }
                    Some(Some(("NULL", "true".to_owned())))
                }
                _ => None,
            },
        }
    }
}

/// A comma, unless something was just opened.
fn separate(out: &mut String) {
    if !out.ends_with(['{', '[']) {
        out.push(',');
    }
}

#[cfg(test)]
mod tests {
    use super::document;

    #[test]
    fn exports_are_read() {
        for (text, json) in [
            ("$ion_1_0 {Item:{id:\"a\",n:1.}}", r#"{"id":{"S":"a"},"n":{"N":"1"}}"#),
            (
                "{Item:{n:0d0,m:1.5d-3,l:[true,null.string],},}",
                r#"{"n":{"N":"0E0"},"m":{"N":"1.5E-3"},"l":{"L":[{"BOOL":true},{"NULL":true}]}}"#,
            ),
            ("{ 'Item' : { s : $dynamodb_NS::[1., 2.5] } }", r#"{"s":{"NS":["1","2.5"]}}"#),
            ("{Metadata:{x:1},Item:{b:{{AAE=}}}}", r#"{"b":{"B":"AAE="}}"#),
            (r#"{Item:{s:"\u00e4\x41\ud83d\ude00"}}"#, r#"{"s":{"S":"äA😀"}}"#),
        ] {
            assert_eq!(document(text).as_deref(), Some(json), "{text}");
        }
    }

    #[test]
    fn what_is_no_export_is_refused() {
        for text in [
            "",
            "{",
            "{Item:}",
            "{Item:1.}",
            "{Item:{a:}}",
            "{Item:{a:\"x}}",
            "{Item:{a:$dynamodb_SS::[1.]}}",
            "{Other:{}}",
            "{Item:{a:(x)}}",
            "{Item:{}} x",
            "{Item:{a:\"\\q\"}}",
            "{Item:{a:\"\\ud83d\"}}",
            "{Item:{a:{{AA}}}",
            "{Item:{a:2020T}}",
        ] {
            assert_eq!(document(text), None, "{text}");
        }
        let deep = format!("{{Item:{{a:{}{}}}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(document(&deep), None);
    }
}
