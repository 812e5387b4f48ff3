//! TagResource, UntagResource and ListTagsOfResource: the ARN before what is done with it (dynalite,
//! `validations/tagResource.js` and its neighbours).

use crate::echo::Echo;
use crate::pipeline::{Pipeline, Rules};
use crate::texts::Text;
use crate::view::Structure;

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
