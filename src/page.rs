//! Pages: what one query or scan found.

use std::ffi::c_char;
use std::ptr;
use std::sync::OnceLock;

use kstone_api::{Page, PageEnd, Record, RecordRef, StatementResult, json};

use crate::boundary::{
    ErrorObject, Handle, KSTONE_OK, Out, Slot, Status, Tag, Tagged, accessor, borrow, by_contract, entry, hand_out,
    read_struct, set_text,
};
use crate::database::{Db, database};
use crate::item::Bytes;
use crate::item_view::{Item, View};
use crate::json_form::form_of;
use crate::spec::QuerySpec;

/// What one query, scan, statement or batch found. Any number of threads may read one at once.
pub struct PageObject {
    items: Vec<Slot>,
    count: usize,
    scanned: usize,
    token: Token,
    /// The items in one buffer, made when it is asked for; see [`Page::stored`].
    stored: OnceLock<Vec<u8>>,
}

/// Where the next page begins.
enum Token {
    /// Empty at the end.
    Made(Vec<u8>),
    /// Made when it is asked for.
    Due(PageEnd, OnceLock<Vec<u8>>),
}

impl Token {
    /// That of a page of these items.
    fn bytes(&self, items: &[Slot]) -> &[u8] {
        match self {
            Self::Made(token) => token,
            Self::Due(end, made) => {
                made.get_or_init(|| end.token(items.last().and_then(Slot::record)).unwrap_or_default())
            }
        }
    }
}

impl From<Option<Vec<u8>>> for Token {
    fn from(token: Option<Vec<u8>>) -> Self {
        Self::Made(token.unwrap_or_default())
    }
}

impl Tagged for PageObject {
    const TAG: Tag = Tag::PAGE;
    const NAME: &'static str = "a kstone_page";
}

impl PageObject {
    /// What the gets of a batch found, in their order.
    pub(crate) fn of_gets(items: Vec<Option<Record>>) -> Self {
        let count = items.len();
        let items = items.into_iter().map(Slot::new).collect();
        Self { items, count, scanned: count, token: None.into(), stored: OnceLock::new() }
    }

    /// The items in one buffer, laid out as `kstone_page_bytes` says.
    pub(crate) fn stored(&self) -> &[u8] {
        self.stored.get_or_init(|| {
            let len = |slot: &Slot| slot.record().map_or(0, Record::data_len);
            let mut stored = Vec::with_capacity(self.items.iter().map(|slot| HEAD_BYTES + len(slot)).sum());
            for slot in &self.items {
                append_stored(&mut stored, slot.record());
            }
            stored
        })
    }
}

/// The three lengths before each item of [`Page::stored`].
const HEAD_BYTES: usize = 8;
/// In the place of a body's length, where there is no item.
const NO_ITEM: u32 = u32::MAX;

fn append_stored(stored: &mut Vec<u8>, item: Option<&Record>) {
    let mut made = Vec::new();
    let (pk, sk, body) = item.map_or((&[][..], &[][..], &[][..]), |item| {
        let record = RecordRef::from(item);
        let (pk, sk) = record.shown_key();
        (pk, sk, View::Stored(record).whole(&mut made))
    });
    let body_len = item.map_or(NO_ITEM, |_| body.len() as u32);
    stored.extend_from_slice(&(pk.len() as u16).to_le_bytes());
    stored.extend_from_slice(&(sk.len() as u16).to_le_bytes());
    stored.extend_from_slice(&body_len.to_le_bytes());
    for part in [pk, sk, body] {
        stored.extend_from_slice(part);
    }
}

impl From<Page<Slot, PageEnd>> for PageObject {
    fn from(page: Page<Slot, PageEnd>) -> Self {
        let Page { records: items, count, scanned, token: end, .. } = page;
        Self { items, count, scanned, token: Token::Due(end, OnceLock::new()), stored: OnceLock::new() }
    }
}

impl From<StatementResult> for PageObject {
    fn from(result: StatementResult) -> Self {
        Self {
            count: result.records.len(),
            items: result.records.into_iter().map(Slot::from).collect(),
            scanned: result.scanned,
            token: result.token.into(),
            stored: OnceLock::new(),
        }
    }
}

/// Releases a page that the caller gives back.
///
/// # Safety
/// `page` was handed out and is used no more.
pub(crate) unsafe fn release(page: *mut PageObject) {
    drop(by_contract!(Handle::take_back(page)));
}

