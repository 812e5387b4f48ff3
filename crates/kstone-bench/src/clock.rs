//! The two clocks: the monotonic one for what a caller waits, and the thread's own CPU time for what it costs when
//! other programs take turns on the same cores.

#![expect(unsafe_code, reason = "the thread's CPU time is had from libc alone")]

use std::time::{Duration, Instant};

use crate::runner::Measurement;

/// How long something took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Elapsed {
    /// By the monotonic clock.
    pub(crate) wall: Duration,
    /// CPU time of the calling thread.
    pub(crate) cpu: Duration,
}

impl Elapsed {
    /// Both times in the unit of a workload.
    pub(crate) fn measured(self, in_unit: impl Fn(Duration) -> f64) -> Measurement {
        Measurement { value: in_unit(self.wall), cpu: Some(in_unit(self.cpu)) }
    }

    /// The medians of both times; of an even number the greater of the middle two. None where there are none.
    pub(crate) fn median(all: &[Self]) -> Option<Self> {
        let middle = |time: fn(&Self) -> Duration| {
            let mut times: Vec<Duration> = all.iter().map(time).collect();
            times.sort_unstable();
            times.get(times.len() / 2).copied()
        };
        Some(Self { wall: middle(|elapsed| elapsed.wall)?, cpu: middle(|elapsed| elapsed.cpu)? })
    }
}

/// Runs the work once and times it.
pub(crate) fn time<T>(work: impl FnOnce() -> T) -> (T, Elapsed) {
    let cpu = thread_cpu();
    let wall = Instant::now();
    let result = work();
    let elapsed = Elapsed { wall: wall.elapsed(), cpu: thread_cpu() - cpu };
    (result, elapsed)
}

/// The CPU time that the calling thread has used so far.
pub(crate) fn thread_cpu() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid timespec to write to for the duration of the call.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(status, 0, "Linux has this clock");
    let seconds = u64::try_from(time.tv_sec).expect("CPU time is not negative");
    let nanoseconds = u64::try_from(time.tv_nsec).expect("CPU time is not negative");
    Duration::from_secs(seconds) + Duration::from_nanos(nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_of_each_clock_by_itself() {
        let elapsed = |(wall, cpu)| Elapsed { wall: Duration::from_secs(wall), cpu: Duration::from_secs(cpu) };
        let median = Elapsed::median(&[(3, 1), (1, 2), (2, 9)].map(elapsed)).expect("there are three");
        assert_eq!((median.wall, median.cpu), (Duration::from_secs(2), Duration::from_secs(2)));
        assert!(Elapsed::median(&[]).is_none());
        assert_eq!(median.measured(|time| time.as_secs_f64() * 10.0).value, 20.0);
    }

    #[test]
    fn sleeping_takes_wall_time_but_no_cpu_time() {
        let ((), elapsed) = time(|| std::thread::sleep(Duration::from_millis(20)));
        assert!(elapsed.wall >= Duration::from_millis(20));
        assert!(elapsed.cpu < elapsed.wall);
    }
}
