//! Chunks with right checksums and any content: the decoders of manifest, definitions, blocks,
//! segments and footer.

#![no_main]

use libfuzzer_sys::fuzz_target;
use retrostep_fuzz::{memory, parts, questions};
use retrostep_trace::Recording;

/// What a recording of no size takes, and what each byte of its file may add.
const BASE: usize = 2 << 20;
const FACTOR: usize = 400;

fuzz_target!(|data: &[u8]| {
    let bytes = parts::file(&parts::chunks(data));
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), &bytes).expect("written");
    memory::within(BASE + FACTOR * bytes.len(), || {
        if let Ok(recording) = Recording::open(file.path()) {
            questions::ask(&recording);
        }
    });
});
