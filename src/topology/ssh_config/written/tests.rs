//! What a configuration says of a name, without any file. That it comes to the same as with the real `ssh` is tried
//! beside the files, in `ssh`.

use super::*;
use crate::topology::HostId;

fn answer(text: &str, others: &[(&str, &str)]) -> Result<String, NotUnderstood> {
    let file =
        |name: &str, text: &str| ConfigText { name: name.to_owned(), text: text.to_owned(), is_own: true };
    let include = |word: &str, _: bool| {
        let named = others.iter().filter(|(name, _)| *name == word);
        Ok(named.map(|(name, text)| file(name, text)).collect())
    };
    let variable = |_: &str| None;
    let person = Person { home: "/h", user: "me", variable: &variable };
    let files = [file("config", text)];
    let lookup = Lookup { host: HostId::new("g"), name: "gate".to_owned(), user: None, port: None };
    Written { files: &files, include: &include, person: &person }.answer(&lookup)
}

fn said(text: &str) -> String {
    answer(text, &[]).unwrap()
}

#[test]
fn the_first_value_counts_and_files_add_up() {
    let text =
        "Host gate\nHostName %h.net\nUser bob\nIdentityFile a\nHost *\nUser ann\nPort 7\nIdentityFile b\n";
    assert_eq!(said(text), "hostname gate.net\nport 7\nuser bob\nidentityfile a\nidentityfile b\n");
}

#[test]
fn a_jump_and_a_command_keep_each_other_out() {
    assert!(said("ProxyJump b\nProxyCommand nc").contains("proxyjump b\n"));
    assert!(!said("ProxyCommand nc\nProxyJump b").contains("proxyjump"));
}

#[test]
fn what_is_not_understood_is_told_with_its_place_where_it_matters() {
    for (text, place, what) in [
        ("Match exec true\nUser bob", "config:2", "Match exec"),
        ("Host g*\nMatch host gate tagged x\nPort 7", "config:3", "Match tagged"),
        ("HostName %C.net", "config:1", "HostName %C.net"),
        ("Include ~/x-%h", "config:1", "Include ~/x-%h"),
        ("SomethingNew yes", "config:1", "somethingnew"),
        ("RefuseConnection \"go away\"", "config:1", "refuseconnection"),
        ("CanonicalizeHostname yes", "config:1", "name servers"),
        ("Port many", "config:1", "port cannot be many"),
        ("User a b", "config:1", "user cannot be a b"),
        ("UserKnownHostsFile \"/a b\"", "config:1", "userknownhostsfile"),
        ("Host x\nUser \"open", "config:2", "quotation mark"),
        ("Match host", "config:1", "nothing stands after host"),
        ("User b\u{fffd}b", "config:1", "user cannot be"),
    ] {
        let not = answer(text, &[]).unwrap_err();
        assert!(not.place == place && not.what.contains(what), "{text}: {not:?}");
    }
}

#[test]
fn what_does_not_matter_for_this_name_stops_nothing() {
    for text in [
        "Match exec true\nSendEnv LANG",
        "User bob\nMatch exec true\nUser ann",
        "Host other\nHostName %C\nSomethingNew yes\nInclude ~/x-%h",
        "Match user ann exec true\nPort 7",
        "IgnoreUnknown Some*,New\nSomethingNew yes",
    ] {
        answer(text, &[]).unwrap_or_else(|not| panic!("{text}: {not:?}"));
    }
}

#[test]
fn what_is_included_counts_where_it_is_included() {
    let more = [("more", "Host *\nUser ann\nMatch host nowhere\n")];
    assert!(answer("Include more\nPort 7\n", &more).unwrap().contains("port 7\nuser ann"));
    assert!(!answer("Host other\nInclude more\n", &more).unwrap().contains("user"));
    let not = answer("Match exec x\nInclude more\n", &more).unwrap_err();
    assert_eq!(not.place, "more:2");
}

#[test]
fn a_final_match_sees_the_name_that_came_of_it() {
    let text = "Match final host gate.net\nUser bob\nHost gate\nHostName gate.net\nHost gate.net\nPort 7\n";
    assert_eq!(said(text), "hostname gate.net\nport 7\nuser bob\n");
}
