//! Time, as whole seconds since the epoch (1970-01-01T00:00:00Z), from a clock that is handed in.
//!
//! Nothing else in the library asks the system what time it is, so tests say it instead of sleeping.
//!
//! Thread safety: every type here may be used from any thread; reads take no lock.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Says what time it is.
pub trait Clock: Send + Sync {
    /// Seconds since the epoch, rounded down; negative before it. Must not block: it is asked under locks.
    fn now_epoch_seconds(&self) -> i64;

    /// The same in milliseconds: those of the second where the clock knows them, otherwise its beginning.
    fn now_epoch_millis(&self) -> i64 {
        self.now_epoch_seconds().saturating_mul(1000)
    }
}

/// The system's clock. Costs what the operating system takes: tens of nanoseconds, so pages ask once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_epoch_seconds(&self) -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            Err(before) => {
                let before = before.duration();
                let seconds = before.as_secs().saturating_add(u64::from(before.subsec_nanos() > 0));
                i64::try_from(seconds).map_or(i64::MIN, |seconds| -seconds)
            }
        }
    }

    fn now_epoch_millis(&self) -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(_) => self.now_epoch_seconds().saturating_mul(1000),
        }
    }
}

/// A clock that stands still until it is told otherwise.
///
/// ```
/// use kstone_api::clock::{Clock, ManualClock};
///
/// let clock = ManualClock::new(1_000);
/// clock.advance(60);
/// assert_eq!(clock.now_epoch_seconds(), 1_060);
/// ```
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows this time.
    #[must_use]
    pub const fn new(epoch_seconds: i64) -> Self {
        Self(AtomicI64::new(epoch_seconds))
    }

    /// Shows this time from now on.
    pub fn set(&self, epoch_seconds: i64) {
        self.0.store(epoch_seconds, Ordering::Relaxed);
    }

    /// Moves on by so many seconds, back where they are negative.
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now_epoch_seconds(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a database takes for the time: a clock, or, while one is set, a fixed time in its place.
///
/// A time that is set is seen by every call that begins after it was, as far as the program orders the two.
///
/// ```
/// use std::sync::Arc;
/// use kstone_api::clock::{Clock, ClockSource, ManualClock};
///
/// let source = ClockSource::new(Arc::new(ManualClock::new(50)));
/// source.set_time(1_700_000_000);
/// assert_eq!(source.now_epoch_seconds(), 1_700_000_000);
/// source.set_time(0);
/// assert_eq!(source.now_epoch_seconds(), 50);
/// ```
pub struct ClockSource {
    clock: Arc<dyn Clock>,
    /// [`FOLLOW`], or the time to show. Relaxed, since it says nothing about other memory.
    fixed: AtomicI64,
}

/// Stands for no fixed time.
const FOLLOW: i64 = 0;

impl ClockSource {
    /// Follows this clock.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, fixed: AtomicI64::new(FOLLOW) }
    }

    /// Shows this time, standing still, from now on; 0 goes back to the clock. So the very second of the epoch cannot
    /// be set; every other one can, those before it too.
    pub fn set_time(&self, epoch_seconds: i64) {
        self.fixed.store(epoch_seconds, Ordering::Relaxed);
    }

    /// The time that is set, if one is.
    pub fn fixed_time(&self) -> Option<i64> {
        Some(self.fixed.load(Ordering::Relaxed)).filter(|&time| time != FOLLOW)
    }
}

/// The system's clock.
impl Default for ClockSource {
    fn default() -> Self {
        Self::new(Arc::new(SystemClock))
    }
}

impl Clock for ClockSource {
    fn now_epoch_seconds(&self) -> i64 {
        self.fixed_time().unwrap_or_else(|| self.clock.now_epoch_seconds())
    }

    fn now_epoch_millis(&self) -> i64 {
        self.fixed_time().map_or_else(|| self.clock.now_epoch_millis(), |seconds| seconds.saturating_mul(1000))
    }
}

/// Follows the same clock; the time that is set now is set there too, and may change on its own.
impl Clone for ClockSource {
    fn clone(&self) -> Self {
        Self { clock: Arc::clone(&self.clock), fixed: AtomicI64::new(self.fixed.load(Ordering::Relaxed)) }
    }
}

impl fmt::Debug for ClockSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClockSource").field("fixed_time", &self.fixed_time()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_is_past_2020_and_does_not_run_away() {
        let now = SystemClock.now_epoch_seconds();
        assert!(now > 1_577_836_800);
        assert!(SystemClock.now_epoch_seconds() - now < 60);
        assert!((ClockSource::default().now_epoch_seconds() - now).abs() < 60);
    }

    #[test]
    fn milliseconds_are_those_of_the_second() {
        let source = ClockSource::default();
        let (before, millis, after) =
            (source.now_epoch_seconds(), source.now_epoch_millis(), source.now_epoch_seconds());
        assert!((before..=after).contains(&millis.div_euclid(1000)));
        for fixed in [7, -7] {
            source.set_time(fixed);
            assert_eq!(source.now_epoch_millis(), fixed * 1000);
        }
        assert_eq!(ManualClock::new(5).now_epoch_millis(), 5000);
    }

    #[test]
    fn a_manual_clock_shows_what_it_is_told() {
        let clock = ManualClock::default();
        assert_eq!(clock.now_epoch_seconds(), 0);
        clock.set(-5);
        clock.advance(-5);
        assert_eq!(clock.now_epoch_seconds(), -10);
        clock.advance(25);
        assert_eq!(clock.now_epoch_seconds(), 15);
    }

    #[test]
    fn a_source_switches_to_a_fixed_time_and_back_while_it_is_shared() {
        let clock = Arc::new(ManualClock::new(100));
        let source = ClockSource::new(clock.clone());
        assert_eq!((source.now_epoch_seconds(), source.fixed_time()), (100, None));
        for fixed in [7, -7, i64::MIN, i64::MAX] {
            source.set_time(fixed);
            clock.advance(1);
            assert_eq!((source.now_epoch_seconds(), source.fixed_time()), (fixed, Some(fixed)));
        }
        source.set_time(0);
        assert_eq!((source.now_epoch_seconds(), source.fixed_time()), (104, None));
    }

    #[test]
    fn readers_see_the_clock_or_a_time_that_was_set_and_nothing_else() {
        let source = ClockSource::new(Arc::new(ManualClock::new(1)));
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        assert!([1, i64::MAX].contains(&source.now_epoch_seconds()));
                    }
                });
            }
            for i in 0..10_000 {
                source.set_time(if i % 2 == 0 { i64::MAX } else { 0 });
            }
        });
    }
}
