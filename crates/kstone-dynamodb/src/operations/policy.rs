//! PutResourcePolicy, GetResourcePolicy, DeleteResourcePolicy: policies are kept and enforced by nobody (ack-api-quirks,
//! `table-policy-kinesis-autoscaling.md`, captured in October 2026).

use super::tables;
use crate::answer::Answer;
use crate::call::Call;
use crate::catalog::CatalogTable;
use crate::catalog::settings::Policy;
use crate::echo::Echo;
use crate::refusal::{Refusal, RefusalKind};
use crate::texts::Text;

/// The most bytes of a policy.
const MAX_BYTES: usize = 20_480;

/// What stands in the place of a revision where there must be no policy.
const NO_POLICY: &str = "NO_POLICY";

/// Whether a policy is one: JSON of a bounded size.
pub(super) fn check(text: &str) -> Result<(), Text> {
    if text.len() > MAX_BYTES {
        return Err(Text::PolicyTooLarge);
    }
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(serde_json::Value::Object(_)) => Ok(()),
        _ => Err(Text::PolicyJson),
    }
}

/// The policy of a new table.
pub(super) fn created(text: &str, now_millis: i64) -> Policy {
    Policy { text: text.to_owned(), revision: now_millis.to_string() }
}

/// Keeps a policy; the one that there is already keeps its revision.
pub(super) fn put(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let text = call.text("Policy");
    check(&text).map_err(Refusal::validation)?;
    let _no_other_change = call.shared().catalog.changing.lock();
    let table = tables::of_resource(call, &call.text("ResourceArn"))?;
    revision_is_as_expected(call, &table)?;
    let same = |policy: &&Policy| as_json(&policy.text) == as_json(&text);
    let policy = match table.settings.policy.as_ref().filter(same) {
        Some(policy) => policy.clone(),
        None => {
            let mut policy = created(&text, call.shared().catalog.now_millis());
            // Two policies of one millisecond have two revisions all the same.
            while table.settings.policy.as_ref().is_some_and(|present| present.revision == policy.revision) {
                policy = created(&text, policy.revision.parse().map_or(0, |millis: i64| millis.wrapping_add(1)));
            }
            policy
        }
    };
    answer.object(|answer| answer.name("RevisionId").text(&policy.revision));
    tables::change_settings(call, &table, |settings| settings.policy = Some(policy));
    Ok(())
}

/// Shows the policy.
pub(super) fn get(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let arn = call.text("ResourceArn");
    let table = tables::of_resource(call, &arn)?;
    let Some(policy) = &table.settings.policy else {
        return Err(not_found(Text::PolicyMissing { arn: Echo::of(&arn) }));
    };
    answer.object(|answer| {
        answer.name("Policy").text(&policy.text);
        answer.name("RevisionId").text(&policy.revision);
    });
    Ok(())
}

/// Forgets the policy. That there is none is no error.
pub(super) fn delete(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let _no_other_change = call.shared().catalog.changing.lock();
    let table = tables::of_resource(call, &call.text("ResourceArn"))?;
    revision_is_as_expected(call, &table)?;
    answer.object(|answer| {
        if let Some(policy) = &table.settings.policy {
            answer.name("RevisionId").text(&policy.revision);
        }
    });
    tables::change_settings(call, &table, |settings| settings.policy = None);
    Ok(())
}

/// Whether the policy that is there is the one that the caller saw (moto, `test_dynamodb_resource_policy`, whose tests run
/// against AWS).
fn revision_is_as_expected(call: &Call<'_>, table: &CatalogTable) -> Result<(), Refusal> {
    let Some(expected) = call.input().get("ExpectedRevisionId").map(|revision| revision.text()) else { return Ok(()) };
    let name = || table.name.clone();
    match &table.settings.policy {
        None if expected == NO_POLICY => Ok(()),
        None => Err(not_found(Text::PolicyMissing { arn: Echo::of(&call.text("ResourceArn")) })),
        Some(policy) if expected == NO_POLICY => {
            Err(not_found(Text::PolicyUnexpected { table: name(), revision: policy.revision.clone() }))
        }
        Some(policy) if policy.revision != expected => {
            let (expected, revision) = (Echo::of(&expected), policy.revision.clone());
            Err(not_found(Text::PolicyRevision { table: name(), expected, revision }))
        }
        Some(_) => Ok(()),
    }
}

fn not_found(text: Text) -> Refusal {
    Refusal::new(RefusalKind::PolicyNotFound, text)
}

fn as_json(text: &str) -> Option<serde_json::Value> {
    serde_json::from_str(text).ok()
}
