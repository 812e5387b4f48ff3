//! From what a statement says to what is executed: values and paths by index, conditions as programs, updates as
//! actions.
//!
//! Recursion ends at [`super::NESTING_MAX_LEVELS`], where the grammar bounds it. Thread safety: one statement, one
//! lowering.

use kstone_core::value::Type;

use super::ast::{Ast, AstCell, AstColumn, AstSelect, AstVerb, Clause, Literal, Path, ReadTarget, Template};
use super::fault::Fault;
use super::lower_condition::lower_where;
use super::lower_write::{lower_delete, lower_update};
use super::parsed::{Cell, Column, Columns, Count, Insert, InsertItem, OrderKey, Parsed, Select, Target, Verb, Where};
use super::values::Values;
use crate::expression::ast::Segment;
use crate::texts::Reason;

pub(super) type Lowered<T> = Result<T, Fault>;

/// Reads a statement.
pub(super) fn parse(statement: &str) -> Lowered<Parsed> {
    let (Ast { explain, verb }, parameters) = super::grammar::parse(statement)?;
    let beyond = beyond(explain, &verb).map(|fault| fault.into_refusal(statement));
    let mut lowering = Lowering { statement, values: Values::new(parameters) };
    let verb = match verb {
        AstVerb::Select(select) => Verb::Select(lowering.select(select)?),
        AstVerb::Exists(select) => Verb::Exists(lowering.select(select)?),
        AstVerb::Insert(source, item) => Verb::Insert(lowering.insert(source, item)?),
        AstVerb::Update(update) => Verb::Update(lower_update(&mut lowering, update)?),
        AstVerb::Delete(delete) => Verb::Delete(lower_delete(&mut lowering, delete)?),
    };
    Ok(Parsed { explain, verb, values: lowering.values, beyond })
}

/// The first thing of a statement that DynamoDB does not have.
fn beyond(explain: bool, verb: &AstVerb) -> Option<Fault> {
    if explain {
        return Some(Fault::new(0, Reason::NoStatement));
    }
    let (AstVerb::Select(select) | AstVerb::Exists(select)) = verb else { return None };
    for column in &select.list {
        match (&column.what, &column.alias) {
            (AstCell::Aggregate(..), _) => return Some(Fault::refused(column.at, Reason::NoColumn)),
            (_, Some(alias)) => return Some(Fault::refused(alias.at, Reason::Aliased)),
            _ => {}
        }
    }
    let group = select.group_by.first().map(|path| (path.at, "GROUP BY"));
    let limit = select.limit.as_ref().map(|limit| (limit.at, "LIMIT"));
    let offset = select.offset.as_ref().map(|offset| (offset.at, "OFFSET"));
    let (at, clause) = group.or(limit).or(offset)?;
    Some(Fault::refused(at, Reason::Unsupported { clause }))
}

/// A statement on its way.
pub(super) struct Lowering<'a> {
    pub(super) statement: &'a str,
    pub(super) values: Values,
}

impl Lowering<'_> {
    fn select(&mut self, select: AstSelect) -> Lowered<Select> {
        let AstSelect { list, source, condition, group_by, order_by, limit, offset } = select;
        let condition = condition.map(|clause| self.condition(clause)).transpose()?;
        let has_aggregate = list.iter().any(|column| matches!(column.what, AstCell::Aggregate(..)));
        let groups = (has_aggregate || !group_by.is_empty()).then_some(group_by);
        if let Some(groups) = &groups {
            check_groups(&list, groups)?;
        }
        let columns = columns(list)?;
        let order_by: Lowered<Vec<OrderKey>> =
            order_by.into_iter().map(|key| order_key(key, groups.as_ref().and(columns.as_ref()))).collect();
        Ok(Select {
            target: target(source),
            columns,
            condition,
            groups: groups.map(|paths| paths.into_iter().map(|path| path.segments.into()).collect()),
            order_by: order_by?,
            limit: limit.map(|limit| self.count(limit, "LIMIT")).transpose()?,
            offset: offset.map(|offset| self.count(offset, "OFFSET")).transpose()?,
        })
    }

    /// A WHERE clause.
    pub(super) fn condition(&mut self, clause: Clause) -> Lowered<Where> {
        lower_where(self, clause, None)
    }

    fn count(&mut self, literal: Literal, clause: &'static str) -> Lowered<Count> {
        let at = literal.at;
        let value = self.values.add(literal)?;
        if let Some(number) = self.values.literal(value)
            && count_of(number).is_none()
        {
            return Err(Fault::new(at, Reason::CountInvalid { clause }));
        }
        Ok(Count { value, clause })
    }

    fn insert(&mut self, source: ReadTarget, item: Literal) -> Lowered<Insert> {
        if source.index.is_some() {
            return Err(Fault::refused(source.table.at, Reason::WriteOnIndex));
        }
        let target = target(source);
        let at = item.at;
        let item = match item.template {
            Template::Map(mut entries) => {
                entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
                let attribute = |(name, literal): (String, Literal)| {
                    if name.is_empty() {
                        return Err(Fault::new(literal.at, Reason::EmptyName));
                    }
                    Ok((name.into(), self.values.add(literal)?))
                };
                InsertItem::Attributes(entries.into_iter().map(attribute).collect::<Lowered<_>>()?)
            }
            template @ Template::Parameter(_) => InsertItem::Whole(self.values.add(Literal { template, at })?),
            _ => return Err(Fault::new(at, Reason::NoTuple)),
        };
        Ok(Insert { target, item })
    }
}

