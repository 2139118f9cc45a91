//! Hosts and firewalls: what is read, what is refused, and that no secret gets through.

use std::time::Duration;

use super::{bad, good, says, with_host};
use crate::topology::{Address, AlgorithmKind, AuthMethod, Authority, Host, HostKeyChecking, SshConfig};

fn host(json: &str) -> Host {
    good(&with_host(json)).hosts.remove(0)
}

#[test]
fn the_short_form_is_user_address_port() {
    for (json, user, address) in [
        (r#""alice@gate.net:2222""#, Some("alice"), "gate.net:2222"),
        (r#""gate.net""#, None, "gate.net:22"),
        (r#""gate.net:7""#, None, "gate.net:7"),
        (r#""alice@[fe80::1%eth0]:23""#, Some("alice"), "[fe80::1%eth0]:23"),
        (r#""[::1]""#, None, "[::1]:22"),
        (r#""alice@corp@10.0.0.1""#, Some("alice@corp"), "10.0.0.1:22"),
        ("{}", None, "gate:22"),
    ] {
        let host = host(json);
        assert_eq!((host.user.as_deref(), host.address.to_string().as_str()), (user, address));
    }
}

#[test]
fn every_setting_of_a_host_is_read() {
    let pin = format!("SHA256:{}", "a".repeat(43));
    let host = host(&format!(
        r#"{{"address": "fe80::1", "port": 2222, "user": "bob", "ssh": true, "auth": ["key", "agent"],
            "identities": ["~/.ssh/id"], "identities_only": true, "ssh_config": false,
            "host_key": {{"policy": "strict", "fingerprint": "{pin}", "alias": "g", "file": "~/kh"}},
            "keepalive": {{"interval": "0s", "max": 0}},
            "timeout": {{"connect": "500ms", "banner": "2m", "login": "1h", "forward": "3s"}},
            "label": "Gate", "note": "n"}}"#
    ));
    assert_eq!(host.address, Address::new("fe80::1", 2222));
    assert_eq!(host.auth, [AuthMethod::Key, AuthMethod::Agent]);
    assert_eq!((host.identities, host.identities_only), (vec!["~/.ssh/id".to_owned()], Some(true)));
    assert_eq!(host.host_key.fingerprints, [pin]);
    assert_eq!((host.host_key.alias.as_deref(), host.host_key.file.as_deref()), (Some("g"), Some("~/kh")));
    assert_eq!((host.keepalive.interval, host.keepalive.max), (Duration::ZERO, 0));
    assert_eq!(host.timeout.connect, Duration::from_millis(500));
    assert_eq!(
        (host.timeout.banner, host.timeout.login),
        (Duration::from_secs(120), Duration::from_secs(3600))
    );
    assert_eq!((host.label.as_deref(), host.note.as_deref()), (Some("Gate"), Some("n")));
}

#[test]
fn defaults_lie_under_every_host_key_by_key() {
    let hosts = good(
        r#"{"hopper": 1,
            "defaults": {"host": {"user": "ops", "port": 2222, "keepalive": {"interval": "9s"}, "ssh": false}},
            "hosts": {"a": "x.net", "b": "bob@y.net:22", "c": {"keepalive": {"max": 1}, "ssh": true}}}"#,
    )
    .hosts;
    let seen: Vec<_> =
        hosts.iter().map(|h| (h.user.as_deref().unwrap(), h.address.to_string(), h.ssh)).collect();
    assert_eq!(seen[0], ("ops", "x.net:2222".to_owned(), false));
    assert_eq!(seen[1], ("bob", "y.net:22".to_owned(), false));
    assert_eq!(seen[2], ("ops", "c:2222".to_owned(), true));
    assert_eq!((hosts[2].keepalive.interval, hosts[2].keepalive.max), (Duration::from_secs(9), 1));
    let text = r#"{"hopper": 1, "defaults": {"host": {"address": "x"}}}"#;
    says(text, "H0105", "\"address\"", "defaults for hosts has no key \"address\"", "takes: port,");
    says(
        r#"{"hopper": 1, "defaults": {"host": {"port": 0}}, "hosts": {"a": "b", "c": "d"}}"#,
        "H0113",
        "0",
        "",
        "",
    );
}

#[test]
fn a_host_is_looked_up_under_its_address_or_an_alias_or_not_at_all() {
    let looked_up = |json: &str| host(json).ssh_config;
    assert_eq!(looked_up("{}"), SshConfig::Address);
    assert_eq!(looked_up(r#"{"ssh_config": true}"#), SshConfig::Address);
    assert_eq!(looked_up(r#"{"ssh_config": false}"#), SshConfig::Off);
    assert_eq!(looked_up(r#"{"ssh_config": "work-gate"}"#), SshConfig::Alias("work-gate".to_owned()));
    says(&with_host(r#"{"ssh_config": "-oX"}"#), "H0112", "-", "", "never begins");
    says(&with_host(r#"{"ssh_config": 1}"#), "H0107", "1", "", "");
    let text = r#"{"hopper": 1, "defaults": {"host": {"ssh_config": "x"}}}"#;
    says(text, "H0107", "\"x\"", "in defaults must be true or false", "");
    let text = r#"{"hopper": 1, "defaults": {"host": {"ssh_config": false}}, "hosts": {"a": {}}}"#;
    assert_eq!(good(text).hosts[0].ssh_config, SshConfig::Off);
}

#[test]
fn algorithms_are_the_old_set_by_name_or_lists() {
    assert!(!host("{}").algorithms.legacy);
    assert!(host(r#"{"algorithms": "legacy"}"#).algorithms.legacy);
    let some =
        host(r#"{"algorithms": {"cipher": ["aes128-ctr", "aes128-cbc"], "legacy": false}}"#).algorithms;
    assert_eq!(some.taken(AlgorithmKind::Cipher), ["aes128-ctr", "aes128-cbc"]);
    assert_eq!(some.taken(AlgorithmKind::Kex), AlgorithmKind::Kex.modern());
    for (json, code, place, help) in [
        (r#"{"algorithms": true}"#, "H0107", "true", ""),
        (r#"{"algorithms": "old"}"#, "H0121", "\"old\"", "write \"legacy\""),
        (r#"{"algorithms": {"kex": []}}"#, "H0121", "[", "leave the key out"),
        (r#"{"algorithms": {"cipher": ["none"]}}"#, "H0121", "none", "there are: aes256-gcm"),
        (r#"{"algorithms": {"mac": ["hmac-sha2-265"]}}"#, "H0121", "hmac-sha2-265", "did you mean"),
        (r#"{"algorithms": {"ciphers": []}}"#, "H0105", "\"ciphers\"", "did you mean \"cipher\"?"),
    ] {
        says(&with_host(json), code, place, "", help);
    }
}

#[test]
fn nothing_dangerous_passes_for_an_address_or_a_user() {
    for (json, code, place, help) in [
        (r#""-oProxyCommand=id""#, "H0112", "-", "never begins with `-`"),
        (r#""a@-x""#, "H0112", "-", "never begins with `-`"),
        (r#""-a@x""#, "H0112", "-a", "begins with none of"),
        (r#""gate;id""#, "H0112", ";", "letters, digits"),
        (r#""gate name""#, "H0112", " ", "letters, digits"),
        (r#""gäte""#, "H0112", "ä", "xn--"),
        (r#""10.9.8""#, "H0112", "10.9.8", "192.0.2.7"),
        (r#""10.9.8.256""#, "H0112", "10.9.8.256", "192.0.2.7"),
        (r#""fe80::1:22""#, "H0112", "fe80::1:22", "brackets"),
        (r#""[fe80::1""#, "H0112", "[fe80::1", "brackets"),
        (r#""gate:""#, "H0113", "\"", "1 to 65535"),
        (r#""gate:65536""#, "H0113", "65536", "1 to 65535"),
        (r#""gate:+22""#, "H0113", "+22", "1 to 65535"),
        (r#"{"address": "alice@x"}"#, "H0112", "@", "\"user\""),
        (r#"{"address": "x:22"}"#, "H0112", "x:22", "\"port\""),
        (r#"{"user": "a b"}"#, "H0112", "a b", "a user is made of"),
        (r#"{"port": 0}"#, "H0113", "0", "1 to 65535"),
        (r#"{"port": 22.5}"#, "H0113", "22.5", "1 to 65535"),
        (r#"{"port": null}"#, "H0107", "null", "leave the key out"),
        (r#"{"label": "a\u202eb"}"#, "H0121", "\"a\\u202eb\"", "leave it out"),
        (r#"{"auth": []}"#, "H0121", "[", "leave the key out"),
        (r#"{"auth": ["keys"]}"#, "H0121", "\"keys\"", "did you mean \"key\"?"),
        (r#"{"timeout": {"connect": 10}}"#, "H0118", "10", "\"10s\""),
        (r#"{"timeout": {"connect": "0s"}}"#, "H0118", "0s", "1ms or more"),
        (r#"{"timeout": {"connect": "10 s"}}"#, "H0118", "10 s", "500ms, 10s"),
        (r#"{"timeout": {"connect": "99999999999999999999h"}}"#, "H0118", "99999999999999999999h", "500ms"),
        (r#"{"keepalive": {"interval": "25h"}}"#, "H0118", "25h", "24h or less"),
        (r#"{"timeout": {"tcp": "1s"}}"#, "H0105", "\"tcp\"", "timeout takes: connect"),
        (r#"{"host_key": {"policy": "no"}}"#, "H0121", "\"no\"", "\"strict\""),
        (r#"{"host_key": {"fingerprint": "MD5:00"}}"#, "H0121", "MD5:00", "ssh-keygen -lf"),
    ] {
        says(&with_host(json), code, place, "", help);
    }
}

#[test]
fn names_are_ids() {
    says(
        r#"{"hopper": 1, "hosts": {"-x": "a"}}"#,
        "H0111",
        "\"-x\"",
        "\"-x\" cannot name a host",
        "a letter or digit",
    );
    says(
        r#"{"hopper": 1, "hosts": {"local": "a"}}"#,
        "H0111",
        "\"local\"",
        "the machine hopper runs on",
        "else",
    );
    let long = format!(r#"{{"hopper": 1, "firewalls": {{"{}": {{}}}}}}"#, "f".repeat(65));
    assert_eq!(bad(&long)[0].code, "H0111");
}

#[test]
fn a_secret_in_the_file_is_an_error_and_never_shown() {
    for (json, place) in [
        (r#"{"password": "hunter2"}"#, "\"hunter2\""),
        (r#"{"Pass_Phrase": "hunter2"}"#, "\"hunter2\""),
        (r#"{"token": ["hunter2"]}"#, "[\"hunter2\"]"),
        (r#"{"secret": "hunter2"}"#, "\"hunter2\""),
        (
            r#"{"note": "-----BEGIN OPENSSH PRIVATE KEY-----hunter2"}"#,
            "\"-----BEGIN OPENSSH PRIVATE KEY-----hunter2\"",
        ),
        (r#""alice:hunter2@gate""#, "hunter2"),
    ] {
        says(&with_host(json), "H0103", place, "a secret is written in the file", "log in with a key");
    }
    for json in [
        r#"{"foo": {"password": "hunter2"}}"#,
        r#"{"secret": {"password": "hunter2"}}"#,
        r#"{"address": "alice:hunter2@gate"}"#,
        r#"{"user": "alice:hunter2@gate"}"#,
    ] {
        let problems = bad(&with_host(json));
        assert!(!format!("{problems:?}").contains("hunter2"), "{problems:#?}");
    }
    // A host may be called like a secret.
    good(r#"{"hopper": 1, "hosts": {"token": "a", "pass": {}}}"#);
}

#[test]
fn firewalls_have_ports() {
    let text = r#"{"hopper": 1, "firewalls": {"f": {"label": "edge", "allow": [22, "80-90"], "deny": ["85"]}, "g": {}}}"#;
    let firewalls = good(text).firewalls;
    let passing: Vec<u16> =
        [22, 80, 85, 90, 91].into_iter().filter(|port| firewalls[0].passes(*port)).collect();
    assert_eq!(passing, [22, 80, 90]);
    assert!(firewalls[1].passes(5900));
    for (ports, code, place, help) in [
        ("22", "H0107", "22", "write [22]"),
        (r#"["90-80"]"#, "H0113", "90-80", "\"80-90\""),
        (r#"["80-"]"#, "H0113", "\"", "1 to 65535"),
        ("[70000]", "H0113", "70000", "1 to 65535"),
        ("[true]", "H0107", "true", ""),
    ] {
        let text = format!(r#"{{"hopper": 1, "firewalls": {{"f": {{"deny": {ports}}}}}}}"#);
        says(&text, code, place, "", help);
    }
}

#[test]
fn a_host_key_has_a_policy_and_authorities() {
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9dG4kjRhQTtWTVzd2t27+t0DEHBPW7iOD23TUiYLio ca";
    for (policy, checking) in [
        ("strict", HostKeyChecking::Strict),
        ("ask", HostKeyChecking::Ask),
        ("accept-new", HostKeyChecking::AcceptNew),
    ] {
        let host = host(&format!(r#"{{"host_key": {{"policy": "{policy}"}}}}"#));
        assert_eq!(host.host_key.checking, checking);
    }
    let host = host(&format!(r#"{{"host_key": {{"ca": ["{key}", "~/.ssh/ca.pub"]}}}}"#));
    let both = [Authority::Key(key.to_owned()), Authority::File("~/.ssh/ca.pub".to_owned())];
    assert_eq!(host.host_key.authorities, both);
    for (json, place, help) in [
        (r#"{"ca": []}"#, "[", "judge by known_hosts"),
        (r#"{"ca": "ssh-ed25519 rubbish"}"#, "ssh-ed25519 rubbish", ".pub"),
        (r#"{"ca": "ssh-ed25519"}"#, "ssh-ed25519", ".pub"),
        (r#"{"ca": "ssh-ed25519 AAAA\nroot"}"#, r#""ssh-ed25519 AAAA\nroot""#, ".pub"),
        (r#"{"policy": "no"}"#, "\"no\"", "\"accept-new\""),
    ] {
        says(&with_host(&format!(r#"{{"host_key": {json}}}"#)), "H0121", place, "", help);
    }
}

#[test]
fn an_agent_is_lent_by_name_only_and_only_where_there_is_one() {
    assert!(host(r#"{"forward_agent": true, "agent": "~/a.sock"}"#).forward_agent);
    assert!(!host(r#"{"agent": true}"#).forward_agent);
    let none = with_host(r#"{"forward_agent": true, "agent": false}"#);
    says(&none, "H0121", "true", "\"forward_agent\" of a host with \"agent\": false", "leave \"agent\" out");
    let all = r#"{"hopper": 1, "defaults": {"host": {"forward_agent": true}}, "hosts": {"a": {}}}"#;
    assert_eq!(bad(all).len(), 1);
}