/// A page of the items of one partition, in the order of their sort keys' bytes or, with KSTONE_QUERY_REVERSE,
/// against it. The page ends when spec->limit items were examined, or with the item at which their sizes, as
/// DynamoDB counts them, reach 1 MiB, whatever the filter lets through: a page may be empty and have a token.
///
/// Ownership: *out is yours, release it with kstone_free.
/// Errors: KSTONE_ERR_INVALID where spec has neither pk nor key_expr, a field that a query has no use for, an unknown
/// flag or sk_op, a token of another query, an expression or a bag that is not as kstone_cond says, or a filter on pk
/// or sk, which belong into the key condition; KSTONE_ERR_LIMIT where a key is too long.
/// Cost: a search for the first item, then the number of items examined, however many the partition has; an allocation
/// for the page and one for its items, a few more where anything but pk, sk_op and limit is set, and a reference for
/// each item. Deleted items among them are examined too until their stripe is
/// compacted. A projection copies what it returns.
/// Threads: any. The stripe is locked while references are taken, not while you read, nor while a filter is evaluated.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_query(
    db: *const Db,
    spec: *const QuerySpec,
    out: *mut *mut PageObject,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let out = Out::new(out, "out")?;
        let database = database(db)?;
        let page = database.read_as(&read_struct(spec)?.query_request()?)?;
        out.set(hand_out(PageObject::from(page)));
        Ok(KSTONE_OK)
    })
}

/// A page of all items, or of one of spec->segments parts of them. spec may be NULL: all defaults. The order is the
/// library's own and stays the same from page to page; items of one partition lie together, in the order of their sort
/// keys.
///
/// Ownership, threads: as kstone_query.
/// Errors: KSTONE_ERR_INVALID where spec has a pk or another field that a scan has no use for, an unknown flag, a
/// segment that does not exist, a token of another scan, or an expression or a bag that is not as kstone_cond says.
/// Cost: as kstone_query. What KSTONE_QUERY_COUNT counts in one page is known without a look at an item, unless some may
/// have expired.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_scan(
    db: *const Db,
    spec: *const QuerySpec,
    out: *mut *mut PageObject,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let out = Out::new(out, "out")?;
        let database = database(db)?;
        let page = database.read_as(&read_struct(spec)?.scan_request()?)?;
        out.set(hand_out(PageObject::from(page)));
        Ok(KSTONE_OK)
    })
}

/// How many items the page found, after any filter. With KSTONE_QUERY_COUNT it found them without handing them out. Of
/// a batch: how many gets it has. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_page_count(p: *const PageObject) -> usize {
    accessor!(0, borrow(p).map_or(0, |page| page.count))
}

/// How many items were examined for the page, before any filter. Of a batch: how many gets it has. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_page_scanned(p: *const PageObject) -> usize {
    accessor!(0, borrow(p).map_or(0, |page| page.scanned))
}

/// Item i of the page, counted from 0, borrowed from it: kstone_free leaves it alone, and it is gone when the page is
/// freed. Of a batch: what its get i found, NULL where there is no item. NULL from kstone_page_count on, with
/// KSTONE_QUERY_COUNT, and for NULL.
///
/// Cost: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_page_item(p: *const PageObject, i: usize) -> *const Item {
    accessor!(ptr::null(), {
        let items = match borrow(p) {
            Ok(page) => page.items.as_slice(),
            Err(_) => &[],
        };
        match items.get(i).and_then(Slot::record) {
            Some(_) => Slot::lend(items.as_ptr().wrapping_add(i)).cast(),
            None => ptr::null(),
        }
    })
}

/// Where the next page begins, for kstone_query_spec.token; empty at the end, and for NULL. As in DynamoDB, a page that
/// ends at its limit has a token even if nothing follows: the next page is empty then. Borrowed from the page: free
/// that after the next call, not before. The bytes mean nothing to anybody else; they may be stored and sent, and work
/// with any database that holds the items.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_page_token(p: *const PageObject) -> Bytes {
    accessor!(Bytes::EMPTY, borrow(p).map_or(Bytes::EMPTY, |page| Bytes::of(page.token.bytes(&page.items))))
}

/// The page as a JSON object, {"Count":2,"Items":[...],"ScannedCount":2}, each item as kstone_item_to_json writes it.
/// Keys of an untyped table are not in it but for those that are attributes too. A get of a batch that found nothing
/// is null. Where the next page begins is not in it: kstone_page_token says that.
///
/// Ownership: *out is yours, release it with kstone_free. *out_len does not count the NUL at its end.
/// Errors: KSTONE_ERR_INVALID where flags holds an unknown bit.
/// Cost: the size of the items.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_page_to_json(
    p: *const PageObject,
    flags: u32,
    out: *mut *mut c_char,
    out_len: *mut usize,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let (out, out_len) = (Out::new(out, "out")?, Out::new(out_len, "out_len")?);
        let form = form_of(flags)?;
        let page = borrow(p)?;
        let object = |record: &Record| json::item_to_string(record.item(), form);
        let items: Vec<String> =
            page.items.iter().map(|slot| slot.record().map_or_else(|| "null".to_owned(), object)).collect();
        let (count, scanned) = (page.count, page.scanned);
        let json = format!(r#"{{"Count":{count},"Items":[{}],"ScannedCount":{scanned}}}"#, items.join(","));
        Ok(set_text(out, out_len, &json))
    })
}
