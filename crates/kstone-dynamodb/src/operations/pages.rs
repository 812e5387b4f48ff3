//! Pages of lists of the control plane: how many, where one begins, where the next one does.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::answer::Answer;
use crate::call::Call;
use crate::echo::Echo;
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

/// What tells a token from other text.
const PREFIX: &[u8] = b"\x01k";
