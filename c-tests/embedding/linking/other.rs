//! Another Rust static library, as a program may have one: the standard library, a panic that is caught, a thread.

use std::panic::catch_unwind;

/// Adds up the numbers below `n` in another thread, after a panic that stays inside.
#[unsafe(no_mangle)]
pub extern "C" fn other_sum(n: u64) -> u64 {
    std::panic::set_hook(Box::new(|_| {}));
    let caught = catch_unwind(|| if n > 0 { panic!("on purpose") });
    let sum = std::thread::spawn(move || (0..n).collect::<Vec<u64>>().iter().sum::<u64>());
    sum.join().unwrap_or(0) + u64::from(caught.is_err())
}
