//! Shard iterators: a place in a stream, and when it was given out.
//!
//! ```text
//! arn:…:table/music/stream/2026-08-11T09:30:00.123|1|BASE64
//! BASE64 of: kind u8 │ sequence number u64 │ moment in epoch seconds i64      (big-endian)
//! ```
//! An iterator is good for 15 minutes by the account's clock. Nothing in it is a secret: whoever makes one up reads what
//! they may read anyway.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{StreamName, Streams};

/// For how many seconds an iterator is good.
const LIFE_SECONDS: i64 = 15 * 60;
/// What is added to a record's number, so that it has the 21 digits that AWS's have and none of them is lost where it is
/// read as a number.
const SEQUENCE_BASE: u128 = 100_000_000_000_000_000_000;

/// A place in a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ShardIterator {
    pub(crate) stream: StreamName,
    pub(crate) from: From,
    /// When it was given out, in epoch seconds.
    pub(crate) moment: i64,
}

/// Where it reads on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    /// At the oldest record there is when it is used.
    Oldest,
    /// Behind the record of this number.
    After(u64),
}

impl ShardIterator {
    /// As the caller gets it.
    pub(crate) fn encode(&self, streams: &Streams) -> String {
        let (kind, number) = match self.from {
            From::Oldest => (0, 0),
            From::After(number) => (1, number),
        };
        let mut bytes = vec![kind];
        bytes.extend_from_slice(&number.to_be_bytes());
        bytes.extend_from_slice(&self.moment.to_be_bytes());
        format!("{}|1|{}", streams.arn(&self.stream), STANDARD.encode(bytes))
    }

    /// As the caller gave it, where it is one.
    pub(crate) fn decode(text: &str, streams: &Streams) -> Option<Self> {
        let (arn, rest) = text.split_once('|')?;
        let bytes = STANDARD.decode(rest.strip_prefix("1|")?).ok()?;
        let (kind, rest) = bytes.split_first()?;
        let (number, moment) = rest.split_first_chunk::<8>()?;
        let number = u64::from_be_bytes(*number);
        let from = match kind {
            0 => From::Oldest,
            1 => From::After(number),
            _ => return None,
        };
        Some(Self { stream: streams.name_in(arn)?, from, moment: i64::from_be_bytes(moment.try_into().ok()?) })
    }

    /// Whether it is too old to be used.
    pub(crate) fn is_expired(&self, now: i64) -> bool {
        now.saturating_sub(self.moment) > LIFE_SECONDS
    }
}

/// A record's number as AWS writes such numbers.
pub(crate) fn sequence(number: u64) -> String {
    (SEQUENCE_BASE + u128::from(number)).to_string()
}

/// The record's number that such a text is. One below all of them is 0.
pub(crate) fn number_of(sequence: &str) -> Option<u64> {
    let is_number = !sequence.is_empty() && sequence.bytes().all(|byte| byte.is_ascii_digit());
    let number = sequence.parse::<u128>().ok().filter(|_| is_number)?;
    Some(u64::try_from(number.saturating_sub(SEQUENCE_BASE)).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iterators_are_read_as_they_were_written_and_nothing_else_is() {
        let streams = Streams::new("eu-west-2", "123456789012");
        let stream = StreamName { table: "a.b-c".into(), label: "2026-08-11T09:30:00.123".into() };
        for from in [From::Oldest, From::After(0), From::After(u64::MAX)] {
            for moment in [0, -1, i64::MAX] {
                let iterator = ShardIterator { stream: stream.clone(), from, moment };
                let text = iterator.encode(&streams);
                assert_eq!(ShardIterator::decode(&text, &streams), Some(iterator));
                for end in 0..text.len() {
                    assert_eq!(ShardIterator::decode(&text[..end], &streams), None, "{}", &text[..end]);
                }
                assert_eq!(ShardIterator::decode(&text, &Streams::new("eu-west-2", "123456789013")), None);
            }
        }
        for text in ["", "|", "||", "a|1|", "|1|AA==", "arn:aws:dynamodb:eu-west-2:123456789012:table/t|1|AA=="] {
            assert_eq!(ShardIterator::decode(text, &streams), None, "{text}");
        }
    }

    #[test]
    fn sequence_numbers_have_21_digits_and_keep_their_order() {
        let texts: Vec<String> = [0, 1, 9, 10, u64::MAX].map(sequence).into();
        assert!(texts.iter().all(|text| text.len() == 21) && texts.is_sorted());
        for number in [0, 1, 42, u64::MAX] {
            assert_eq!(number_of(&sequence(number)), Some(number));
        }
        assert_eq!((number_of("000000000000000000007"), number_of(&"9".repeat(40))), (Some(0), None));
        assert_eq!((number_of(&"9".repeat(38)), number_of(""), number_of("+1")), (Some(u64::MAX), None, None));
    }

    #[test]
    fn an_iterator_is_good_for_a_quarter_of_an_hour() {
        let stream = StreamName { table: "t".into(), label: "l".into() };
        let iterator = ShardIterator { stream, from: From::Oldest, moment: 1000 };
        assert!(!iterator.is_expired(999) && !iterator.is_expired(1900) && iterator.is_expired(1901));
    }
}
