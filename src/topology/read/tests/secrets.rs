//! How a host is logged in to: the ways, the agent, and where secrets are kept.

use super::{bad, good, says, with_host};
use crate::topology::{AgentUse, AuthMethod, Host, SecretPurpose, SecretRef, SecretSource};

fn host(json: &str) -> Host {
    good(&with_host(json)).hosts.remove(0)
}

#[test]
fn every_way_to_log_in_has_a_word() {
    for (word, method) in AuthMethod::WORDS {
        assert_eq!(host(&format!(r#"{{"auth": ["{word}"]}}"#)).auth, [method]);
        assert_eq!(method.as_str(), word);
    }
    assert_eq!(host("{}").auth, [AuthMethod::Agent, AuthMethod::Key]);
    says(&with_host(r#"{"auth": ["passwort"]}"#), "H0121", "\"passwort\"", "", "did you mean \"password\"?");
    let twice = r#"{"auth": ["none", "none"]}"#;
    assert_eq!(bad(&with_host(twice))[0].message, "a login method is named twice");
}

#[test]
fn the_agent_is_ones_own_or_none_or_at_a_socket() {
    for (json, wanted) in [
        ("{}", AgentUse::Own),
        (r#"{"agent": true}"#, AgentUse::Own),
        (r#"{"agent": false}"#, AgentUse::Off),
        (r#"{"agent": "~/a gent.sock"}"#, AgentUse::Socket("~/a gent.sock".to_owned())),
    ] {
        assert_eq!(host(json).agent, wanted, "{json}");
    }
    says(&with_host(r#"{"agent": 3}"#), "H0107", "3", "true, false, or the path", "");
    says(&with_host(r#"{"agent": ""}"#), "H0112", "\"", "is not a path", "");
}

#[test]
fn named_keys_are_the_only_ones_unless_the_file_says_otherwise() {
    for (json, only) in [
        ("{}", false),
        (r#"{"identities": ["~/k"]}"#, true),
        (r#"{"identities": ["~/k"], "identities_only": false}"#, false),
        (r#"{"identities_only": true}"#, true),
    ] {
        assert_eq!(host(json).offers_named_keys_only(), only, "{json}");
    }
}

#[test]
fn a_secret_is_a_reference() {
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    for (json, source) in [
        (r#"{"prompt": true}"#, SecretSource::Prompt),
        (r#"{"command": ["pass", "show", "a b"]}"#, SecretSource::Command(words(&["pass", "show", "a b"]))),
        (r#"{"file": "~/.s"}"#, SecretSource::File("~/.s".to_owned())),
        (r#"{"env": "GATE_PW"}"#, SecretSource::Env("GATE_PW".to_owned())),
        (r#"{"credential": "gate.pw"}"#, SecretSource::Credential("gate.pw".to_owned())),
        (r#"{"askpass": true}"#, SecretSource::Askpass),
        (r#"{"keyring": "hopper/gate-a"}"#, SecretSource::Keyring("hopper/gate-a".to_owned())),
    ] {
        let wanted = SecretRef { source, purpose: SecretPurpose::Passphrase, answers: None };
        assert_eq!(host(&format!(r#"{{"secret": {json}}}"#)).secrets, [wanted], "{json}");
    }
}

#[test]
fn what_a_secret_is_for_follows_from_the_ways_to_log_in() {
    for (json, wanted) in [
        (r#"{"secret": {"env": "A"}}"#, SecretPurpose::Passphrase),
        (r#"{"secret": {"env": "A"}, "auth": ["key", "password"]}"#, SecretPurpose::Password),
        (r#"{"secret": {"env": "A"}, "auth": ["keyboard-interactive"]}"#, SecretPurpose::KeyboardInteractive),
        (r#"{"secret": {"env": "A", "for": "passphrase"}, "auth": ["password"]}"#, SecretPurpose::Passphrase),
    ] {
        assert_eq!(host(json).secrets[0].purpose, wanted, "{json}");
    }
    let several = host(
        r#"{"auth": ["key", "keyboard-interactive"], "secret": [
            {"file": "~/p", "for": "passphrase"}, {"env": "P", "answers": "password"},
            {"command": ["code"], "answers": "Verification code"}]}"#,
    );
    let answers: Vec<_> = several.secrets.iter().map(|secret| secret.answers.as_deref()).collect();
    assert_eq!(answers, [None, Some("password"), Some("Verification code")]);
    assert_eq!(several.secrets_for(SecretPurpose::KeyboardInteractive).count(), 2);
}

#[test]
fn a_secret_that_cannot_be_is_told_with_its_place() {
    for (json, code, place, help) in [
        (r#"{}"#, "H0108", "{", "\"command\""),
        (r#"{"prompt": false}"#, "H0107", "false", ""),
        (r#"{"prompt": true, "env": "A"}"#, "H0121", "\"env\"", "keep one"),
        (r#"{"command": []}"#, "H0121", "[", "pass"),
        (r#"{"command": "pass show x"}"#, "H0107", "\"pass show x\"", ""),
        (r#"{"command": ["a\u001bb"]}"#, "H0121", r#""a\u001bb""#, "leave it out"),
        (r#"{"env": "A B"}"#, "H0121", "A B", "the name of it"),
        (r#"{"credential": "../x"}"#, "H0121", "../x", "the name of it"),
        (r#"{"keyring": "-unlock"}"#, "H0121", "-unlock", "the name of it"),
        (r#"{"keyring": "gate $(id)"}"#, "H0121", "gate $(id)", "the name of it"),
        (r#"{"keyring": true}"#, "H0107", "true", ""),
        (r#"{"keyring": "a", "file": "~/a"}"#, "H0121", "\"file\"", "keep one"),
        (r#"{"env": "A", "for": "login"}"#, "H0121", "\"login\"", "\"passphrase\""),
        (r#"{"env": "A", "answers": "code"}"#, "H0121", "\"answers\"", "keyboard-interactive"),
        (r#"{"fil": "~/x"}"#, "H0105", "\"fil\"", "did you mean \"file\"?"),
        (r#"[]"#, "H0121", "[", "leave the key out"),
        (r#"[{"env": "A"}, {"env": "B"}]"#, "H0121", "{", "which question"),
        (r#"true"#, "H0107", "true", ""),
    ] {
        let problems = bad(&with_host(&format!(r#"{{"secret": {json}}}"#)));
        let problem = problems.iter().find(|problem| problem.code == code);
        let problem = problem.unwrap_or_else(|| panic!("{json}: {problems:#?}"));
        let text = with_host(&format!(r#"{{"secret": {json}}}"#));
        assert!(text[problem.label.range.clone()].starts_with(place), "{json}: {problem:#?}");
        assert!(problem.help.as_deref().unwrap_or_default().contains(help), "{json}: {problem:#?}");
    }
}

#[test]
fn a_secret_itself_is_never_taken_and_never_shown() {
    for json in [
        r#"{"secret": "hunter2"}"#,
        r#"{"secret": ["hunter2"]}"#,
        r#"{"secret": 12345}"#,
        r#"{"secret": {"password": "hunter2"}}"#,
        r#"{"secret": [{"env": "A", "passphrase": "hunter2"}]}"#,
        r#"{"secret": {"env": "hunter 2"}}"#,
    ] {
        let problems = bad(&with_host(json));
        let shown = format!("{problems:?}");
        assert!(!shown.contains("hunter") && !shown.contains("12345"), "{json}: {shown}");
        if !json.contains("hunter 2") {
            assert!(problems.iter().any(|problem| problem.code == "H0103"), "{json}: {problems:#?}");
        }
    }
}
