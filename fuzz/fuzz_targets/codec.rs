//! Any bytes from a client: whatever they are, the adapter answers in its protocol and ends with them.

#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use retrostep_fuzz::adapter::{NoLauncher, Pieces, messages};
use retrostep_fuzz::memory;

/// A frame may announce 16 MB; it is not to be reserved before it is there.
const BYTES: usize = 8 << 20;

fuzz_target!(|data: &[u8]| {
    let most = data.first().map_or(1, |byte| usize::from(*byte));
    let mut output = Vec::new();
    memory::within(BYTES, || {
        let input = Pieces::new(data, most);
        let _ = retrostep_adapter::run(input, &mut output, Arc::new(NoLauncher));
    });
    messages(&output);
});
