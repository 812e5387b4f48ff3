//! Shapes: what is missing, too long, out of range or not among the values of an enum.
//!
//! Members are looked at in the service's order, a member's constraints as pattern, least, most; at most ten violations
//! are told, as AWS does (dynalite, `validations/index.js`). The three writes that the new layer has taken over are
//! checked by [`anew`]: the table's name first and alone, then enums in sentences of its own.

mod path;

use std::sync::OnceLock;

use crate::echo::Echo;
use crate::model::observed::{self, NAME_PATTERN, TableNameRule};
use crate::model::{self, Bounds, Kind, Member, Shape, ShapeId, pattern};
use crate::refusal::{Cohort, Refusal};
use crate::request::Request;
use crate::show::{show, show_json};
use crate::texts::{Constraint, Text, Violation, Violations};
use crate::validate::path::{Path, Step};
use crate::view::{Structure, Value};

/// How many violations an answer tells.
const MAX_VIOLATIONS: usize = 10;
/// The most characters of a table's name.
const MAX_NAME: i64 = 255;

/// Checks a request against the model.
pub(crate) fn shape(request: &Request<'_>, cohort: Cohort) -> Result<(), Refusal> {
    let operation = request.operation().name;
    let input = request.input();
    table_name_sentences(operation, input)?;
    if matches!(operation, "BatchGetItem" | "BatchWriteItem")
        && input.get("RequestItems").is_some_and(|items| items.count() == 0)
    {
        return Err(Refusal::validation(no_items(operation, cohort)));
    }
    if operation == "Query" && cohort == Cohort::Current && joins_otherwise(input) {
        return Err(Refusal::validation(Text::ConditionalOperatorUnknown));
    }
    let mut check = Check { violations: Vec::new(), path: Path::default(), rule: observed::table_name_rule(operation) };
    if cohort.checks_shape_anew(operation) && !is_without_key(input) {
        anew(&mut check, operation, input);
    } else {
        check.structure(input, &[]);
    }
    if operation == "BatchWriteItem" {
        names_give_way(&mut check.violations);
    }
    if check.violations.is_empty() {
        return Ok(());
    }
    Err(Refusal::validation(Text::Constraints { violations: Violations(check.violations) }))
}

/// What no items at all are refused with: reads are told in the newer form by all regions but one (parity,
/// `error-messages/batchGetItem`, October 2026).
fn no_items(operation: &'static str, cohort: Cohort) -> Text {
    if operation == "BatchWriteItem" || cohort == Cohort::Classic {
        return Text::RequestItemsRequired { operation };
    }
    let violation = Violation::Hidden { path: "RequestItems".to_owned(), constraint: Constraint::LengthFrom(1) };
    Text::Constraints { violations: Violations(vec![violation]) }
}

/// Whether a write of one item has a table's name and neither key nor item: the older layer reads those (parity,
/// `validation-ordering/updateItem`; of puts and deletes that is a guess).
fn is_without_key(input: &Structure<'_>) -> bool {
    let subject = if input.shape().shape().has_member("Item") { "Item" } else { "Key" };
    input.has("TableName") && !input.has(subject)
}

/// Whether two conditions or more are joined by what is no ConditionalOperator. Query says that first and alone (parity,
/// `validation-ordering/query`).
fn joins_otherwise(input: &Structure<'_>) -> bool {
    let is_known = |operator: Value<'_>| ["AND", "OR"].iter().any(|known| operator.quoted().is(known));
    if input.get("ConditionalOperator").is_none_or(is_known) {
        return false;
    }
    let joined = ["QueryFilter", "Expected"].into_iter().filter(|name| input.shape().shape().has_member(name));
    joined.filter_map(|name| input.get(name)).any(|conditions| conditions.count() > 1)
}

/// Names that are none are not told together with enums (parity, `validation-ordering/batchOperations`).
fn names_give_way(violations: &mut Vec<Violation>) {
    let is_of = |violation: &Violation, is: fn(&Constraint) -> bool| match violation {
        Violation::Shown { constraint, .. } | Violation::Hidden { constraint, .. } => is(constraint),
        Violation::ReturnValues | Violation::ItemCollectionMetrics | Violation::ConditionalOperator => false,
    };
    if violations.iter().any(|violation| is_of(violation, |constraint| matches!(constraint, Constraint::OneOf(_)))) {
        violations.retain(|violation| !is_of(violation, |constraint| matches!(constraint, Constraint::Keys(_))));
    }
}

