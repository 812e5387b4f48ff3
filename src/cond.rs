//! Expressions that come in: their text, their parameters, and the condition of a write.

use std::ffi::c_char;

use kstone_api::Write;
use kstone_api::expression::Parameters;

use crate::boundary::{Failure, text};
use crate::item::{Item, View};
use crate::options::{c_struct, not_served, read_struct};

/// EXPRESSIONS
///
/// Conditions, filters, projections, key conditions and updates are texts in DynamoDB's grammar, with its limits (4 KB,
/// 300 operators), its reserved words and its messages:
///
///  - condition and filter: `= <> < <= > >= BETWEEN IN AND OR NOT ( )`, attribute_exists, attribute_not_exists,
///    attribute_type, begins_with, contains, size. "price < :max AND contains(tags, :tag)"
///  - key condition: pk and sk alone. "pk = :p AND sk BETWEEN :from AND :to"
///  - projection: paths. "title, address.city, `tags[0]`"
///  - update: SET (with + - if_not_exists list_append), REMOVE, ADD, DELETE. "SET stock = stock - :n REMOVE note"
///
/// In an expression pk and sk are the item's key: text where its bytes are UTF-8, bytes elsewhere. So
/// "attribute_not_exists(pk)" means that there is no item yet, and no update may change them.
///
/// Values are never written into the text. They come in a bag, which is an item like any other: the attribute ":max" is
/// what :max stands for, and "#s", which must be text, is the attribute name that #s stands for. A name that is a
/// reserved word, or holds a dot, needs such a #name. What an expression names must be in its bag, and everything in
/// the bag must be used: KSTONE_ERR_INVALID otherwise. NULL is an empty bag. Bags are copied; one serves many calls.
///
/// Expressions are parsed once: the database remembers the texts that it saw last. So keep them constant, and vary the
/// bag.
///
/// ```c
/// static int reserve_seat(kstone_db *db, const char *seat, size_t seat_len, const char *who) {
///     kstone_cond cond = {0};
///     kstone_item *item = kstone_item_new();
///     kstone_error *err = NULL;
///     kstone_value owner;
///     kstone_status status;
///     cond.struct_size = sizeof cond;
///     cond.expr = "attribute_not_exists(pk)";
///     cond.expr_len = KSTONE_STRLEN;
///     cond.return_old = 1;
///     kstone_item_set_str(item, "who", KSTONE_STRLEN, who, KSTONE_STRLEN);
///     status = kstone_put_if(db, seat, seat_len, NULL, 0, item, &cond, NULL, &err);
///     if (status == KSTONE_ERR_CONDITION_FAILED &&
///         kstone_item_get(kstone_error_item(err), "who", KSTONE_STRLEN, &owner) == KSTONE_OK) {
///         printf("taken by %.*s\n", (int)owner.bytes.len, (const char *)owner.bytes.data);
///     }
///     kstone_free(err);
///     kstone_free(item);
///     return status == KSTONE_OK;
/// }
/// ```
///
/// The condition of a write. Set struct_size to sizeof(kstone_cond) and everything else to 0, then what you want.
/// Instead of a kstone_cond, NULL means no condition.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Cond {
    /// sizeof(kstone_cond), in bytes.
    pub struct_size: usize,
    /// The condition; NULL: none. An empty text is KSTONE_ERR_INVALID.
    pub expr: *const c_char,
    /// How many bytes expr has, or KSTONE_STRLEN.
    pub expr_len: usize,
    /// What its :values and #names stand for; NULL: nothing, or with an update what the update's stand for.
    pub params: *const Item,
    /// 1: where the condition does not hold, kstone_error_item gives the item that is there. 0: it gives NULL.
    pub return_old: u32,
    /// 0.
    pub reserved: u32,
}

c_struct!(Cond, "kstone_cond", [struct_size, expr, expr_len, params, return_old, reserved]);

/// The condition of a write, read and copied out as far as it must be.
pub(crate) struct Condition<'a> {
    expression: Option<&'a str>,
    parameters: Option<Parameters>,
    return_old: bool,
}

impl<'a> Condition<'a> {
    /// Reads a caller's struct. Its bag is let go of again.
    ///
    /// # Safety
    /// `cond` is NULL or a struct that begins with its size; what it points at may be read, and does not change, during
    /// `'a`.
    pub(crate) unsafe fn read(cond: *const Cond) -> Result<Self, Failure> {
        // SAFETY: as this function's.
        unsafe {
            let cond = read_struct(cond)?;
            not_served(cond.reserved != 0, "kstone_cond.reserved")?;
            if cond.return_old > 1 {
                return Err(Failure::invalid(format!("kstone_cond.return_old is {}: it is 0 or 1", cond.return_old)));
            }
            Ok(Self {
                expression: expression(cond.expr, cond.expr_len, "kstone_cond.expr")?,
                parameters: parameters(cond.params)?,
                return_old: cond.return_old == 1,
            })
        }
    }

    /// Its text, where there is one.
    pub(crate) fn expression(&self) -> Option<&'a str> {
        self.expression
    }

    /// The write on this condition.
    pub(crate) fn apply(self, mut write: Write) -> Write {
        if let Some(expression) = self.expression {
            write = write.condition(expression);
        }
        if let Some(parameters) = self.parameters {
            write = write.condition_parameters(parameters);
        }
        if self.return_old {
            write = write.return_old_on_failure();
        }
        write
    }
}

/// The text of an expression; none for NULL.
///
/// # Safety
/// As for [`text`].
#[inline]
pub(crate) unsafe fn expression<'a>(
    data: *const c_char,
    len: usize,
    name: &'static str,
) -> Result<Option<&'a str>, Failure> {
    if data.is_null() && len == 0 {
        return Ok(None);
    }
    // SAFETY: as this function's.
    match unsafe { text(data, len, name) }? {
        "" => Err(Failure::invalid(format!("{name} is an empty expression: NULL is none"))),
        text => Ok(Some(text)),
    }
}

/// The parameters in a bag, copied out; none for NULL.
///
/// # Safety
/// As for [`View::new`].
pub(crate) unsafe fn parameters(bag: *const Item) -> Result<Option<Parameters>, Failure> {
    if bag.is_null() {
        return Ok(None);
    }
    // SAFETY: as this function's.
    let mut view = unsafe { View::new(bag) }?;
    Ok(Some(Parameters::from_bag(view.item()?)?))
}
