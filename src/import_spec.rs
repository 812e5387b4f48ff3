//! What an import reads: the struct that says which attributes are the key, and what becomes of bad records.

use std::ffi::c_char;

use kstone_api::ImportOptions;

use crate::boundary::{Failure, by_contract, c_struct, known_flags, not_served, text};

/// Flag of a kstone_import_spec: bad records are skipped and counted. Without it the first one ends the import before
/// anything is put.
pub const KSTONE_IMPORT_SKIP: u32 = 1u32;

/// How to import. Set struct_size to sizeof(kstone_import_spec) and everything else to 0, then what you want. Instead
/// of a kstone_import_spec, NULL means all defaults.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct ImportSpec {
    /// sizeof(kstone_import_spec), in bytes.
    pub struct_size: usize,
    /// The attribute that is the partition key: S, B or N; the text of an N is the key. NULL: pk, which is S or B.
    pub pk_name: *const c_char,
    /// How many bytes pk_name has, or KSTONE_STRLEN.
    pub pk_name_len: usize,
    /// The attribute that is the sort key, which every item must have. NULL: none where pk_name is set, otherwise sk,
    /// which items may lack.
    pub sk_name: *const c_char,
    /// How many bytes sk_name has, or KSTONE_STRLEN.
    pub sk_name_len: usize,
    /// KSTONE_IMPORT_SKIP or 0.
    pub flags: u32,
    /// 0.
    pub reserved: u32,
}

c_struct!(ImportSpec, "kstone_import_spec", [struct_size, pk_name, pk_name_len, sk_name, sk_name_len, flags, reserved]);

impl ImportSpec {
    /// The options as the API takes them.
    ///
    /// # Safety
    /// What it points at may be read.
    pub(crate) unsafe fn to_api(self) -> Result<ImportOptions, Failure> {
        known_flags(self.flags, KSTONE_IMPORT_SKIP)?;
        not_served(self.reserved != 0, "kstone_import_spec.reserved")?;
        let mut options = ImportOptions::new();
        by_contract!({
            if !self.pk_name.is_null() {
                options = options.partition_key(text(self.pk_name, self.pk_name_len, "kstone_import_spec.pk_name")?);
            }
            if !self.sk_name.is_null() {
                options = options.sort_key(text(self.sk_name, self.sk_name_len, "kstone_import_spec.sk_name")?);
            }
        });
        Ok(if self.flags & KSTONE_IMPORT_SKIP != 0 { options.skip_bad_records() } else { options })
    }
}
