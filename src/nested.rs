//! Building lists, maps and sets member by member, without JSON.

use std::ffi::c_char;

use kstone_api::Type;

use crate::boundary::status::{KSTONE_NOT_FOUND, KSTONE_OK, Status};
use crate::boundary::{ErrorObject, Failure, entry, text};
use crate::item_build::built;
use crate::item_view::Item;

/// Opens a list, a map or a set: type is KSTONE_TYPE_L, KSTONE_TYPE_M, KSTONE_TYPE_SS, KSTONE_TYPE_NS or
/// KSTONE_TYPE_BS. Until kstone_item_close, the setters (kstone_item_set_str and so on) and this function add to it:
/// under a name in a map, where the last of one name stays, and without one (NULL, 0) in a list or set. Where nothing
/// is open, name is that of the attribute.
///
/// As long as anything is open the item is not complete: reading, putting, cloning it and kstone_item_remove are
/// KSTONE_ERR_MISUSE, and accessors see an empty item. The attribute takes the place of one of its name when its
/// outermost list, map or set is closed, not before.
///
/// Errors: KSTONE_ERR_MISUSE where it is NULL or an item that was read; KSTONE_ERR_INVALID for another type, inside a
/// set, and for a name that is missing in a map or given in a list; KSTONE_ERR_LIMIT for more than 32 lists and maps
/// inside each other, for a name that is too long, and for more than 1 MiB. The item stays as it was then.
/// Cost: as a setter. Members are written once, where they belong; a map or set whose members do not come in order is
/// sorted once, when it is closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_open(
    it: *mut Item,
    name: *const c_char,
    name_len: usize,
    r#type: u32,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let name = text(name, name_len, "name")?;
        let Some(type_) = u8::try_from(r#type).ok().and_then(Type::from_code) else {
            return Err(Failure::invalid(format!("type: {type} is no KSTONE_TYPE_", type = r#type)));
        };
        built(it)?.nested().open(name, type_)?;
        Ok(KSTONE_OK)
    })
}

/// Closes the list, map or set that was opened last and is open still.
///
/// Errors: KSTONE_ERR_MISUSE where nothing is open, or it is NULL or an item that was read; KSTONE_ERR_INVALID for a
/// set that is empty or has an element twice; KSTONE_ERR_LIMIT where the item would take more than 1 MiB. It stays
/// open then: an empty set can be added to, and kstone_item_cancel ends all else.
/// Cost: nothing to speak of where members came in order, a sort of them otherwise, and a copy of the attribute.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_close(it: *mut Item, err: *mut *mut ErrorObject) -> Status {
    entry!(err, {
        built(it)?.close()?;
        Ok(KSTONE_OK)
    })
}

/// Drops the attribute that is open, with all that was added to it. The item is then as it was before that was opened.
///
/// Returns KSTONE_NOT_FOUND where nothing is open.
/// Errors: KSTONE_ERR_MISUSE where it is NULL or an item that was read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_cancel(it: *mut Item) -> Status {
    entry!({ Ok(if built(it)?.cancel() { KSTONE_OK } else { KSTONE_NOT_FOUND }) })
}