/// What acts on tables has sentences of its own for their names.
fn table_name_sentences(operation: &str, input: &Structure<'_>) -> Result<(), Refusal> {
    let rule = observed::table_name_rule(operation);
    if rule == TableNameRule::Items {
        return Ok(());
    }
    let Some(name) = input.get("TableName") else {
        return Err(Refusal::validation(Text::ParameterRequired { member: "TableName" }));
    };
    let name = name.text();
    let length = name.chars().count();
    if rule == TableNameRule::Table && !is_arn(&name) && !(3..=255).contains(&length) {
        return Err(Refusal::validation(Text::TableNameLength));
    }
    Ok(())
}

/// Whether a table is named by its ARN, which every operation takes (facts 2.1).
fn is_arn(name: &str) -> bool {
    name.starts_with("arn:") && name.len() <= 1024
}

/// The new layer's order: the table's name alone; then what is missing, then enums, of which UpdateItem tells the first
/// (parity, `captures/2026-06-09`, `o_put_*`, `o_del_*`, `o_upd_*`).
fn anew(check: &mut Check, operation: &str, input: &Structure<'_>) {
    const ENUMS: [&str; 3] = ["ReturnConsumedCapacity", "ReturnValues", "ReturnItemCollectionMetrics"];
    match input.get("TableName") {
        Some(name) if name.text().is_empty() => {
            check.path.push(Step::Name("TableName"));
            check.violations.push(Violation::Hidden { path: check.path.raw(), constraint: Constraint::LengthFrom(1) });
            check.path.pop();
        }
        Some(name) => check.table_name(&name.text()),
        None => check.missing("TableName"),
    }
    if !check.violations.is_empty() {
        return;
    }
    let otherwise = joins_otherwise(input);
    let operator = if otherwise { "ConditionalOperator" } else { ENUMS[0] };
    check.structure(input, &["TableName", ENUMS[0], ENUMS[1], ENUMS[2], operator]);
    if otherwise {
        check.violations.push(Violation::ConditionalOperator);
    }
    let order = if operation == "UpdateItem" { [ENUMS[1], ENUMS[0], ENUMS[2]] } else { ENUMS };
    for name in order {
        let Some(value) = input.get(name) else { continue };
        let is_known = observed::printed_values(value.shape().shape()).iter().any(|known| value.quoted().is(known));
        if is_known {
            continue;
        }
        match name {
            "ReturnValues" => check.violations.push(Violation::ReturnValues),
            "ReturnItemCollectionMetrics" => check.violations.push(Violation::ItemCollectionMetrics),
            _ => check.member("", name, value),
        }
        if operation == "UpdateItem" {
            return;
        }
    }
}

struct Check {
    violations: Vec<Violation>,
    path: Path,
    rule: TableNameRule,
}

impl Check {
    /// A structure's members, without those in `except`.
    fn structure(&mut self, structure: &Structure<'_>, except: &[&str]) {
        let shape = structure.shape().shape();
        if self.violations.is_empty() && self.is_right(structure, except) {
            return;
        }
        let first = observed::first_members(shape.name);
        let named = first.iter().filter_map(|name| shape.members().iter().position(|member| member.name == *name));
        let others = (0..shape.members().len()).filter(|&at| !first.contains(&shape.members()[at].name));
        for at in named.chain(others) {
            let member: &Member = &shape.members()[at];
            if self.is_full() || except.contains(&member.name) {
                continue;
            }
            match structure.at(at) {
                Some(value) => self.member(shape.name, member.name, value),
                None if observed::required(shape.name, member.name, member.required) => self.missing(member.name),
                None => {}
            }
        }
    }

    /// Whether nothing is wrong with a structure, which takes no look at the order in which the service looks.
    fn is_right(&mut self, structure: &Structure<'_>, except: &[&str]) -> bool {
        let shape = structure.shape().shape();
        if structure.lacks(required_members(structure.shape())) {
            return false;
        }
        for at in structure.present() {
            let member = &shape.members()[at];
            if !except.contains(&member.name)
                && let Some(value) = structure.at(at)
            {
                self.member(shape.name, member.name, value);
            }
        }
        let is_right = self.violations.is_empty();
        self.violations.clear();
        is_right
    }

    /// A member that is not there.
    fn missing(&mut self, member: &'static str) {
        self.path.push(Step::Name(member));
        let path = self.path.shown();
        self.tell(Violation::Shown { value: None, path, constraint: Constraint::NotNull });
        self.path.pop();
    }

