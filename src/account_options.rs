//! The options of an account.

use std::ffi::c_char;

use kstone_api::clock::ClockSource;
use kstone_dynamodb::{AccountOptions as ApiOptions, Cohort};

use crate::boundary::{Failure, by_contract, c_struct, file_path, has_length, not_served, text};
use crate::options::Options;

/// How an account is to be. Set struct_size to sizeof(kstone_account_options) and everything else to 0, then what you
/// want: 0 always means the default.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct AccountOptions {
    /// sizeof(kstone_account_options), in bytes.
    pub struct_size: usize,
    /// The region that ARNs name: up to 32 lower-case letters, digits and hyphens. NULL: us-east-1.
    pub region: *const c_char,
    /// How many bytes region has, or KSTONE_STRLEN.
    pub region_len: usize,
    /// The account's number that ARNs name: twelve digits. NULL: 000000000000.
    pub account_id: *const c_char,
    /// How many bytes account_id has, or KSTONE_STRLEN.
    pub account_id_len: usize,
    /// The folder whose folders are the buckets of ExportTableToPointInTime and ImportTable: a path as in SNAPSHOTS.
    /// NULL: there is none, and these are refused.
    pub files_root: *const c_char,
    /// How many bytes files_root has, or KSTONE_STRLEN.
    pub files_root_len: usize,
    /// The most bytes that all tables together may take: as kstone_options.memory_max_bytes. What does not fit is a
    /// response with status 400.
    pub memory_max_bytes: u64,
    /// The time that the account shows until kstone_account_set_time says another one, in seconds since 1970; 0: that of
    /// the system's clock.
    pub epoch_seconds: i64,
    /// For how many seconds a new table is CREATING and a changed one UPDATING, by the account's time. 0: a table is
    /// ACTIVE at once, so that programs which wait for it need not.
    pub transition_seconds: u32,
    /// What is evicted at memory_max_bytes, of whichever table: KSTONE_EVICT_NONE or KSTONE_EVICT_LRU.
    pub eviction: u32,
    /// What an item is whose time to live has passed: KSTONE_TTL_VISIBLE or KSTONE_TTL_HIDDEN.
    pub ttl: u32,
    /// Which texts refusals have: KSTONE_TEXTS_CURRENT or KSTONE_TEXTS_CLASSIC.
    pub texts: u32,
    /// KSTONE_OPEN_BACKGROUND_COMPACTION or 0.
    pub flags: u32,
    /// Leave it 0.
    pub reserved: u32,
}

c_struct!(
    AccountOptions,
    "kstone_account_options",
    [
        struct_size,
        region,
        region_len,
        account_id,
        account_id_len,
        files_root,
        files_root_len,
        memory_max_bytes,
        epoch_seconds,
        transition_seconds,
        eviction,
        ttl,
        texts,
        flags,
        reserved,
    ]
);

/// DynamoDB's rule: an item whose time has passed is shown and can be written until it is removed, which happens with
/// writes near it and with kstone_purge_expired.
pub const KSTONE_TTL_VISIBLE: u32 = 0;
/// kstone's rule: an item whose time has passed is gone at once.
pub const KSTONE_TTL_HIDDEN: u32 = 1;

/// The texts of the regions that AWS moved to its new validation in 2026, such as us-east-1.
pub const KSTONE_TEXTS_CURRENT: u32 = 0;
/// The texts of all other regions.
pub const KSTONE_TEXTS_CLASSIC: u32 = 1;

impl AccountOptions {
    /// The options as the API takes them.
    ///
    /// # Safety
    /// Pointers and lengths keep the contract.
    pub(crate) unsafe fn to_api(self) -> Result<ApiOptions, Failure> {
        let refuse = |what: String| Err(Failure::invalid(format!("kstone_account_options.{what}")));
        let defaults = ApiOptions::default();
        let region = by_contract!(text_or(self.region, self.region_len, "region", defaults.region))?;
        if !ApiOptions::is_region(&region) {
            return refuse(format!("region is {region:?}: it is up to 32 lower-case letters, digits and hyphens"));
        }
        let account_id =
            by_contract!(text_or(self.account_id, self.account_id_len, "account_id", defaults.account_id))?;
        if !ApiOptions::is_account_id(&account_id) {
            return refuse(format!("account_id is {account_id:?}: it is twelve digits"));
        }
        has_length(self.files_root, self.files_root_len, "files_root")?;
        let files_root = match self.files_root.is_null() && self.files_root_len == 0 {
            true => None,
            false => Some(by_contract!(file_path(self.files_root, self.files_root_len, "files_root"))?.to_path_buf()),
        };
        not_served(self.reserved != 0, "kstone_account_options.reserved")?;
        let ttl_hidden = match self.ttl {
            KSTONE_TTL_VISIBLE => false,
            KSTONE_TTL_HIDDEN => true,
            other => return refuse(format!("ttl is {other}: it is KSTONE_TTL_*")),
        };
        let cohort = match self.texts {
            KSTONE_TEXTS_CURRENT => Cohort::Current,
            KSTONE_TEXTS_CLASSIC => Cohort::Classic,
            other => return refuse(format!("texts is {other}: it is KSTONE_TEXTS_*")),
        };
        let clock = ClockSource::default();
        clock.set_time(self.epoch_seconds);
        let transition_seconds = i64::from(self.transition_seconds);
        let database = self.of_database().to_api()?;
        Ok(ApiOptions { region, account_id, database, clock, ttl_hidden, transition_seconds, cohort, files_root })
    }

    /// What all tables share, as the options of a database.
    fn of_database(self) -> Options {
        Options {
            struct_size: size_of::<Options>(),
            schema_json: std::ptr::null(),
            schema_json_len: 0,
            memtable_max_records: 0,
            memory_max_bytes: self.memory_max_bytes,
            eviction: self.eviction,
            flags: self.flags,
        }
    }
}

/// The text of a pointer and a length; NULL and 0: the default.
///
/// # Safety
/// As for [`text`].
unsafe fn text_or(data: *const c_char, len: usize, name: &'static str, default: String) -> Result<String, Failure> {
    if data.is_null() && len == 0 {
        return Ok(default);
    }
    has_length(data, len, name)?;
    by_contract!(text(data, len, name)).map(str::to_owned)
}
