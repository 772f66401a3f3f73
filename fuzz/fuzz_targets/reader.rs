//! A damaged file, opened and asked everything.

#![no_main]

use libfuzzer_sys::fuzz_target;
use retrostep_fuzz::{memory, questions};
use retrostep_trace::Recording;

/// More than the caches of a small recording hold.
const BYTES: usize = 64 << 20;

fuzz_target!(|data: &[u8]| {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), data).expect("written");
    memory::within(BYTES, || {
        if let Ok(mut recording) = Recording::open(file.path()) {
            let _ = recording.refresh();
            questions::ask(&recording);
        }
    });
});
