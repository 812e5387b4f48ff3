//! JSON text made readable: line breaks and blanks, nothing else.

/// The text, which is JSON without blanks, with each element of an array or object on a line of its own, two blanks
/// further in for each level from `level` on. Numbers keep every digit, since nothing is parsed.
pub(crate) fn indent(json: &str, level: usize) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut level = level;
    let mut in_string = false;
    let mut escaped = false;
    let mut before = '\0';
    for c in json.chars() {
        if in_string {
            out.push(c);
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
            before = c;
            continue;
        }
        let opened = matches!(before, '{' | '[');
        match c {
            '}' | ']' => {
                level -= 1;
                if !opened {
                    break_line(&mut out, level);
                }
            }
            _ if opened => break_line(&mut out, level),
            _ => {}
        }
        out.push(c);
        match c {
            '{' | '[' => level += 1,
            ',' => break_line(&mut out, level),
            ':' => out.push(' '),
            '"' => in_string = true,
            _ => {}
        }
        before = c;
    }
    out
}

fn break_line(out: &mut String, level: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", level));
}

#[cfg(test)]
mod tests {
    use super::indent;

    #[test]
    fn every_element_has_its_line() {
        assert_eq!(
            indent(r#"{"a":[1,{"b":[]}],"c":{},"d":"x,\"[{:\\"}"#, 1),
            "{\n    \"a\": [\n      1,\n      {\n        \"b\": []\n      }\n    ],\n    \"c\": {},\n    \
             \"d\": \"x,\\\"[{:\\\\\"\n  }"
        );
        assert_eq!(indent("10000000000000000000000001.5", 0), "10000000000000000000000001.5");
    }
}
