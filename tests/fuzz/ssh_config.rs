//! Fuzz target: an ssh configuration of any text, which may include itself, gives an answer that the settings are
//! read from, or a place where it is not understood; and what is first of all counts, whatever comes after.

#![no_main]

use hopper::topology::{ConfigText, HostId, Lookup, Person, SshSettings, Written};
use libfuzzer_sys::fuzz_target;

fn answer(text: &str) -> Option<SshSettings> {
    let variable = |name: &str| (name == "V").then(|| "/v".to_owned());
    let person = Person { home: "/h", user: "me", variable: &variable };
    let file = |text: &str| ConfigText { name: "f".to_owned(), text: text.to_owned(), is_own: true };
    let include = |word: &str, _: bool| match word {
        "missing" => Ok(Vec::new()),
        "wrong" => Err("it cannot be read".to_owned()),
        _ => Ok(vec![file(text)]),
    };
    let files = [file(text)];
    let written = Written { files: &files, include: &include, person: &person };
    let lookup = Lookup { host: HostId::new("g"), name: "gate".to_owned(), user: None, port: None };
    match written.answer(&lookup) {
        Ok(answer) => SshSettings::read(&answer, &written.without(), "gate", &person).ok(),
        Err(not) => {
            assert!(not.place.starts_with("f:") && !not.what.is_empty());
            None
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let _ = answer(&text);
    if let Some(settings) = answer(&format!("User bob\nPort 7\n{text}")) {
        assert_eq!((settings.user.as_deref(), settings.port), (Some("bob"), Some(7)));
    }
});