/// The number that LIMIT or OFFSET is given.
pub fn count_of(value: kstone_core::item::ValueRef<'_>) -> Option<usize> {
    (value.type_() == Type::N).then(|| value.as_number()?.parse().ok()).flatten()
}

fn target(source: ReadTarget) -> Target {
    Target { table: source.table.text.into(), index: source.index.map(|index| index.text.into()) }
}

/// The table of a write.
pub(super) fn write_target(source: ReadTarget) -> Lowered<Target> {
    match source.index {
        Some(index) => Err(Fault::refused(index.at, Reason::WriteOnIndex)),
        None => Ok(target(source)),
    }
}

/// Refuses columns that are not the same for a whole group.
fn check_groups(list: &[AstColumn], groups: &[Path]) -> Lowered<()> {
    if list.is_empty() {
        let at = groups.first().map_or(0, |path| path.at);
        return Err(Fault::refused(at, Reason::GroupedStar));
    }
    for column in list {
        if let AstCell::Path(path) = &column.what
            && !groups.iter().any(|group| group.segments == path.segments)
        {
            let name = name_of(&path.segments).into();
            return Err(Fault::refused(column.at, Reason::UngroupedColumn { column: name }));
        }
    }
    Ok(())
}

fn columns(list: Vec<AstColumn>) -> Lowered<Option<Columns>> {
    if list.is_empty() {
        return Ok(None);
    }
    let mut columns: Vec<Column> = Vec::with_capacity(list.len());
    for AstColumn { what, alias, at } in list {
        let (default, cell) = match what {
            AstCell::Path(path) => (name_of(&path.segments), Cell::Path(path.segments.into())),
            AstCell::Aggregate(aggregate, of) => {
                let shown = of.as_ref().map_or_else(|| "*".to_owned(), |path| shown(&path.segments));
                let name = format!("{}({shown})", aggregate.name());
                (name, Cell::Aggregate(aggregate, of.map(|path| path.segments.into())))
            }
        };
        let name = alias.map_or(default, |alias| alias.text);
        if columns.iter().any(|column| column.name == name) {
            return Err(Fault::refused(at, Reason::ColumnTwice { column: name.into() }));
        }
        columns.push(Column { name, cell });
    }
    let mut by_name: Vec<usize> = (0..columns.len()).collect();
    by_name.sort_unstable_by(|&a, &b| columns[a].name.cmp(&columns[b].name));
    Ok(Some(Columns { list: columns, by_name }))
}

/// What a column is called that has no alias: the last name of its path, and the element behind it.
fn name_of(path: &[Segment]) -> String {
    let last_name = path.iter().rposition(|segment| matches!(segment, Segment::Name(_))).unwrap_or(0);
    shown(&path[last_name..])
}

/// A path as it is written.
pub(super) fn shown(path: &[Segment]) -> String {
    let mut shown = String::new();
    for segment in path {
        match segment {
            Segment::Name(name) => {
                if !shown.is_empty() {
                    shown.push('.');
                }
                shown.push_str(name);
            }
            Segment::Index(index) => shown.push_str(&format!("[{index}]")),
            Segment::Alias(_) => {}
        }
    }
    shown
}

/// A key to order by. Rows of groups are ordered by their columns.
fn order_key((path, descending): (Path, bool), columns: Option<&Columns>) -> Lowered<OrderKey> {
    let Some(columns) = columns else { return Ok(OrderKey { path: path.segments.into(), descending }) };
    let is_it = |column: &&Column| {
        let is_its_name = matches!(&*path.segments, [Segment::Name(name)] if **name == *column.name);
        is_its_name || matches!(&column.cell, Cell::Path(other) if **other == *path.segments)
    };
    match columns.list.iter().find(is_it) {
        Some(column) => {
            let name = Segment::Name(column.name.as_str().into());
            Ok(OrderKey { path: Box::new([name]), descending })
        }
        None => {
            let shown = shown(&path.segments).into();
            Err(Fault::refused(path.at, Reason::OrderOfGroups { path: shown }))
        }
    }
}
