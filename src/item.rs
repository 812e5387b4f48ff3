//! Reading items, whichever kind they are.
//!
//! ```text
//! kind before the pointer    what the pointer points at      came from
//! RECORD                     the record's partition key      kstone_get, what a write returns
//! BORROWED_ITEM              a slot's record                 a page, an error
//! LENT_ITEM                  a slot's record                 an iterator
//! BUILT_ITEM                 an ItemWriter                   kstone_item_new, _clone, _from_json
//! ```

use std::ffi::c_char;
use std::ptr::{self, NonNull};

use kstone_api::{ItemRef, ItemWriter, Record, RecordRef, ValueRef, is_plain_path};

use crate::boundary::{Failure, Out, checked_text, enter, read, text_bytes};
use crate::database::set_text;
use crate::error::Error;
use crate::handle::{Kind, Slot, kind_of, refuse_handle};
use crate::item_build::{self, BuiltItem, form_of};
use crate::status::{KSTONE_ERR_TYPE, KSTONE_NOT_FOUND, KSTONE_OK, Status};

/// ITEMS
///
/// An item is a set of named attributes, each of one of DynamoDB's ten types. There are two sorts of handle:
///
/// A built item comes from kstone_item_new, kstone_item_clone or kstone_item_from_json and belongs to you. It can be
/// changed, read, and put as often as you like.
///
/// An item that was read comes from kstone_get or from a write that returns one (yours to free), or from a page, an
/// iterator or an error (borrowed). It is the stored item itself, not a copy: reading it costs no allocation, it never
/// changes, and it stays good when the item is overwritten or deleted and when the database is freed. Setting an
/// attribute of it is KSTONE_ERR_MISUSE; kstone_item_clone makes a built item of it.
///
/// The key of an item is no attribute: kstone_item_pk and kstone_item_sk give it. An item may have attributes named
/// pk and sk as long as they say the same as the key it is put under.
///
/// Names are UTF-8 text of 1 to 65,535 bytes. Attributes are kept in the order of the bytes of their names. Setting
/// an attribute that is there replaces it.
///
/// ```c
/// static kstone_item *a_book(void) {
///     kstone_item *item = kstone_item_new();
///     kstone_item_set_str(item, "title", KSTONE_STRLEN, "The Mill on the Floss", KSTONE_STRLEN);
///     kstone_item_set_i64(item, "year", KSTONE_STRLEN, 1860);
///     kstone_item_set_num(item, "price", KSTONE_STRLEN, "9.90", KSTONE_STRLEN, NULL);
///     kstone_item_set_json(item, "tags", KSTONE_STRLEN, "[\"novel\",\"used\"]", KSTONE_STRLEN,
///                          KSTONE_JSON_PLAIN, NULL);
///     return item;
/// }
///
/// static void print_book(const kstone_item *item) {
///     kstone_value title;
///     kstone_value tag;
///     double price;
///     if (kstone_item_get(item, "title", KSTONE_STRLEN, &title) == KSTONE_OK &&
///         kstone_item_get(item, "tags[0]", KSTONE_STRLEN, &tag) == KSTONE_OK &&
///         kstone_item_get_f64(item, "price", KSTONE_STRLEN, &price) == KSTONE_OK) {
///         printf("%.*s (%.*s): %.2f\n", (int)title.bytes.len, (const char *)title.bytes.data,
///                (int)tag.bytes.len, (const char *)tag.bytes.data, price);
///     }
/// }
/// ```
pub struct Item {
    _private: [u8; 0],
}

/// Bytes that belong to something else: never NUL-terminated, never to be freed. Empty is (NULL, 0).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Bytes {
    /// The first byte; NULL where there is none.
    pub data: *const u8,
    /// How many bytes.
    pub len: usize,
}

impl Bytes {
    pub(crate) const EMPTY: Self = Self { data: ptr::null(), len: 0 };

    /// The bytes as C borrows them.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        match bytes {
            [] => Self::EMPTY,
            bytes => Self { data: bytes.as_ptr(), len: bytes.len() },
        }
    }
}

