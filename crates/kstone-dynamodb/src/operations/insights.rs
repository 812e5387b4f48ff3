//! UpdateContributorInsights, DescribeContributorInsights, ListContributorInsights: what was asked for is kept, and nobody
//! counts contributors.

use super::{pages, tables};
use crate::answer::Answer;
use crate::call::Call;
use crate::catalog::CatalogTable;
use crate::catalog::description::time;
use crate::catalog::settings::Insights;
use crate::refusal::{Refusal, RefusalKind};
use crate::texts::Text;

/// The most summaries of a page.
const MAX_RESULTS: usize = 100;
/// The mode where none is asked for.
const DEFAULT_MODE: &str = "ACCESSED_AND_THROTTLED_KEYS";

/// Switches them on or off, for the table or for one of its global indexes.
pub(super) fn update(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let shared = call.shared();
    let _no_other_change = shared.catalog.changing.lock();
    let table = shared.catalog.described(&call.text("TableName"))?;
    let index = index_of(call, &table)?;
    let enables = call.text("ContributorInsightsAction") == "ENABLE";
    let mode = call.input().get("ContributorInsightsMode").map(|mode| mode.text().into_owned());
    let insights = Insights {
        enabled: enables,
        mode: mode.unwrap_or_else(|| DEFAULT_MODE.to_owned()),
        changed: shared.catalog.now_millis(),
    };
    answer.object(|answer| {
        names(answer, &table, &index);
        answer.name("ContributorInsightsStatus").text(if enables { "ENABLING" } else { "DISABLING" });
        answer.name("ContributorInsightsMode").text(&insights.mode);
    });
    tables::change_settings(call, &table, |settings| {
        settings.insights.insert(index.unwrap_or_default(), insights);
    });
    Ok(())
}

/// Says whether they are on.
pub(super) fn describe(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let table = call.shared().catalog.described(&call.text("TableName"))?;
    let index = index_of(call, &table)?;
    let insights = table.settings.insights.get(index.as_deref().unwrap_or_default());
    answer.object(|answer| {
        names(answer, &table, &index);
        answer.name("ContributorInsightsStatus").text(status(insights));
        if let Some(insights) = insights.filter(|insights| insights.enabled) {
            answer.name("ContributorInsightsRuleList").list(|answer| {
                let of =
                    index.as_deref().map_or_else(|| table.name.to_string(), |index| format!("{}-{index}", table.name));
                for (kind, key) in [("PKC", "pk"), ("PKT", "pk"), ("SKC", "sk"), ("SKT", "sk")] {
                    if key == "pk" || table.layout.sort().is_some() {
                        answer.text(&format!("DynamoDBContributorInsights-{kind}-{of}-{}", insights.changed));
                    }
                }
            });
            answer.name("ContributorInsightsMode").text(&insights.mode);
        }
        if let Some(insights) = insights {
            time(answer.name("LastUpdateDateTime"), insights.changed);
        }
    });
    Ok(())
}

/// Lists the tables and indexes for which they were ever on.
pub(super) fn list(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let shared = call.shared();
    let only = match call.input().get("TableName") {
        Some(name) => Some(shared.catalog.described(&name.text())?.name.clone()),
        None => None,
    };
    let tables = shared.catalog.all(call.now());
    let wanted = tables.iter().filter(|table| only.as_ref().is_none_or(|only| *only == table.name));
    let all =
        wanted.flat_map(|table| table.settings.insights.iter().map(move |(index, insights)| (table, index, insights)));
    let place = |table: &CatalogTable, index: &str| format!("{}/{index}", table.name);
    let limit = pages::limit(call.input().get("MaxResults"), MAX_RESULTS);
    let behind = pages::start(call)?;
    let mut found: Vec<_> =
        all.filter(|(table, index, _)| behind.as_ref().is_none_or(|behind| place(table, index) > *behind)).collect();
    found.sort_by_key(|(table, index, _)| place(table, index));
    let next = (found.len() > limit).then(|| found[limit - 1]).map(|(table, index, _)| place(table, index));
    answer.object(|answer| {
        answer.name("ContributorInsightsSummaries").list(|answer| {
            for (table, index, insights) in found.into_iter().take(limit) {
                answer.object(|answer| {
                    names(answer, table, &(!index.is_empty()).then(|| index.clone()));
                    answer.name("ContributorInsightsStatus").text(status(Some(insights)));
                    answer.name("ContributorInsightsMode").text(&insights.mode);
                });
            }
        });
        pages::next(answer, next.as_deref());
    });
    Ok(())
}

fn names(answer: &mut Answer, table: &CatalogTable, index: &Option<String>) {
    answer.name("TableName").text(&table.name);
    if let Some(index) = index {
        answer.name("IndexName").text(index);
    }
}

fn status(insights: Option<&Insights>) -> &'static str {
    if insights.is_some_and(|insights| insights.enabled) { "ENABLED" } else { "DISABLED" }
}

/// The global index that is meant, if one is.
fn index_of(call: &Call<'_>, table: &CatalogTable) -> Result<Option<String>, Refusal> {
    let Some(index) = call.input().get("IndexName").map(|name| name.text().into_owned()) else { return Ok(None) };
    if table.table.schema().global_indexes().iter().any(|known| known.index_name() == index) {
        return Ok(Some(index));
    }
    let text = Text::IndexUnknown { index, table: table.name.clone() };
    Err(Refusal::new(RefusalKind::ResourceNotFound, text))
}