    /// A member that is there.
    fn member(&mut self, structure: &str, member: &'static str, value: Value<'_>) {
        if member == "TableName" && matches!(value.shape().shape().name, "TableArn" | "TableName") {
            return self.table_name(&value.text());
        }
        self.path.push(Step::Name(member));
        let hidden = observed::hides_value(structure, member);
        let shape = value.shape().shape();
        match shape.kind {
            Kind::Text { length, pattern, values } => self.text(value, length, pattern, !values.is_empty(), hidden),
            Kind::Integer(range) | Kind::Long(range) | Kind::Double(range) => {
                self.number(value, observed::bounds(structure, member, range), hidden);
            }
            Kind::Boolean | Kind::Blob | Kind::Timestamp => {}
            Kind::List { element, length } => {
                self.length(value, observed::bounds(structure, member, length), hidden);
                self.elements(value, element);
            }
            Kind::Map { key, value: of_value, length } => {
                self.length(value, observed::bounds(structure, member, length), hidden);
                self.entries(member, value, key, of_value);
            }
            Kind::Structure(_) if value.shape().is_attribute_value() => {}
            Kind::Structure(_) => self.structure(&value.structure(), &[]),
        }
        self.path.pop();
    }

    /// The name of a table, or its ARN.
    fn table_name(&mut self, name: &str) {
        if is_arn(name) {
            return;
        }
        self.path.push(Step::Name("TableName"));
        // Of items, an empty name is told for being empty and nothing else (parity, `captures/2026-06-09`,
        // `s_put_table_empty`), and one of two characters for being too short (ExtendDB, its test of this parameter).
        let is_just_empty = name.is_empty() && self.rule != TableNameRule::Create;
        let least = if is_just_empty { 1 } else { 3 };
        if pattern::matches(NAME_PATTERN, name) == Some(false) && !is_just_empty {
            self.broken(name, Constraint::Pattern(NAME_PATTERN));
        }
        let length = count(name.chars().count());
        if length < least {
            self.broken(name, Constraint::LengthFrom(least));
        }
        if length > MAX_NAME {
            self.broken(name, Constraint::LengthTo(MAX_NAME));
        }
        self.path.pop();
    }

    fn text(&mut self, value: Value<'_>, length: Bounds, like: Option<&'static str>, is_enum: bool, hidden: bool) {
        let text = value.text();
        if is_enum {
            let values = observed::printed_values(value.shape().shape());
            if !values.iter().any(|known| **known == *text) {
                self.say(|| Echo::of(&text), Constraint::OneOf(values), hidden);
            }
            return;
        }
        if let Some(like) = like
            && pattern::matches(like, &text) == Some(false)
        {
            self.say(|| Echo::of(&text), Constraint::Pattern(like), hidden);
        }
        for constraint in broken_length(count(text.chars().count()), length) {
            self.say(|| Echo::of(&text), constraint, hidden);
        }
    }

    fn number(&mut self, value: Value<'_>, range: Bounds, hidden: bool) {
        let number = value.integer();
        let constraint = match range {
            Bounds(Some(least), _) if number < least => Constraint::ValueFrom(least),
            Bounds(_, Some(most)) if number > most => Constraint::ValueTo(most),
            _ => return,
        };
        self.say(|| show(value), constraint, hidden);
    }

    /// How many elements or entries there are.
    fn length(&mut self, value: Value<'_>, bounds: Bounds, hidden: bool) {
        if bounds == Bounds(None, None) {
            return;
        }
        for constraint in broken_length(count(value.count()), bounds) {
            self.say(|| show(value), constraint, hidden);
        }
    }

    fn elements(&mut self, list: Value<'_>, element: ShapeId) {
        if element.is_attribute_value() || matches!(element.shape().kind, Kind::Map { .. }) {
            return;
        }
        for (at, value) in list.elements().enumerate() {
            if self.is_full() {
                return;
            }
            self.path.push(Step::Element(at + 1));
            self.inside(value);
            self.path.pop();
        }
    }

    fn entries(&mut self, member: &str, map: Value<'_>, key: ShapeId, of_value: ShapeId) {
        self.keys(member, map, key);
        self.values(map, of_value);
        if of_value.is_attribute_value() || !matches!(of_value.shape().kind, Kind::Structure(_) | Kind::List { .. }) {
            return;
        }
        for (name, value) in map.entries() {
            if self.is_full() {
                return;
            }
            self.path.push(Step::entry(&name.decode()));
            match of_value.shape().kind {
                // A list has no members that it lacks where it is null.
                Kind::List { element, .. } if !value.is_null() => self.elements(value, element),
                Kind::List { .. } => {}
                _ => self.inside(value),
            }
            self.path.pop();
        }
    }