/// One attribute's value, borrowed from its item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Value {
    /// One of KSTONE_TYPE_S and so on.
    pub r#type: u32,
    /// 0.
    pub reserved: u32,
    /// S: the text, in UTF-8. N: the number as decimal text, such as "-12.5": no exponent, no superfluous zero.
    /// B: the bytes. BOOL: one byte, 1 or 0. NULL: empty. L and M: the
    /// stored form, into which a path leads. Sets: the stored form; kstone_item_to_json lists their elements.
    pub bytes: Bytes,
}

impl Value {
    fn of(value: ValueRef<'_>) -> Self {
        Self { r#type: value.type_() as u32, reserved: 0, bytes: Bytes::of(value.payload()) }
    }
}

/// Text.
pub const KSTONE_TYPE_S: u32 = 1;
/// A number: exact decimal of up to 38 digits.
pub const KSTONE_TYPE_N: u32 = 2;
/// Bytes.
pub const KSTONE_TYPE_B: u32 = 3;
/// True or false.
pub const KSTONE_TYPE_BOOL: u32 = 4;
/// NULL.
pub const KSTONE_TYPE_NULL: u32 = 5;
/// A list of values.
pub const KSTONE_TYPE_L: u32 = 6;
/// A map of names to values.
pub const KSTONE_TYPE_M: u32 = 7;
/// A set of texts.
pub const KSTONE_TYPE_SS: u32 = 8;
/// A set of numbers.
pub const KSTONE_TYPE_NS: u32 = 9;
/// A set of bytes.
pub const KSTONE_TYPE_BS: u32 = 10;

/// An item that came in.
pub(crate) enum View<'a> {
    /// It was read. The count of the record stays with whoever has it.
    Stored(RecordRef<'a>),
    /// It is being built.
    Built(&'a mut ItemWriter),
}

impl View<'_> {
    /// Looks behind a handle that came in.
    ///
    /// # Safety
    /// `item` is NULL or a live handle of this library of any kind, and nobody changes it while the view is used. A
    /// built item is used by nobody else: reading one may put its attributes in order first.
    #[inline(always)]
    pub(crate) unsafe fn new(item: *const Item) -> Result<Self, Failure> {
        let Some(pointer) = NonNull::new(item.cast_mut()) else {
            return Err(refuse_handle("a kstone_item", true));
        };
        // SAFETY: a live handle, so its kind lies before it and says what the pointer points at.
        unsafe {
            match kind_of(item) {
                Kind::RECORD => Ok(Self::Stored(RecordRef::from_raw(pointer.cast()))),
                Kind::BORROWED_ITEM => match Slot::<Record>::of(item.cast()).record() {
                    Some(record) => Ok(Self::Stored(record.into())),
                    None => Err(refuse_gone()),
                },
                Kind::BUILT_ITEM => Ok(Self::Built((*pointer.cast::<BuiltItem>().as_ptr()).writer())),
                Kind::LENT_ITEM => match Slot::<RecordRef<'_>>::of(item.cast()).record() {
                    Some(record) => Ok(Self::Stored(*record)),
                    None => Err(refuse_gone()),
                },
                _ => Err(refuse_handle("a kstone_item", false)),
            }
        }
    }

    /// The item in its stored form.
    pub(crate) fn body(&mut self) -> Result<&[u8], Failure> {
        match self {
            Self::Stored(record) => Ok(record.body()),
            Self::Built(writer) => Ok(writer.finish()),
        }
    }

    /// The item's attributes.
    pub(crate) fn item(&mut self) -> Result<ItemRef<'_>, Failure> {
        Ok(ItemRef::new(self.body()?))
    }

    #[inline(always)]
    fn at_path(&mut self, path: &[u8]) -> Result<Option<ValueRef<'_>>, Failure> {
        let item = self.item()?;
        // A name that is found is text, since all names are.
        if is_plain_path(path)
            && let Some(value) = item.get_raw(path)
        {
            return Ok(Some(value));
        }
        follow(item, path)
    }

    fn record(&self) -> Option<RecordRef<'_>> {
        match self {
            Self::Stored(record) => Some(*record),
            Self::Built(_) => None,
        }
    }
}

