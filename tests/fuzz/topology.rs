//! Fuzz target: any text is a topology or a list of problems; both can be shown, and neither moves a cursor.

#![no_main]

mod forms;

use hopper::report::problem::{Look, problems_json, render};
use hopper::topology::{mask_secrets, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let masked = mask_secrets(text);
    assert_eq!(masked.len(), text.len(), "ranges lose their meaning");
    match parse(text, "fuzzed") {
        Ok(topology) => forms::show_all(&topology),
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a reason");
            for unicode in [true, false] {
                let look = Look { width: 80, colour: false, unicode };
                forms::harmless("problems", &render(&problems, "fuzzed.json", text, look));
            }
            forms::harmless("problems_json", &problems_json(&problems, "fuzzed.json", text).to_string());
        }
    }
});
