//! Values that come in for what was prepared: lent for one run, not copied.
//!
//! A number is the one kind of value that may come in another form than it is kept in: as an integer or a double of C,
//! or as a text such as "1.50". What it is kept as is written next to the values.

use std::ffi::c_void;

use kstone_api::{CoreError, Type, ValueRef, number};
use smallvec::SmallVec;

use crate::boundary::{Failure, by_contract, bytes, checked_text};
use crate::item::{KSTONE_TYPE_N, Value};

/// Of a value that is bound: an int64_t, to which bytes.data points; bytes.len is its size, 8. It is bound as a number.
pub const KSTONE_VALUE_I64: u32 = 257;
/// Of a value that is bound: a double, to which bytes.data points; bytes.len is its size, 8. It is bound as a number.
pub const KSTONE_VALUE_F64: u32 = 258;

/// The most values that are believed: no text has so many parameters.
const VALUES_MAX: usize = 1 << 15;

/// The texts of numbers that came in otherwise.
pub(crate) type Numbers = SmallVec<[u8; 64]>;
/// The values of a run.
pub(crate) type BoundValues<'v> = SmallVec<[ValueRef<'v>; 8]>;

/// Adds the values of a run of what has so many parameters, in their order. A failure says which of them is wrong, by its
/// position, unless all are; values beyond the parameters are not looked at, since their number alone is wrong.
///
/// # Safety
/// `values` is NULL or `count` values, whose bytes may be read; nobody changes them during `'v`.
pub(crate) unsafe fn bound_values<'v>(
    parameters: usize,
    (values, count): (*const Value, usize),
    numbers: &'v mut Numbers,
    bound: &mut BoundValues<'v>,
) -> Result<(), (Option<usize>, Failure)> {
    if count == 0 {
        return Ok(());
    }
    if values.is_null() || count > VALUES_MAX {
        return Err((None, refuse_values(values.is_null(), count)));
    }
    // SAFETY: not NULL, so the caller vouches for so many.
    let values = unsafe { std::slice::from_raw_parts(values, count) };
    bound.reserve(count);
    // Where numbers lie that had to be written: they are read when all of them are there.
    let mut written: SmallVec<[(u16, u32); 4]> = SmallVec::new();
    for (at, value) in values.iter().enumerate().take(parameters) {
        by_contract!(write_number(value, numbers)).map_err(|failure| (Some(at), failure))?;
        if written.last().map_or(0, |&(_, end)| end as usize) < numbers.len() {
            written.push((at as u16, numbers.len() as u32));
            bound.push(ValueRef::from_parts(Type::N, b"0"));
        } else {
            bound.push(by_contract!(value_of(value)).map_err(|failure| (Some(at), failure))?);
        }
    }
    let numbers: &'v [u8] = numbers;
    let mut start = 0;
    for &(at, end) in &written {
        bound[usize::from(at)] = ValueRef::from_parts(Type::N, &numbers[start..end as usize]);
        start = end as usize;
    }
    if count > parameters {
        bound.resize(count, ValueRef::from_parts(Type::Null, b""));
    }
    Ok(())
}

#[cold]
fn refuse_values(is_null: bool, count: usize) -> Failure {
    Failure::misuse(match is_null {
        true => "values is NULL, but their number is not 0".to_owned(),
        false => format!("the number of values is impossible: {count}"),
    })
}

/// Writes a number down as it is kept, where it came in otherwise.
unsafe fn write_number(value: &Value, numbers: &mut Numbers) -> Result<(), Failure> {
    match value.r#type {
        KSTONE_TYPE_N => {
            let text = checked_text(by_contract!(payload(value))?, "the number")?;
            if !number::is_canonical(text) {
                numbers.extend_from_slice(number::canonical(text).map_err(invalid)?.as_bytes());
            }
        }
        KSTONE_VALUE_I64 => {
            let integer = i64::from_ne_bytes(by_contract!(native(value, "KSTONE_VALUE_I64"))?);
            let mut text = [0; number::INTEGER_MAX_BYTES];
            numbers.extend_from_slice(number::integer(integer, &mut text));
        }
        KSTONE_VALUE_F64 => {
            let double = f64::from_ne_bytes(by_contract!(native(value, "KSTONE_VALUE_F64"))?);
            numbers.extend_from_slice(number::canonical(&double.to_string()).map_err(invalid)?.as_bytes());
        }
        _ => {}
    }
    Ok(())
}

/// A value in the form in which it is kept.
unsafe fn value_of<'v>(value: &Value) -> Result<ValueRef<'v>, Failure> {
    let type_ = match u8::try_from(value.r#type).ok().and_then(Type::from_code) {
        Some(type_) => type_,
        None if value.r#type == 0 => return Err(Failure::invalid("it is not bound: its type is 0")),
        None => return Err(Failure::invalid(format!("its type, {}, is not known", value.r#type))),
    };
    let payload = by_contract!(payload(value))?;
    ValueRef::validate(type_, payload).map_err(invalid)
}

/// The bytes of a value.
unsafe fn payload<'v>(value: &Value) -> Result<&'v [u8], Failure> {
    if value.reserved != 0 {
        return Err(Failure::invalid("kstone_value.reserved is not 0"));
    }
    by_contract!(bytes(value.bytes.data.cast::<c_void>(), value.bytes.len, "kstone_value.bytes"))
}

/// The bytes of a number of C.
unsafe fn native(value: &Value, type_: &str) -> Result<[u8; 8], Failure> {
    let bytes = by_contract!(payload(value))?;
    bytes.try_into().map_err(|_| Failure::invalid(format!("{type_} takes 8 bytes, found {}", bytes.len())))
}

fn invalid(error: CoreError) -> Failure {
    error.into()
}
