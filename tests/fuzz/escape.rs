//! Fuzz target: whatever a server or a file says is harmless once it is escaped, quoted or masked, stays
//! readable, and does not grow without bound.

#![no_main]

use hopper::topology::{escape, is_unsafe, mask_secrets, quoted};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    for (how, shown) in [("escape", escape(&text)), ("quoted", quoted(&text))] {
        assert!(!shown.chars().any(is_unsafe), "{how} lets through: {shown:?}");
        // A terminal reads bytes: no C1 control may come of two harmless characters.
        assert!(!shown.bytes().any(|byte| byte < 0x20 || byte == 0x7f), "{how}: {shown:?}");
    }
    let safe = escape(&text);
    assert!(safe.len() < 5000, "{} bytes", safe.len());
    assert_eq!(escape(&safe), safe, "escaping twice says something else");
    if safe.len() < 4096 && !text.chars().any(is_unsafe) {
        assert_eq!(safe, text, "plain text is kept");
    }
    assert_eq!(mask_secrets(&text).len(), text.len(), "ranges lose their meaning");
});
