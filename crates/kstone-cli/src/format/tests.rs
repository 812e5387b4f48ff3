use super::*;
use kstone_api::{Item, ItemBuilder, ItemWriter};

fn items() -> Vec<ItemWriter> {
    let address = ItemBuilder::new().string("city", "Oslo").number("zip", 150).build();
    let items = [
        ItemBuilder::new()
            .string("pk", "user#1")
            .string("name", "Ada, \"Countess\"")
            .number("age", "36.5")
            .bool("active", true)
            .map("address", address)
            .build(),
        ItemBuilder::new()
            .string("pk", "user#2")
            .string("sk", "日本\n")
            .null("name")
            .binary("photo", b"\x00\xff")
            .number_set("lucky", [7, 13])
            .number("age", "12345678901234567890123456789012345678")
            .build(),
    ];
    items.iter().map(stored).collect()
}

fn stored(item: &Item) -> ItemWriter {
    let mut writer = ItemWriter::new();
    for (name, value) in item {
        writer.set_value(name, value).unwrap();
    }
    writer
}

/// What is written to a terminal with colours, or to a file.
fn captured(colours: bool, write: impl FnOnce(&mut Screen<'_>)) -> String {
    let mut out = Vec::new();
    let mut screen = Screen::of_test(&mut out, colours, colours);
    write(&mut screen);
    screen.finish().unwrap();
    String::from_utf8(out).unwrap()
}

fn printed(format: Format, columns: &[&str], look: Look) -> String {
    laid_out(format, columns, Layout { look, ..Layout::default() })
}

fn laid_out(format: Format, columns: &[&str], layout: Layout) -> String {
    let named: Vec<String> = columns.iter().map(|&name| name.to_owned()).collect();
    let mut columns = Columns::named(&named);
    if format == Format::Csv && !columns.are_named() {
        items().iter_mut().for_each(|item| columns.meet(item.as_item()));
    }
    captured(layout.look.colours, |screen| {
        let mut printer = format.printer(columns, layout);
        for mut item in items() {
            printer.item(item.as_item(), screen).unwrap();
        }
        printer.finish(screen).unwrap();
    })
}

fn nothing(format: Format, columns: &[String]) -> String {
    captured(false, |screen| format.printer(Columns::named(columns), Layout::default()).finish(screen).unwrap())
}

#[test]
fn a_table_fits_the_terminal() {
    for width in [132, 100, 80, 73] {
        let text = printed(Format::Table, &[], Look { width: Some(width), ..Look::default() });
        assert!(text.lines().all(|line| crate::output::text::width(line) <= width), "{width}:\n{text}");
    }
    assert_eq!(
        printed(Format::Table, &["age", "address", "pk"], Look { width: Some(88), ..Look::default() }),
        "\
┌──────────────┬─────────────┬────────┬────────┬────────┬────────┬─────────────┬───────┐
│ age          │ address     │ pk     │ sk     │ active │ lucky  │ name        │ photo │
├──────────────┼─────────────┼────────┼────────┼────────┼────────┼─────────────┼───────┤
│         36.5 │ {\"city\":\"O… │ user#1 │        │ true   │        │ Ada, \"Coun… │       │
│ 12345678901… │             │ user#2 │ 日本\\n │        │ [7,13] │ null        │ AP8=  │
└──────────────┴─────────────┴────────┴────────┴────────┴────────┴─────────────┴───────┘
"
    );
}

#[test]
fn the_statements_columns_come_in_its_order() {
    assert_eq!(
        printed(Format::Compact, &["age", "name"], Look::default()),
        "[1] age=36.5, name=\"Ada, \\\"Countess\\\"\", pk=\"user#1\", active=true, \
         address={\"city\":\"Oslo\",\"zip\":150}\n\
         [2] age=12345678901234567890123456789012345678, name=null, pk=\"user#2\", sk=\"日本\\n\", lucky=[7,13], \
         photo=\"AP8=\"\n"
    );
}

#[test]
fn json_is_one_array_and_keeps_every_digit() {
    assert_eq!(
        printed(Format::Json, &[], Look::default()),
        r#"[
  {
    "pk": "user#1",
    "active": true,
    "address": {
      "city": "Oslo",
      "zip": 150
    },
    "age": 36.5,
    "name": "Ada, \"Countess\""
  },
  {
    "pk": "user#2",
    "sk": "日本\n",
    "age": 12345678901234567890123456789012345678,
    "lucky": [
      7,
      13
    ],
    "name": null,
    "photo": "AP8="
  }
]
"#
    );
}

#[test]
fn json_lines_have_an_item_each() {
    let text = printed(Format::Jsonl, &[], Look::default());
    assert_eq!(text.lines().count(), 2);
    assert!(
        text.starts_with(r#"{"pk":"user#1","active":true,"address":{"city":"Oslo","zip":150},"age":36.5,"#),
        "{text}"
    );
}

#[test]
fn json_leaves_the_terminal_alone_and_says_the_same() {
    let text = "a\u{9b}31mb\u{202e}c\u{7f}\u{1b}日";
    let mut item = stored(&ItemBuilder::new().string("k\u{9b}", text).build());
    for format in [Format::Json, Format::Jsonl] {
        let shown = captured(false, |screen| {
            let mut printer = format.printer(Columns::named(&[]), Layout::default());
            printer.item(item.as_item(), screen).unwrap();
            printer.finish(screen).unwrap();
        });
        assert!(shown.chars().all(|c| c == '\n' || !crate::output::text::is_unsafe(c)), "{shown:?}");
        let read: serde_json::Value = serde_json::from_str(&shown).unwrap();
        let object = if format == Format::Json { &read[0] } else { &read };
        assert_eq!(object["k\u{9b}"], text);
    }
}

#[test]
fn csv_quotes_what_needs_it_and_leaves_empty_what_is_not_there() {
    assert_eq!(
        printed(Format::Csv, &[], Look::default()),
        "pk,sk,active,address,age,lucky,name,photo\n\
         user#1,,true,\"{\"\"city\"\":\"\"Oslo\"\",\"\"zip\"\":150}\",36.5,,\"Ada, \"\"Countess\"\"\",\n\
         user#2,\"日本\n\",,,12345678901234567890123456789012345678,\"[7,13]\",,AP8=\n"
    );
}

#[test]
fn no_items_are_printed_as_nothing_an_empty_array_or_headings() {
    let columns = ["a".to_owned(), "b".to_owned()];
    for (format, text) in [
        (Format::Table, ""),
        (Format::Json, "[]\n"),
        (Format::Jsonl, ""),
        (Format::Compact, ""),
        (Format::Csv, "a,b\n"),
    ] {
        assert_eq!(nothing(format, &columns), text, "{format:?}");
    }
    assert_eq!(nothing(Format::Csv, &[]), "");
}

#[test]
fn colours_wrap_the_text_they_do_not_change_the_table() {
    let plain = printed(Format::Table, &[], Look::default());
    let coloured = printed(Format::Table, &[], Look { colours: true, ..Look::default() });
    let mut stripped = String::new();
    let mut in_escape = false;
    for c in coloured.chars() {
        in_escape |= c == '\u{1b}';
        if !in_escape {
            stripped.push(c);
        }
        in_escape &= c != 'm';
    }
    assert_ne!(coloured, plain);
    assert_eq!(stripped, plain);
}

#[test]
fn a_long_result_is_several_tables() {
    let text = captured(false, |screen| {
        let mut printer = Format::Table.printer(Columns::named(&[]), Layout::default());
        for number in 0..10_001 {
            printer.item(stored(&ItemBuilder::new().number("n", number).build()).as_item(), screen).unwrap();
        }
        printer.finish(screen).unwrap();
    });
    assert_eq!(text.matches('┌').count(), 2);
    assert!(text.ends_with("│ 10000 │\n└───────┘\n"), "{}", &text[text.len() - 100..]);
}

#[test]
fn null_is_shown_as_wanted_in_tables_and_csv() {
    let layout = |null: Option<&str>| Layout { null: null.map(str::to_owned), ..Layout::default() };
    for (format, null, part) in [
        (Format::Table, None, "│ null │"),
        (Format::Table, Some("-"), "│ -    │"),
        (Format::Table, Some(""), "│      │"),
        (Format::Csv, None, "\"日本\n\",\n"),
        (Format::Csv, Some("N/A"), "\"日本\n\",N/A\n"),
        (Format::Jsonl, Some("-"), "\"name\":null"),
        (Format::Compact, Some("-"), "name=null"),
    ] {
        let mut item = stored(&ItemBuilder::new().string("pk", "a").string("sk", "日本\n").null("name").build());
        let mut columns = Columns::named(&["pk", "sk", "name"].map(str::to_owned));
        columns.meet(item.as_item());
        let text = captured(false, |screen| {
            let mut printer = format.printer(columns, layout(null));
            printer.item(item.as_item(), screen).unwrap();
            printer.finish(screen).unwrap();
        });
        assert!(text.contains(part), "{format:?} {null:?}: {text}");
    }
}

#[test]
fn columns_are_as_wide_as_wanted_whatever_they_hold() {
    let layout = |widths: &[i16]| Layout { column_widths: widths.to_vec(), ..Layout::default() };
    let first_lines = |widths: &[i16]| -> Vec<String> {
        laid_out(Format::Table, &["pk", "age"], layout(widths))
            .lines()
            .map(|line| line.split('│').take(3).collect::<Vec<_>>().join("│"))
            .collect()
    };
    assert_eq!(first_lines(&[3, 5])[1], "│ pk  │ age   ");
    assert_eq!(first_lines(&[3, 5])[3], "│ us… │  36.5 ");
    assert_eq!(first_lines(&[-8, 5])[3], "│   user#1 │  36.5 ");
    assert_eq!(first_lines(&[0, 5])[4], "│ user#2 │ 1234… ");
    assert_eq!(first_lines(&[])[3], first_lines(&[0, 0])[3]);
}
