//! What a host is told to run, word by word.

use super::*;
use crate::plan::fixture::{line, vnc};
use crate::plan::{PlanOptions, plan};
use crate::topology::{Authority, Strategy, Topology};

fn planned(change: impl FnOnce(&mut Topology)) -> Plan {
    let mut topology = vnc().with_clients_everywhere();
    change(&mut topology);
    let options = PlanOptions { strategy: Some(Strategy::Telescoped), ..PlanOptions::default() };
    plan(&topology, &options).unwrap()
}

fn told(tool: Tool, change: impl FnOnce(&mut Topology)) -> Result<String, Unfit> {
    let plan = planned(change);
    let command = client_command(&plan, &plan.tunnels[1], tool)?;
    Ok(command.split("' hopper ").nth(1).unwrap().to_owned())
}

#[test]
fn the_client_of_the_source_document_is_strict_and_listens_for_the_next_session() {
    let told = told(Tool::OpenSsh, |topology| topology.hosts[1].user = Some("alice".to_owned())).unwrap();
    for words in [
        "30 none 'ssh' '-F' 'none' '-N' ",
        "'StrictHostKeyChecking=yes'",
        "'BatchMode=yes'",
        "'-L' '*:2201:gate-d:22' '-p' '22' '--' 'alice@gate-c'",
    ] {
        assert!(told.contains(words), "no {words} in {told}");
    }
    assert!(!told.contains("HostKeyAlias"), "{told}");
}

#[test]
fn a_client_that_rides_another_dials_its_listener_and_checks_its_own_server() {
    let mut topology = line(6).with_clients_everywhere();
    topology.hosts[3].user = Some("alice".to_owned());
    let options = PlanOptions { strategy: Some(Strategy::Telescoped), ..PlanOptions::default() };
    let plan = plan(&topology, &options).unwrap();
    let rider = plan.tunnels.iter().find(|tunnel| !tunnel.client.is_local() && tunnel.through.is_some());
    let rider = rider.unwrap();
    assert_eq!((rider.client.name(), rider.server.id.as_str()), ("h1", "h4"));
    let told = client_command(&plan, rider, Tool::OpenSsh).unwrap();
    assert!(told.contains("'HostKeyAlias=h4'") && told.ends_with("'-p' '2201' '--' 'alice@h2'"), "{told}");
    assert!(matches!(client_command(&plan, rider, Tool::Dropbear), Err(Unfit::Dropbear(_))));
}

#[test]
fn the_script_can_stand_in_single_quotes_on_one_line() {
    assert!(!SCRIPT.contains(['\'', '\n', '!']) || SCRIPT.contains("$!"));
    assert!(!SCRIPT.contains('\'') && SCRIPT.is_ascii() && !SCRIPT.contains('\n'));
    assert!(SCRIPT.contains(LISTENS));
}

#[test]
fn a_pin_and_another_name_go_along() {
    let told = told(Tool::OpenSsh, |topology| {
        topology.links[1].seen_as("10.0.0.7", Some(2222));
        topology.hosts[1].host_key.fingerprints = vec!["SHA256:abc+/d".to_owned()];
    });
    let told = told.unwrap();
    assert!(told.contains("'HostKeyAlias=gate-c'") && told.contains("'-p' '2222' '--' '10.0.0.7'"), "{told}");
    assert!(told.contains("case %f in SHA256:abc+/d) echo"), "{told}");
}

#[test]
fn no_shell_is_given_what_it_could_read_as_more_than_a_word() {
    for user in ["a'b", "a\\b", "a$b", "a`b", "größe", "a\nb", "a!b"] {
        let mut topology = vnc().with_clients_everywhere();
        topology.hosts[1].user = Some(user.to_owned());
        let options = PlanOptions { strategy: Some(Strategy::Telescoped), ..PlanOptions::default() };
        let errors = plan(&topology, &options).unwrap_err();
        assert_eq!(errors[0].code(), "H0204", "{user}");
    }
}

#[test]
fn dropbear_is_not_asked_for_what_it_cannot_do() {
    let plain = told(Tool::Dropbear, |_| ()).unwrap();
    assert!(plain.starts_with("30 0899 'dbclient' '-N' "), "{plain}");
    assert!(plain.ends_with("'-L' '2201:gate-d:22' '-p' '22' 'gate-c'"), "{plain}");
    let pinned = |topology: &mut Topology| {
        topology.hosts[1].host_key.fingerprints = vec!["SHA256:abc".to_owned()];
    };
    assert!(matches!(told(Tool::Dropbear, pinned), Err(Unfit::Dropbear(_))));
    let seen = |topology: &mut Topology| topology.links[1].seen_as("10.0.0.7", None);
    assert!(matches!(told(Tool::Dropbear, seen), Err(Unfit::Dropbear(_))));
}

#[test]
fn a_client_elsewhere_cannot_be_told_of_an_authority() {
    let mut topology = vnc().with_clients_everywhere();
    topology.hosts[1].host_key.authorities = vec![Authority::File("~/ca.pub".to_owned())];
    let options = PlanOptions { strategy: Some(Strategy::Telescoped), ..PlanOptions::default() };
    let errors = plan(&topology, &options).unwrap_err();
    assert_eq!(errors[0].code(), "H0204");
    assert!(errors[0].to_string().contains("\"ca\""), "{}", errors[0]);
}

#[test]
fn the_client_is_told_apart_by_what_it_says() {
    assert_eq!(Tool::that_said("OpenSSH_9.2p1 Debian-2, OpenSSL 3.0"), Some(Tool::OpenSsh));
    assert_eq!(Tool::that_said("sh: 1: ssh: not found\nDropbear v2022.83"), Some(Tool::Dropbear));
    assert_eq!(Tool::that_said("sh: ssh: not found"), None);
}
