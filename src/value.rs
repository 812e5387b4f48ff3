//! Reading what a value holds: members of maps, elements of lists and sets, without JSON.

use std::ffi::c_char;

use kstone_api::{Members, Type, ValueRef};

use crate::boundary::status::{KSTONE_DONE, KSTONE_ERR_TYPE, KSTONE_NOT_FOUND, KSTONE_OK, Status};
use crate::boundary::{Failure, Out, accessor, by_contract, bytes, entry, text_bytes};
use crate::item::{Bytes, Value};

/// More bytes than the stored form of any value has.
const VALUE_MAX_BYTES: usize = 1 << 20;

/// How many others a value holds: the members of a map, the elements of a list or set. 0 for a value of any other
/// type, for NULL, and for what is no value of this library as far as can be told.
///
/// Cost: their number; nothing is allocated.
/// Threads: any; a value may be read by many threads at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_value_count(v: *const Value) -> usize {
    accessor!(0, {
        let members = value_of(v).ok().and_then(ValueRef::members);
        members.map_or(0, |members| members.take_while(Result::is_ok).count())
    })
}

/// Member i of a value, counted from 0 in stored order: maps by the bytes of their names, lists as they are, sets by
/// their elements' bytes, or by value where they are numbers. *name becomes the name in a map, and empty in a list or
/// set; name may be NULL. out may be v itself.
///
/// Returns KSTONE_NOT_FOUND from kstone_value_count on.
/// Ownership: the bytes of *name and *out are borrowed from the item that v was borrowed from, and stay valid as long
/// as those of v.
/// Errors: KSTONE_ERR_TYPE where v holds no others, KSTONE_ERR_INVALID where it is no value of this library as far as
/// can be told: of what is read here every byte is checked to lie inside of v.
/// Cost: i; for all members one after another kstone_value_next takes one step each. Nothing is allocated or copied.
/// Threads: as kstone_value_count.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_value_at(v: *const Value, i: usize, name: *mut Bytes, out: *mut Value) -> Status {
    entry!({
        let (name, out) = (Out::optional(name), Out::new(out, "out")?);
        let mut members = members_of(v)?;
        // One after another: a member that is malformed ends it.
        for _ in 0..i {
            if members.next().transpose()?.is_none() {
                return Ok(KSTONE_NOT_FOUND);
            }
        }
        hand_out_next(&mut members, name, out, KSTONE_NOT_FOUND)
    })
}

/// The member of a map with this name, which is compared byte by byte: dots and brackets mean nothing special, so this
/// finds what a path cannot.
///
/// Returns KSTONE_NOT_FOUND where the map has no such member.
/// Ownership, threads: as kstone_value_at.
/// Errors: KSTONE_ERR_TYPE where v is no map; otherwise as kstone_value_at.
/// Cost: the number of members before it; nothing is allocated or copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_value_find(
    v: *const Value,
    name: *const c_char,
    name_len: usize,
    out: *mut Value,
) -> Status {
    entry!({
        let out = Out::new(out, "out")?;
        let name = text_bytes(name, name_len, "name")?;
        let value = value_of(v)?;
        if value.type_() != Type::M {
            return Err(Failure::new(
                KSTONE_ERR_TYPE,
                "a value of this type has no members with names: only a map has",
            ));
        }
        for member in members_of(v)? {
            let member = member?;
            if member.name == name {
                out.set(Value::of(member.value));
                return Ok(KSTONE_OK);
            }
        }
        Ok(KSTONE_NOT_FOUND)
    })
}

/// The next member of a value. *position says where it begins; it is 0 for the first, and becomes that of the member
/// after it. Otherwise as kstone_value_at.
///
/// Returns KSTONE_DONE behind the last member.
/// Ownership, threads: as kstone_value_at.
/// Errors: as kstone_value_at, and KSTONE_ERR_INVALID for a position where no member begins, as far as can be told.
/// Cost: one step; nothing is allocated or copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_value_next(
    v: *const Value,
    position: *mut usize,
    name: *mut Bytes,
    out: *mut Value,
) -> Status {
    entry!({
        let (name, out) = (Out::optional(name), Out::new(out, "out")?);
        if position.is_null() {
            return Err(Failure::misuse("position is NULL: it says which member is the next"));
        }
        let at = position.read();
        let Some(mut members) = members_of(v)?.from_offset(at) else {
            return Err(Failure::invalid(format!("no member begins at position {at}: it lies beyond the value")));
        };
        let status = hand_out_next(&mut members, name, out, KSTONE_DONE)?;
        position.write(members.offset());
        Ok(status)
    })
}

/// Writes the next member to its outputs, or says that there is none.
fn hand_out_next(
    members: &mut Members<'_>,
    name: Option<Out<Bytes>>,
    out: Out<Value>,
    none: Status,
) -> Result<Status, Failure> {
    let Some(member) = members.next().transpose()? else {
        return Ok(none);
    };
    if let Some(name) = name {
        name.set(Bytes::of(member.name));
    }
    out.set(Value::of(member.value));
    Ok(KSTONE_OK)
}

/// The members of a value that came in.
///
/// # Safety
/// As for [`value_of`].
unsafe fn members_of<'a>(v: *const Value) -> Result<Members<'a>, Failure> {
    by_contract!(value_of(v))?.members().ok_or_else(|| {
        Failure::new(KSTONE_ERR_TYPE, "a value of this type holds no others: only a list, a map or a set does")
    })
}

/// A value that came in, as far as it can be told to be one.
///
/// # Safety
/// `v` is NULL or may be read, and so may its bytes, which nobody changes during `'a`.
unsafe fn value_of<'a>(v: *const Value) -> Result<ValueRef<'a>, Failure> {
    if v.is_null() {
        return Err(Failure::misuse("a kstone_value is needed, found NULL"));
    }
    // SAFETY: not NULL, so it may be read.
    let Value { r#type, reserved, bytes: payload } = unsafe { v.read() };
    let type_ = u8::try_from(r#type).ok().and_then(Type::from_code);
    let (Some(type_), 0, 0..=VALUE_MAX_BYTES) = (type_, reserved, payload.len) else {
        return Err(Failure::invalid(
            "this kstone_value was not written by the library: its type or length is impossible",
        ));
    };
    let payload = by_contract!(bytes(payload.data.cast(), payload.len, "the value's bytes"))?;
    Ok(ValueRef::from_parts(type_, payload))
}