#[cold]
#[inline(never)]
fn refuse_gone() -> Failure {
    Failure::misuse("this item is gone: its iterator went on")
}

/// Where a path leads that is more than the name of an attribute, or nowhere.
#[inline(never)]
fn follow<'a>(item: ItemRef<'a>, path: &[u8]) -> Result<Option<ValueRef<'a>>, Failure> {
    Ok(item.at_path(checked_text(path, "path")?)?)
}

/// A built item with the same attributes as another, whichever sort that is: the way to change an item that was read.
/// NULL where it is NULL or no item.
///
/// Ownership: the copy is yours, release it with kstone_free.
/// Cost: a copy of the item.
///
/// # Safety
/// `it` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_clone(it: *const Item) -> *mut Item {
    // SAFETY: as this function's.
    read(ptr::null_mut(), || match unsafe { View::new(it) } {
        Ok(mut view) => view.body().map_or(ptr::null_mut(), item_build::hand_out_copy),
        Err(_) => ptr::null_mut(),
    })
}

/// The value of the attribute that path leads to: a name ("title"), and from there members of maps and elements of
/// lists, counted from 0 (`address.city`, `tags[0]`, `orders[2].total`). A name that holds a dot or a bracket cannot be
/// written in a path; kstone_item_at finds it.
///
/// Returns KSTONE_NOT_FOUND where the path leads nowhere.
/// Ownership: the bytes of *out are borrowed. They stay good until the item is changed or freed, or what it was
/// borrowed from is.
/// Errors: KSTONE_ERR_INVALID where path is not UTF-8 or no path.
/// Cost: the number of attributes before it; nothing is allocated or copied.
///
/// # Safety
/// The arguments keep the conventions at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_get(
    it: *const Item,
    path: *const c_char,
    path_len: usize,
    out: *mut Value,
) -> Status {
    // SAFETY: as this function's.
    unsafe { get_with(it, path, path_len, out, |value| Ok(Value::of(value))) }
}

/// The same for a number that fits an int64_t.
///
/// Errors: as kstone_item_get, and KSTONE_ERR_TYPE where the attribute is no N, has a fraction, or does not fit.
///
/// # Safety
/// The arguments keep the conventions at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_get_i64(
    it: *const Item,
    path: *const c_char,
    path_len: usize,
    out: *mut i64,
) -> Status {
    // SAFETY: as this function's.
    unsafe { get_with(it, path, path_len, out, |value| number(value, "an int64_t")) }
}

/// The same for a number as the nearest double; a number has up to 38 digits, a double about 16.
///
/// Errors: as kstone_item_get, and KSTONE_ERR_TYPE where the attribute is no N.
///
/// # Safety
/// The arguments keep the conventions at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_get_f64(
    it: *const Item,
    path: *const c_char,
    path_len: usize,
    out: *mut f64,
) -> Status {
    // SAFETY: as this function's.
    unsafe { get_with(it, path, path_len, out, |value| number(value, "a double")) }
}

/// What the three getters share.
///
/// # Safety
/// As theirs.
#[inline]
unsafe fn get_with<T>(
    it: *const Item,
    path: *const c_char,
    path_len: usize,
    out: *mut T,
    convert: impl FnOnce(ValueRef<'_>) -> Result<T, Failure>,
) -> Status {
    // SAFETY: as this function's.
    unsafe {
        enter(ptr::null_mut(), || {
            let out = Out::new(out, "out")?;
            let path = text_bytes(path, path_len, "path")?;
            let mut view = View::new(it)?;
            let Some(value) = view.at_path(path)? else {
                return Ok(KSTONE_NOT_FOUND);
            };
            out.set(convert(value)?);
            Ok(KSTONE_OK)
        })
    }
}

fn number<T: std::str::FromStr>(value: ValueRef<'_>, what: &str) -> Result<T, Failure> {
    value
        .as_number()
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| Failure::new(KSTONE_ERR_TYPE, format!("the attribute is not {what}")))
}

