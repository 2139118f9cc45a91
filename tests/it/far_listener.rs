//! Forwards that listen on another host, in the lab: what a program there meets, and the branch office.

use super::client::{FarEnd, assert_refuses};
use super::home::Home;

/// Nobody sits at a host of the lab, but a forward may lead to what another one listens for there.
#[test]
fn what_listens_on_a_far_host_leads_here_and_across() {
    let home = Home::new();
    let file = home.file(
        "far.json",
        r#"{ "hopper": 1, "name": "far",
             "hosts": { "gate": {}, "inner": {}, "side": {}, "web": { "ssh": false } },
             "links": ["local -> gate -> inner", "local -> side -> web"],
             "forwards": {
                 "across": { "listen": "inner/8080", "to": "web:80", "check": { "http": "/" } },
                 "back": "gate/7000 -> local:7000",
                 "see-across": { "listen": "auto", "to": "inner/127.0.0.1:8080", "check": "none" },
                 "see-back": { "listen": "auto", "to": "gate/127.0.0.1:7000", "check": "none" } } }"#,
    );
    home.up(&file, &[]);
    let status = home.status("far");
    assert_eq!(status["forwards"][0]["listen"], "inner/127.0.0.1:8080", "{status}");
    let page = home.listen("far", "see-across");
    FarEnd::Page.visit(&page);
    FarEnd::Echo.visit(&home.listen("far", "see-back"));
    let status = home.status("far");
    let counted = |at: usize| status["forwards"][at]["connections"].as_u64().unwrap_or(0);
    assert_eq!((counted(0), counted(1)), (1, 1), "both came through the far listeners: {status}");
    let told = home.run(&["status"]).with(0).stdout;
    assert!(told.contains("gate/127.0.0.1:7000"), "{told}");
    home.run(&["down"]).with(0);
    assert_refuses(&page);
    home.assert_nothing_left();
}

#[test]
fn the_branch_office_comes_up_at_both_ends() {
    let home = Home::new();
    home.up("topologies/branch-office.json", &[]);
    FarEnd::Page.visit(&home.listen("branch-office", "camera"));
    home.run(&["down"]).with(0);
    home.up("topologies/branch-office.json", &["--at", "branch"]);
    assert_eq!(home.listen("branch-office", "door"), "meet/127.0.0.1:2201");
    home.run(&["down"]).with(0);
    home.assert_nothing_left();
}

#[test]
fn a_port_that_is_taken_on_a_far_host_is_told_with_its_hop() {
    let home = Home::new();
    // SSH itself is there.
    let file = home.file(
        "taken.json",
        r#"{ "hopper": 1, "name": "taken", "links": ["local -> gate -> inner"],
             "forwards": { "back": "inner/22 -> local:7000" } }"#,
    );
    let said = home.run(&["up", &file, "--lab"]).with(7).stderr;
    for words in ["H0707", "inner will not listen on 127.0.0.1:22", "(hop 2 of 2)", "Nothing is left"] {
        assert!(said.contains(words), "no {words:?} in\n{said}");
    }
    home.assert_nothing_left();
}

#[test]
fn a_forward_of_another_machine_is_explained_there() {
    let home = Home::new();
    let file = "topologies/branch-office.json";
    let said = home.run(&["plan", file, "--explain", "door"]).with(2).stderr;
    assert!(said.contains("H0308") && said.contains("--at branch"), "{said}");
    home.run(&["plan", file, "--explain", "door", "--at", "branch"]).with(0);
    let said = home.run(&["plan", file, "--at", "meet"]).with(10).stderr;
    assert!(said.contains("H0205") && said.contains("local, branch"), "{said}");
}
