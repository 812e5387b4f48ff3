use super::*;

#[test]
fn a_value_that_is_no_key_is_refused_by_name() {
    let text = |fault: Result<(), Error>| fault.expect_err("refused").to_string();
    let mismatch = "One or more parameter values were invalid: Type mismatch for key";
    let (part, order) = (KeyPart::new("part", KeyType::S), KeyPart::new("order", KeyType::N));
    assert_eq!(text(part.check(Type::N, b"1")), format!("{mismatch} part expected: S actual: N"));
    assert_eq!(text(order.check(Type::S, b"1")), format!("{mismatch} order expected: N actual: S"));
    let untyped = KeyLayout::untyped().partition();
    assert_eq!(text(untyped.check(Type::Bool, &[1])), format!("{mismatch} pk expected: S or B actual: BOOL"));
    assert!(untyped.check(Type::S, b"a").is_ok() && untyped.check(Type::B, b"a").is_ok());
    let empty = |kind, name| {
        format!(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty \
             {kind} value. Key: {name}"
        )
    };
    assert_eq!(text(part.check(Type::S, b"")), empty("string", "part"));
    assert_eq!(text(KeyPart::new("b", KeyType::B).check(Type::B, b"")), empty("binary", "b"));
}

#[test]
fn an_untyped_layout_has_pk_and_sk() {
    let layout = KeyLayout::untyped();
    assert!(!layout.is_typed() && layout.has("pk") && layout.has("sk") && !layout.has("p"));
}

#[test]
fn names_of_a_key_are_two_and_neither_empty_nor_too_long() {
    let part = |name: &str| KeyPart::new(name.to_owned(), KeyType::S);
    let refused = |partition, sort| KeyLayout::new(partition, sort).expect_err("refused").to_string();
    assert_eq!(refused(part("a"), Some(part("a"))), "partition key and sort key are both called a: they are two");
    assert_eq!(refused(part(""), None), "the name of a key attribute cannot be empty");
    assert_eq!(refused(part("a"), Some(part(""))), "the name of a key attribute cannot be empty");
    assert!(refused(part(&"ä".repeat(KEY_NAME_MAX_CHARS + 1)), None).starts_with("Key attribute name has exceeded"));
    assert!(KeyLayout::new(part(&"ä".repeat(KEY_NAME_MAX_CHARS)), None).is_ok());
    for type_ in KeyType::ALL {
        assert_eq!(KeyType::from_name(type_.name()), Some(type_));
    }
    assert_eq!(KeyType::from_name("SS"), None);
}
