#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| jerry_proof_targets::hold("owner", bytes));
