//! The contract that every exported function has with its caller, said once.
//!
//! The conventions at the top of the header in Rust's terms; each holds during the call:
//!
//! 1. A pointer to a handle is NULL or a live handle of this library, of any kind. A handle given as a pointer to const
//!    is changed by nobody; any other, but for a database or an account, is used by nobody else.
//! 2. A pointer and a length describe memory that may be read and does not change, or are among what is refused: NULL
//!    with a length, a length that memory cannot have. With `KSTONE_STRLEN` a NUL ends the text.
//! 3. An output is NULL or a pointer that may be written.
//! 4. A struct is NULL or begins with the size of the memory that may be read behind it; its fields keep this contract.
//!
//! An `unsafe fn` of this crate without a `# Safety` section of its own asks for this contract and passes it on.

/// What an unsafe call needs where the contract of the function around it says it all.
///
/// For unsafe functions alone: in a safe one nobody has promised the contract.
macro_rules! by_contract {
    ($($call:tt)*) => {
        // SAFETY: the caller of the function around this keeps the contract of `boundary::contract`, and what is called
        // asks for nothing else.
        unsafe { $($call)* }
    };
}
pub(crate) use by_contract;
