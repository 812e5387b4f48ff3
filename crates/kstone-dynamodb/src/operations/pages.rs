//! Pages of lists of the control plane: how many, where one begins, where the next one does.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::answer::Answer;
use crate::call::Call;
use crate::echo::Echo;
use crate::kept::Record;
use crate::refusal::Refusal;
use crate::texts::Text;
use crate::view::Value;

/// How many there are on a page, at least one.
pub(super) fn limit(asked: Option<Value<'_>>, most: usize) -> usize {
    let asked = asked.and_then(|asked| usize::try_from(asked.integer()).ok());
    asked.unwrap_or(most).clamp(1, most)
}

/// Behind what the page begins, by the `NextToken` of the last one.
///
/// # Errors
/// A ValidationException for a token that is none.
pub(super) fn start(call: &Call<'_>) -> Result<Option<String>, Refusal> {
    let Some(token) = call.input().get("NextToken").map(|token| token.text()) else { return Ok(None) };
    let bytes = URL_SAFE_NO_PAD.decode(&*token).ok().filter(|bytes| bytes.starts_with(PREFIX));
    let place = bytes.and_then(|bytes| String::from_utf8(bytes[PREFIX.len()..].to_vec()).ok());
    let invalid = || Refusal::validation(Text::NextTokenInvalid { token: Echo::of(&token) });
    place.map(Some).ok_or_else(invalid)
}

/// Writes the token of the next page, if there is one.
pub(super) fn next(answer: &mut Answer, behind: Option<&str>) {
    if let Some(behind) = behind {
        let token = URL_SAFE_NO_PAD.encode([PREFIX, behind.as_bytes()].concat());
        answer.name("NextToken").text(&token);
    }
}

/// Writes a page of records, the newest first: under which name, which member says how many, and how many at most.
pub(super) fn records(
    call: &Call<'_>,
    answer: &mut Answer,
    (name, limit, most): (&'static str, &str, usize),
    all: &[Arc<Record>],
) -> Result<(), Refusal> {
    let limit = self::limit(call.input().get(limit), most);
    let skipped = match start(call)? {
        Some(behind) => all.iter().position(|record| record.arn == behind).map_or(all.len(), |at| at + 1),
        None => 0,
    };
    let page = &all[skipped..];
    answer.object(|answer| {
        answer.name(name).list(|answer| page.iter().take(limit).for_each(|record| answer.raw(&record.summary)));
        next(answer, (page.len() > limit).then(|| &*page[limit - 1].arn));
    });
    Ok(())
}

/// What tells a token from other text.
const PREFIX: &[u8] = b"\x01k";
