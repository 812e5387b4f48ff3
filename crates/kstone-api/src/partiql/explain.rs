//! EXPLAIN: the plan of a SELECT as a row.

use kstone_core::item::ItemWriter;
use kstone_core::record::Record;

use super::select::Reading;
use super::statement::StatementResult;

/// The columns, in the order in which they are shown.
const COLUMNS: [&str; 8] = ["plan", "table", "index", "ranges", "key_condition", "filter", "fetched", "order"];

/// One row that names the plan: what is read, by which conditions, and what is asked of each item then.
pub(super) fn explain(reading: &Reading<'_>) -> StatementResult {
    let (plan, select) = (&reading.plan, reading.select);
    let conjuncts = select.condition.iter().flat_map(|condition| condition.conjuncts.iter().enumerate());
    let is_used = |at: &usize| plan.used.contains(at);
    let all = |conditions: Vec<(usize, &kstone_expr::partiql::parsed::Conjunct)>| {
        let texts: Vec<&str> = conditions.into_iter().map(|(_, conjunct)| &*conjunct.text).collect();
        texts.join(" AND ")
    };
    let used = conjuncts.clone().filter(|(at, _)| is_used(at)).collect();
    let rest = conjuncts.filter(|(at, conjunct)| !is_used(at) || !conjunct.asks.exact).collect();
    let order = match (plan.sorts, select.order_by.is_empty()) {
        (true, _) => "sorted in memory",
        (false, true) => "as read",
        (false, false) if select.groups.is_some() => "groups, sorted in memory",
        (false, false) => "as read, which is the order asked for",
    };
    let mut row = ItemWriter::new();
    let texts = [
        ("plan", plan.kind.name().to_owned()),
        ("table", select.target.table.to_string()),
        ("index", plan.index.map(|index| index.name().to_owned()).unwrap_or_default()),
        ("key_condition", all(used)),
        ("filter", all(rest)),
        ("fetched", plan.fetched.join(", ")),
        ("order", order.to_owned()),
    ];
    for (name, text) in texts.iter().filter(|(_, text)| !text.is_empty()) {
        row.set_str(name, text).expect("a statement is far smaller than an item may be");
    }
    row.set_i64("ranges", plan.ranges.len() as i64).expect("a number");
    let columns =
        COLUMNS.iter().filter(|name| row.as_item().get(name).is_some()).map(|name| (*name).to_owned()).collect();
    StatementResult { columns, ..StatementResult::of_rows(vec![Record::computed(row.finish())]) }
}
