//! TagResource, UntagResource and ListTagsOfResource: the ARN before what is done with it (dynalite,
//! `validations/tagResource.js` and its neighbours).

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use super::tables;
use crate::answer::Answer;
use crate::call::Call;
use crate::catalog::CatalogTable;
use crate::catalog::definition::{self, elements};
use crate::echo::Echo;
use crate::pipeline::{Pipeline, Rules};
use crate::refusal::{Refusal, RefusalKind};
use crate::texts::Text;
use crate::view::{Structure, Value};

/// The most tags of a table.
const MAX_TAGS: usize = 50;
/// The most characters of a tag's key, and of its value.
const MAX_KEY_CHARS: usize = 128;
const MAX_VALUE_CHARS: usize = 256;

pub(super) const TAG: Pipeline = Pipeline::of(&[tag]);
pub(super) const UNTAG: Pipeline = Pipeline::of(&[untag]);
pub(super) const LIST: Pipeline = Pipeline::of(&[list]);

fn tag(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    resource(input, "TagResource", Some(("Tags", "tags", "Tag")))
}

fn untag(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    resource(input, "UntagResource", Some(("TagKeys", "tagKeys", "Tag Key")))
}

fn list(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    resource(input, "ListTagsOfResource", None)
}

fn resource(
    input: &Structure<'_>,
    operation: &'static str,
    tags: Option<(&'static str, &'static str, &'static str)>,
) -> Result<(), Text> {
    let Some(arn) = input.get("ResourceArn") else { return Err(Text::TableArnMissing) };
    let arn = arn.text();
    if !is_resource(&arn) {
        let shown = if arn.is_empty() { "*" } else { &arn };
        return Err(Text::NotAuthorized { operation, arn: Echo::of(shown) });
    }
    if let Some((name, member, _)) = tags
        && !input.has(name)
    {
        return Err(Text::TagsMissing { member });
    }
    if !is_table(&arn) {
        return Err(Text::TableArnInvalid { arn: Echo::of(&arn) });
    }
    match tags {
        Some((name, _, what)) if input.get(name).is_some_and(|list| list.count() == 0) => Err(Text::TagsEmpty { what }),
        _ => Ok(()),
    }
}

/// The tags of a new table.
pub(super) fn created(input: &Structure<'_>) -> Result<(), Text> {
    let keys: Vec<_> = keys_of(input);
    check(input, &keys)?;
    if keys.len() > MAX_TAGS { Err(Text::TooManyTags) } else { Ok(()) }
}

/// The keys of a list of tags.
fn keys_of<'a>(input: &Structure<'a>) -> Vec<Cow<'a, str>> {
    let key = |tag: Value<'a>| tag.structure().get("Key").map(|key| key.text()).unwrap_or_default();
    elements(input.get("Tags")).map(key).collect()
}

/// What keys and values of tags may be (ack-api-quirks, DDB-TABLE-105 to -109 and -442, captured in October 2026).
fn check(input: &Structure<'_>, keys: &[Cow<'_, str>]) -> Result<(), Text> {
    let is_plain = |c: char| c.is_alphanumeric() || " +-=._:/@".contains(c);
    let mut seen = HashSet::new();
    for key in keys {
        if key.is_empty() || key.chars().count() > MAX_KEY_CHARS || !key.chars().all(is_plain) {
            return Err(Text::TagKeyInvalid { key: Echo::of(key) });
        }
        if key.starts_with("aws:") {
            return Err(Text::TagPrefix { key: Echo::of(key) });
        }
        if !seen.insert(&**key) {
            return Err(Text::TagTwice { key: Echo::of(key) });
        }
    }
    for tag in elements(input.get("Tags")) {
        let value = definition::text(&tag.structure(), "Value");
        if value.chars().count() > MAX_VALUE_CHARS || !value.chars().all(is_plain) {
            return Err(Text::TagValueInvalid { value: Echo::of(&value) });
        }
    }
    Ok(())
}

/// The table that an ARN is of.
fn table_of(call: &Call<'_>) -> Result<Arc<CatalogTable>, Refusal> {
    let arn = call.text("ResourceArn");
    let place = &call.shared().catalog.place;
    let found = place.name_of_table_arn(&arn).and_then(|name| call.shared().catalog.entry(name));
    let not_found = || {
        let text = Text::ResourceArnNotFound { arn: Echo::of(&arn) };
        Refusal::new(RefusalKind::ResourceNotFound, text)
    };
    found.filter(|table| !table.phase.is_over(i64::MAX)).ok_or_else(not_found)
}

/// Adds tags, and replaces those of the same keys.
pub(super) fn add(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let keys = keys_of(call.input());
    check(call.input(), &keys).map_err(Refusal::validation)?;
    let _no_other_change = call.shared().catalog.changing.lock();
    let table = table_of(call)?;
    let mut tags = table.settings.tags.clone();
    tags.extend(of_request(call.input()));
    if tags.len() > MAX_TAGS {
        return Err(Refusal::validation(Text::TooManyTags));
    }
    tables::change_settings(call, &table, |settings| settings.tags = tags);
    answer.nothing();
    Ok(())
}

/// Removes the tags of these keys, as far as they are there.
pub(super) fn remove(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let _no_other_change = call.shared().catalog.changing.lock();
    let table = table_of(call)?;
    tables::change_settings(call, &table, |settings| {
        for key in elements(call.input().get("TagKeys")) {
            settings.tags.remove(&*key.text());
        }
    });
    answer.nothing();
    Ok(())
}

/// Lists the tags, all of them on one page.
pub(super) fn show(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let arn = call.text("ResourceArn");
    let table = table_of(call).map_err(|_| {
        // Who may see a table's tags is asked before whether there is one (facts 86; dynalite, `test/listTagsOfResource.js`).
        let text = Text::NotAuthorized { operation: "ListTagsOfResource", arn: Echo::of(&arn) };
        Refusal::rule(text, false)
    })?;
    answer.object(|answer| {
        answer.name("Tags").list(|answer| {
            for (key, value) in &table.settings.tags {
                answer.object(|answer| {
                    answer.name("Key").text(key);
                    answer.name("Value").text(value);
                });
            }
        });
    });
    Ok(())
}

/// The tags that a request gives.
pub(super) fn of_request(input: &Structure<'_>) -> impl Iterator<Item = (String, String)> {
    elements(definition::known(input, "Tags")).map(|tag| {
        let tag = tag.structure();
        (definition::text(&tag, "Key"), definition::text(&tag, "Value"))
    })
}

/// Six parts, the last of which has a slash in it: what can be authorized at all.
fn is_resource(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    parts.len() == 6
        && parts.iter().all(|part| !part.is_empty())
        && parts[5].char_indices().any(|(at, c)| c == '/' && at > 0 && at + 1 < parts[5].len())
}

/// A table of an account in a region.
fn is_table(arn: &str) -> bool {
    let Some(rest) = arn.strip_prefix("arn:aws:dynamodb:") else { return false };
    let Some((before, name)) = rest.split_once(":table/") else { return false };
    let Some((region, account)) = before.rsplit_once(':') else { return false };
    let digits = !account.is_empty() && account.bytes().all(|b| b.is_ascii_digit());
    !region.is_empty() && digits && name.chars().count() >= 3 && !name.contains('/')
}
