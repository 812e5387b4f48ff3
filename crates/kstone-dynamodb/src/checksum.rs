//! What every answer carries in its headers: the checksum of its body and the number of the request.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// The value of `x-amz-crc32`: the CRC-32 of a body as it travels (facts 1.2: clients check it, and Go's warns where it is
/// missing).
///
/// ```
/// let body = br#"{"__type":"com.amazon.coral.service#SerializationException"}"#;
/// assert_eq!(kstone_dynamodb::checksum::crc32(body), 3_948_637_019);
/// ```
#[must_use]
pub fn crc32(body: &[u8]) -> u32 {
    crc32fast::hash(body)
}

/// The value of `x-amzn-RequestId`: 52 capital letters and digits.
///
/// ```
/// let id = kstone_dynamodb::checksum::request_id(&mut fastrand::Rng::with_seed(7));
/// assert!(id.len() == 52 && id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()));
/// ```
#[must_use]
pub fn request_id(random: &mut fastrand::Rng) -> String {
    const LETTERS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    (0..52).map(|_| char::from(LETTERS[random.usize(..LETTERS.len())])).collect()
}

/// A source of numbers that nobody knows ahead, for identifiers. Not `fastrand::Rng::new`, whose seed makes the standard
/// library allocate a handle of the calling thread, which a host's thread may never give back.
pub(crate) fn random() -> fastrand::Rng {
    fastrand::Rng::with_seed(RandomState::new().build_hasher().finish())
}