    /// An element or an entry.
    fn inside(&mut self, value: Value<'_>) {
        if value.is_null() {
            let path = self.path.shown();
            return self.tell(Violation::Shown { value: None, path, constraint: Constraint::NotNull });
        }
        match value.shape().shape().kind {
            Kind::Structure(_) => self.structure(&value.structure(), &[]),
            Kind::Text { length, pattern, values } => self.text(value, length, pattern, !values.is_empty(), false),
            Kind::Integer(range) | Kind::Long(range) => self.number(value, range, false),
            _ => {}
        }
    }

    /// The names of a map, of which tables' have a text of their own (dynalite, `validations/batchGetItem.js`).
    fn keys(&mut self, member: &str, map: Value<'_>, key: ShapeId) {
        let Kind::Text { length, .. } = key.shape().kind else { return };
        let names_tables = member == "RequestItems";
        // No name is longer than the map.
        let most = usize::try_from(length.1.unwrap_or(i64::MAX)).unwrap_or(usize::MAX);
        if !names_tables && length.0.is_none_or(|least| least <= 0) && map.json().len() <= most {
            return;
        }
        let fits = |name: &str| {
            let length_of_name = count(name.chars().count());
            if names_tables {
                return is_arn(name)
                    || (length_of_name <= MAX_NAME && pattern::matches(NAME_PATTERN, name) == Some(true));
            }
            broken_length(length_of_name, length).next().is_none()
        };
        if (length == Bounds(None, None) && !names_tables) || map.entries().all(|(name, _)| fits(&name.decode())) {
            return;
        }
        let constraints = if names_tables {
            vec![Constraint::LengthTo(MAX_NAME), Constraint::LengthFrom(3), Constraint::Pattern(NAME_PATTERN)]
        } else {
            both(length)
        };
        // BatchGetItem quotes them as JSON (parity, `validation-ordering/batchOperations`).
        let of_reads =
            names_tables && map.entries().any(|(_, table)| matches!(table.shape().shape().kind, Kind::Structure(_)));
        self.say(|| if of_reads { show_json(map.json()) } else { show(map) }, Constraint::Keys(constraints), false);
    }

    /// The values of a map, where they are texts or lists with bounds of their own.
    fn values(&mut self, map: Value<'_>, of_value: ShapeId) {
        let length = match of_value.shape().kind {
            Kind::Text { length, .. } | Kind::List { length, .. } => length,
            _ => return,
        };
        let size = |value: Value<'_>| match of_value.shape().kind {
            Kind::List { .. } => value.count(),
            _ => value.text().chars().count(),
        };
        if length != Bounds(None, None)
            && map.entries().any(|(_, value)| broken_length(count(size(value)), length).next().is_some())
        {
            self.say(|| show(map), Constraint::Values(both(length)), false);
        }
    }

    fn broken(&mut self, value: &str, constraint: Constraint) {
        self.say(|| Echo::of(value), constraint, false);
    }

    fn say(&mut self, value: impl FnOnce() -> Echo, constraint: Constraint, hidden: bool) {
        if self.is_full() {
            return;
        }
        self.violations.push(if hidden {
            Violation::Hidden { path: self.path.raw(), constraint }
        } else {
            Violation::Shown { value: Some(value()), path: self.path.shown(), constraint }
        });
    }

    fn tell(&mut self, violation: Violation) {
        if !self.is_full() {
            self.violations.push(violation);
        }
    }

    fn is_full(&self) -> bool {
        self.violations.len() >= MAX_VIOLATIONS
    }
}

/// The members that each structure must have, a bit each, by the places of the shapes.
fn required_members(structure: ShapeId) -> u32 {
    static REQUIRED: OnceLock<Vec<u32>> = OnceLock::new();
    let of_shape = |shape: &Shape| {
        let members = shape.members().iter().enumerate();
        let required = members.filter(|(_, member)| observed::required(shape.name, member.name, member.required));
        required.fold(0, |bits, (at, _)| bits | 1 << at)
    };
    REQUIRED.get_or_init(|| model::all_shapes().iter().map(of_shape).collect())[structure.place()]
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// What is wrong with a length: too little or too much of it.
fn broken_length(length: i64, Bounds(least, most): Bounds) -> impl Iterator<Item = Constraint> {
    let too_short = least.filter(|&least| length < least).map(Constraint::LengthFrom);
    let too_long = most.filter(|&most| length > most).map(Constraint::LengthTo);
    too_short.into_iter().chain(too_long)
}

/// Both ends of a length, in the order in which maps print them.
fn both(Bounds(least, most): Bounds) -> Vec<Constraint> {
    most.map(Constraint::LengthTo).into_iter().chain(least.map(Constraint::LengthFrom)).collect()
}
