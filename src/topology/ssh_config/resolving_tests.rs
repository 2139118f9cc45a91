//! What a configuration makes of a topology.

use std::time::Duration;

use super::*;
use crate::topology::parse;

/// The topology of these hosts and links, with what the configuration says of each name.
fn resolve(hosts: &str, links: &str, config: &[(&str, SshSettings)]) -> Result<Resolved, JumpLoop> {
    let text = format!(r#"{{"hopper": 1, "hosts": {hosts}, "links": {links}}}"#);
    let mut resolving = Resolving::new(parse(&text, "corp").unwrap());
    loop {
        let lookups = resolving.lookups();
        if lookups.is_empty() {
            return resolving.finish();
        }
        for lookup in lookups {
            let known = config.iter().find(|(name, _)| *name == lookup.name);
            resolving.take(&lookup.host, &known.map(|(_, settings)| settings.clone()).unwrap_or_default());
        }
    }
}

fn via(jumps: &[&str]) -> SshSettings {
    let jump = |host: &&str| Jump { user: None, host: (*host).to_owned(), port: None };
    SshSettings { jumps: jumps.iter().map(jump).collect(), ..SshSettings::default() }
}

fn links(resolved: &Resolved) -> Vec<String> {
    resolved.topology.links.iter().map(|link| format!("{} {}", link.from, link.to)).collect()
}

fn everything() -> SshSettings {
    SshSettings {
        host_name: Some("gate.net".to_owned()),
        user: Some("bob".to_owned()),
        port: Some(2222),
        identities: Some(vec!["~/.ssh/other".to_owned()]),
        certificates: vec!["~/.ssh/signed".to_owned()],
        identities_only: Some(true),
        host_key_alias: Some("branch".to_owned()),
        known_hosts: Some(vec!["/srv/kh".to_owned()]),
        alive_interval: Some(Duration::from_secs(30)),
        alive_max: Some(7),
        algorithms: BTreeMap::from([(crate::topology::AlgorithmKind::Mac, vec!["hmac-sha2-256"])]),
        ..SshSettings::default()
    }
}

#[test]
fn a_bare_name_gets_everything() {
    let resolved = resolve(r#"{"gate": {}}"#, "[]", &[("gate", everything())]).unwrap();
    let host = &resolved.topology.hosts[0];
    assert_eq!((host.address.to_string(), host.user.as_deref()), ("gate.net:2222".to_owned(), Some("bob")));
    assert_eq!(
        (host.identities.as_slice(), host.identities_only),
        (["~/.ssh/other".to_owned()].as_slice(), Some(true))
    );
    assert_eq!(host.certificates, ["~/.ssh/signed"]);
    assert_eq!(host.host_key.alias.as_deref(), Some("branch"));
    assert_eq!(host.known_hosts.as_deref(), Some(["/srv/kh".to_owned()].as_slice()));
    assert_eq!((host.keepalive.interval, host.keepalive.max), (Duration::from_secs(30), 7));
    assert_eq!(host.algorithms.named.len(), 1);
    assert_eq!(resolved.taken.len(), 1);
}

#[test]
fn a_certificate_alone_leaves_the_usual_keys_to_sign_for_it() {
    let only = SshSettings { identities: None, identities_only: None, ..everything() };
    let resolved = resolve(r#"{"gate": {}}"#, "[]", &[("gate", only)]).unwrap();
    let host = &resolved.topology.hosts[0];
    assert_eq!((host.identities.len(), host.certificates.len()), (0, 1));
    assert!(!host.offers_named_keys_only());
}

#[test]
fn what_the_file_gives_stays() {
    let hosts = r#"{"gate": {"address": "gate.org", "port": 22, "user": "ann", "identities": ["~/x"],
        "identities_only": false, "host_key": {"alias": "own"}, "keepalive": {"interval": "5s", "max": 3},
        "algorithms": {"mac": ["hmac-sha2-512"]}, "ssh_config": "alias"}}"#;
    let before = parse(&format!(r#"{{"hopper": 1, "hosts": {hosts}}}"#), "corp").unwrap();
    let resolved = resolve(hosts, "[]", &[("alias", everything())]).unwrap();
    let host = Host { known_hosts: None, ..resolved.topology.hosts[0].clone() };
    assert_eq!(host, before.hosts[0]);
}

#[test]
fn defaults_of_the_file_stand_above_too() {
    let text = r#"{"hopper": 1, "defaults": {"host": {"user": "ops", "port": 7}}, "hosts": {"gate": {}}}"#;
    let mut resolving = Resolving::new(parse(text, "corp").unwrap());
    let lookups = resolving.lookups();
    assert_eq!((lookups[0].user.as_deref(), lookups[0].port), (Some("ops"), Some(7)));
    resolving.take(&lookups[0].host, &everything());
    let host = &resolving.finish().unwrap().topology.hosts[0];
    assert_eq!((host.address.to_string(), host.user.as_deref()), ("gate.net:7".to_owned(), Some("ops")));
}

#[test]
fn whoever_is_switched_off_or_takes_no_logins_is_not_looked_up() {
    let hosts =
        r#"{"a": {"ssh_config": false}, "b": {"ssh": false}, "c": {"ssh_config": "other"}, "d": "x.net"}"#;
    let text = format!(r#"{{"hopper": 1, "hosts": {hosts}}}"#);
    let names: Vec<_> =
        Resolving::new(parse(&text, "corp").unwrap()).lookups().into_iter().map(|it| it.name).collect();
    assert_eq!(names, ["other", "x.net"]);
    let resolved = resolve(hosts, "[]", &[]).unwrap();
    assert_eq!(resolved.topology.host(&HostId::new("c")).unwrap().address.host, "other");
}

#[test]
fn a_jump_becomes_links_and_hosts() {
    let config = [("db", via(&["outer", "inner"])), ("outer", everything())];
    let resolved = resolve(r#"{"db": {}}"#, "[]", &config).unwrap();
    assert_eq!(links(&resolved), ["outer inner", "inner db", "local outer"]);
    let outer = resolved.topology.host(&HostId::new("outer")).unwrap();
    assert_eq!(outer.address.to_string(), "gate.net:2222");
    let ids: Vec<_> = resolved.topology.hosts.iter().map(|host| host.id.as_str()).collect();
    assert_eq!(ids, ["db", "inner", "outer"]);
}

#[test]
fn jumps_of_jumps_are_followed_but_not_behind_the_first() {
    // As ssh does: the first jump has its own way, whoever is behind it is dialled from it.
    let config = [("db", via(&["one", "two"])), ("one", via(&["zero"])), ("two", via(&["elsewhere"]))];
    let resolved = resolve(r#"{"db": {}}"#, "[]", &config).unwrap();
    assert_eq!(links(&resolved), ["one two", "two db", "zero one", "local zero"]);
}

#[test]
fn a_jump_to_a_host_of_the_file_is_that_host() {
    let hosts = r#"{"bastion": "ann@gate.net", "db": {}, "web": {}}"#;
    let config = [("db", via(&["gate.net"])), ("web", via(&["bastion"]))];
    let resolved = resolve(hosts, r#"["local -> bastion"]"#, &config).unwrap();
    assert_eq!(links(&resolved), ["local bastion", "bastion db", "bastion web"]);
    let other = Jump { user: Some("eve".to_owned()), host: "gate.net".to_owned(), port: None };
    let config = [("db", SshSettings { jumps: vec![other], ..SshSettings::default() })];
    let resolved = resolve(hosts, r#"["local -> bastion"]"#, &config).unwrap();
    assert_eq!(links(&resolved), ["local bastion", "gate.net db", "local gate.net"]);
    assert_eq!(resolved.topology.host(&HostId::new("gate.net")).unwrap().user.as_deref(), Some("eve"));
}

#[test]
fn the_links_of_the_file_settle_how_to_get_there() {
    let config = [("db", via(&["bastion"])), ("gate", via(&["bastion"]))];
    let resolved = resolve(r#"{"gate": {}, "db": {}}"#, r#"["local -> gate -> db"]"#, &config).unwrap();
    assert_eq!(links(&resolved), ["local gate", "gate db"]);
    assert_eq!(
        resolved.notes,
        ["gate: its ProxyJump is not used, since the file has a link from local to it"]
    );
}

#[test]
fn a_circle_is_told_and_does_not_hang() {
    let config = [("db", via(&["a"])), ("a", via(&["b"])), ("b", via(&["a"]))];
    let JumpLoop(way) = resolve(r#"{"db": {}}"#, "[]", &config).unwrap_err();
    let way: Vec<_> = way.iter().map(HostId::as_str).collect();
    assert_eq!(way, ["a", "b", "a"]);
    let itself = [("db", via(&["db"]))];
    assert!(resolve(r#"{"db": {}}"#, "[]", &itself).is_err());
}

#[test]
fn a_command_is_remembered_by_host() {
    let config = [("gate", SshSettings { proxy_command: Some("nc".to_owned()), ..SshSettings::default() })];
    let resolved = resolve(r#"{"gate": {}}"#, r#"["local -> gate"]"#, &config).unwrap();
    assert_eq!(resolved.by_command, BTreeMap::from([(HostId::new("gate"), "nc".to_owned())]));
    assert!(resolved.is_led_to(&HostId::new("gate")));
}

#[test]
fn an_address_that_is_no_id_gets_one() {
    let config = [("db", via(&["::1", "local"]))];
    let resolved = resolve(r#"{"db": {}}"#, "[]", &config).unwrap();
    assert_eq!(links(&resolved), ["1 local-2", "local-2 db", "local 1"]);
}
