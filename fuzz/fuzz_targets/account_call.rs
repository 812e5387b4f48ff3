#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kstone_fuzz::account_call::run(data));
