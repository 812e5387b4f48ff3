//! SSESpecification: which key would encrypt a table. Nothing is encrypted here; what was asked for is described
//! (ack-api-quirks, DDB-TABLE-027 to -044 and -442, captured in October 2026).

use crate::catalog::arn::Place;
use crate::catalog::settings::Encryption;
use crate::texts::Text;
use crate::view::Structure;

/// The key that AWS would manage, by its identifier.
const MANAGED_KEY: &str = "key/00000000-0000-4000-8000-000000000000";

/// What the members demand of each other.
pub(super) fn rules(input: &Structure<'_>) -> Result<(), Text> {
    let Some(asked) = input.get("SSESpecification").map(|asked| asked.structure()) else { return Ok(()) };
    let is_type = |name: &str| asked.get("SSEType").is_some_and(|kind| kind.quoted().is(name));
    if asked.get("Enabled").is_some_and(|enabled| !enabled.boolean()) {
        let members = ["SSEType", "KMSMasterKeyId"];
        let named = members.into_iter().find(|member| asked.has(member));
        return named.map_or(Ok(()), |member| Err(Text::EncryptionMember { member }));
    }
    if is_type("AES256") {
        return Err(Text::EncryptionType);
    }
    if asked.has("KMSMasterKeyId") && !is_type("KMS") {
        return Err(Text::EncryptionKeyWithoutType);
    }
    Ok(())
}

/// What is asked for; none is the key that DynamoDB has for all tables.
pub(super) fn asked(input: &Structure<'_>, place: &Place) -> Option<Encryption> {
    asked_as(input, "SSESpecification", place)
}

/// The same by another member.
pub(super) fn asked_as(input: &Structure<'_>, member: &str, place: &Place) -> Option<Encryption> {
    let asked = input.get(member)?.structure();
    let is_on = match asked.get("Enabled") {
        Some(enabled) => enabled.boolean(),
        None => asked.has("SSEType"),
    };
    let key = asked.get("KMSMasterKeyId").map(|key| key.text().into_owned());
    is_on.then(|| Encryption { key_arn: key_arn(key.as_deref(), place) })
}

fn key_arn(key: Option<&str>, place: &Place) -> String {
    let prefix = format!("arn:aws:kms:{}:{}:", place.region(), place.account_id());
    match key {
        None | Some("alias/aws/dynamodb") => format!("{prefix}{MANAGED_KEY}"),
        Some(arn) if arn.starts_with("arn:") => arn.to_owned(),
        Some(alias) if alias.starts_with("alias/") => format!("{prefix}{alias}"),
        Some(key) => format!("{prefix}key/{}", key.trim_start_matches("key/")),
    }
}
