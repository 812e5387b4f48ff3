//! Expressions that come in: their text, their parameters, and the condition of a write.

use std::ffi::c_char;

use kstone_api::expression::Parameters;
use kstone_api::{ItemRef, LentWrite, WriteTemplate};

use crate::boundary::{Failure, by_contract, c_struct, not_served, read_struct, text};
use crate::item_view::{Item, View};

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

/// The condition of a write, lent by the caller.
pub(crate) struct Condition<'a> {
    expression: Option<&'a str>,
    bag: Option<ItemRef<'a>>,
    return_old: bool,
}

impl<'a> Condition<'a> {
    /// Reads a caller's struct.
    ///
    /// # Safety
    /// `cond` is NULL or a struct that begins with its size; what it points at may be read, and does not change, during
    /// `'a`.
    pub(crate) unsafe fn read(cond: *const Cond) -> Result<Self, Failure> {
        if cond.is_null() {
            return Ok(Self { expression: None, bag: None, return_old: false });
        }
        by_contract!({
            let cond = read_struct(cond)?;
            not_served(cond.reserved != 0, "kstone_cond.reserved")?;
            if cond.return_old > 1 {
                return Err(Failure::invalid(format!("kstone_cond.return_old is {}: it is 0 or 1", cond.return_old)));
            }
            Ok(Self {
                expression: expression(cond.expr, cond.expr_len, "kstone_cond.expr")?,
                bag: bag(cond.params)?,
                return_old: cond.return_old == 1,
            })
        })
    }

    /// Its text, where there is one.
    pub(crate) fn expression(&self) -> Option<&'a str> {
        self.expression
    }

    /// The write that is prepared on this condition.
    pub(crate) fn apply_to_template(self, mut template: WriteTemplate) -> Result<WriteTemplate, Failure> {
        if let Some(expression) = self.expression {
            template = template.condition(expression);
        }
        if let Some(bag) = self.bag {
            template = template.condition_names(Parameters::from_bag(bag)?);
        }
        Ok(if self.return_old { template.return_old_on_failure() } else { template })
    }

    /// The write on this condition.
    pub(crate) fn apply(self, mut write: LentWrite<'a>) -> LentWrite<'a> {
        if let Some(expression) = self.expression {
            write = write.condition(expression);
        }
        if let Some(bag) = self.bag {
            write = write.condition_parameters(bag);
        }
        if self.return_old {
            write = write.return_old_on_failure();
        }
        write
    }
}

/// The text of an expression; none for NULL.
#[inline]
pub(crate) unsafe fn expression<'a>(
    data: *const c_char,
    len: usize,
    name: &'static str,
) -> Result<Option<&'a str>, Failure> {
    if data.is_null() && len == 0 {
        return Ok(None);
    }
    match by_contract!(text(data, len, name))? {
        "" => Err(Failure::invalid(format!("{name} is empty"))),
        text => Ok(Some(text)),
    }
}

/// The parameters in a bag, copied out; none for NULL.
pub(crate) unsafe fn parameters(bag: *const Item) -> Result<Option<Parameters>, Failure> {
    let bag = by_contract!(self::bag(bag))?;
    Ok(bag.map(Parameters::from_bag).transpose()?)
}

/// A bag of parameters, lent by the caller; none for NULL.
///
/// # Safety
/// `bag` is NULL or a live handle, and nobody changes it during `'a`.
pub(crate) unsafe fn bag<'a>(bag: *const Item) -> Result<Option<ItemRef<'a>>, Failure> {
    if bag.is_null() {
        return Ok(None);
    }
    Ok(Some(by_contract!(View::new(bag))?.item()))
}