/// How many attributes the item has. 0 for NULL.
///
/// Cost: the number of attributes; nothing is allocated.
///
/// # Safety
/// `it` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_count(it: *const Item) -> usize {
    // SAFETY: as this function's.
    read(0, || match unsafe { View::new(it) } {
        Ok(mut view) => view.item().map_or(0, |item| item.len()),
        Err(_) => 0,
    })
}

/// The name and value of attribute i, counted from 0 in the order of the names' bytes. Both outputs are needed.
///
/// Returns KSTONE_NOT_FOUND from kstone_item_count on.
/// Ownership: as kstone_item_get, the name too.
/// Cost: i; a walk over all attributes of an item of n costs n * n / 2 steps of a few nanoseconds.
///
/// # Safety
/// The arguments keep the conventions at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_at(it: *const Item, i: usize, name: *mut Bytes, out: *mut Value) -> Status {
    // SAFETY: as this function's.
    unsafe {
        enter(ptr::null_mut(), || {
            let (name_out, out) = (Out::new(name, "name")?, Out::new(out, "out")?);
            let mut view = View::new(it)?;
            let Some((name, value)) = view.item()?.iter().nth(i) else {
                return Ok(KSTONE_NOT_FOUND);
            };
            name_out.set(Bytes::of(name.as_bytes()));
            out.set(Value::of(value));
            Ok(KSTONE_OK)
        })
    }
}

/// The partition key of an item that was read, borrowed from it. Empty for a built item and for NULL.
///
/// Cost: none.
///
/// # Safety
/// `it` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_pk(it: *const Item) -> Bytes {
    // SAFETY: as this function's.
    unsafe { key_part(it, |record| record.pk()) }
}

/// The sort key of an item that was read, borrowed from it. Empty where it has none, for a built item and for NULL.
///
/// Cost: none.
///
/// # Safety
/// `it` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_sk(it: *const Item) -> Bytes {
    // SAFETY: as this function's.
    unsafe { key_part(it, |record| record.sk()) }
}

/// # Safety
/// `it` is NULL or a live handle.
unsafe fn key_part(it: *const Item, part: impl FnOnce(RecordRef<'_>) -> &[u8]) -> Bytes {
    // SAFETY: as this function's.
    read(Bytes::EMPTY, || match unsafe { View::new(it) } {
        Ok(view) => view.record().map_or(Bytes::EMPTY, |record| Bytes::of(part(record))),
        Err(_) => Bytes::EMPTY,
    })
}

/// The item's attributes as a JSON object: DynamoDB's typed form, {"age":{"N":"30"}}, or with KSTONE_JSON_PLAIN
/// {"age":30}. Plain JSON has no bytes and no sets: B becomes base64 text, a set becomes a list. Numbers are written
/// with all their digits. The key is no attribute and is not written: put attributes pk and sk into the item if its JSON
/// is to show them.
///
/// Ownership: *out is yours, release it with kstone_free. *out_len does not count the NUL at its end.
/// Errors: KSTONE_ERR_INVALID where flags holds an unknown bit.
/// Cost: the size of the item.
///
/// # Safety
/// The arguments keep the conventions at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_to_json(
    it: *const Item,
    flags: u32,
    out: *mut *mut c_char,
    out_len: *mut usize,
    err: *mut *mut Error,
) -> Status {
    // SAFETY: as this function's.
    unsafe {
        enter(err, || {
            let (out, out_len) = (Out::new(out, "out")?, Out::new(out_len, "out_len")?);
            let form = form_of(flags)?;
            let mut view = View::new(it)?;
            Ok(set_text(out, out_len, &kstone_api::json::item_to_string(view.item()?, form)))
        })
    }
}
