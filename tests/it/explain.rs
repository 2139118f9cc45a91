//! `hopper plan --explain`: one forward or all, with a route or without. `hopper explain`: the same for one that
//! runs.

use super::home::Home;

const TWO_WAYS: &str = "topologies/two-ways-in.json";

#[test]
fn one_forward_can_be_explained_alone() {
    let home = Home::new();
    let said = home.run(&["plan", TWO_WAYS, "--explain", "page"]).with(0).stdout;
    assert!(said.contains("page to meter:80") && !said.contains("readings"), "{said}");
    assert!(said.contains("next 1  local -> radio -> inside -> meter"), "{said}");
    let json = home.run(&["plan", TWO_WAYS, "--explain", "page", "--json"]).with(0).json();
    assert_eq!(json["forwards"].as_array().map(Vec::len), Some(1), "{json}");
    assert_eq!(json["forwards"][0]["runners_up"][0]["lost"]["by"], 40, "{json}");
}

#[test]
fn a_forward_that_does_not_exist_is_wrong_usage() {
    let home = Home::new();
    let ended = home.run(&["plan", TWO_WAYS, "--explain", "pagge"]).with(2);
    assert_eq!(ended.stdout, "");
    assert!(
        ended.stderr.contains("H0308") && ended.stderr.contains("did you mean \"page\"?"),
        "{}",
        ended.stderr
    );
    let ended = home.run(&["plan", TWO_WAYS, "--explain", "zzz"]).with(2);
    assert!(ended.stderr.contains("write one of: page, readings"), "{}", ended.stderr);
}

#[test]
fn a_forward_without_a_route_is_told_as_plan_tells_it() {
    let home = Home::new();
    let file = "tests/topologies/wrong/no-route.json";
    let told = home.run(&["plan", file]).with(10).stderr;
    let ended = home.run(&["plan", file, "--explain"]).with(10);
    assert_eq!((ended.stdout.as_str(), &ended.stderr), ("", &told));
    let list = home.run(&["plan", file, "--json"]).with(10).json();
    let json = home.run(&["plan", file, "--explain", "--json"]).with(10).json();
    assert_eq!((&json["errors"], &json["forwards"]), (&list, &serde_json::json!([])));
}

#[test]
fn every_smallest_opening_is_told_beside_the_forwards_that_have_a_route() {
    let home = Home::new();
    let file = "tests/topologies/wrong/firewall-in-the-way.json";
    let ended = home.run(&["plan", file, "--explain"]).with(10);
    assert!(ended.stdout.contains("tls to web:443"), "{}", ended.stdout);
    let wanted = "
  help: the smallest opening that would do: port 80 on gate -> web
  help: as small, and would do: port 22 on gate -> inner
";
    assert!(ended.stderr.contains(wanted), "{}", ended.stderr);
    // Asked about the other one alone, there is nothing to complain about.
    let ended = home.run(&["plan", file, "--explain", "tls"]).with(0);
    assert_eq!(ended.complaint(), "");
}

/// Two gates, a far end that answers, and one that answers wrong and is not required.
const RUN: &str = r#"{ "hopper": 1, "name": "office",
  "hosts": { "outer": "alice@outer", "inner": "alice@inner", "screen": { "ssh": false } },
  "links": ["local -> outer -> inner -> screen"],
  "forwards": { "vnc": { "listen": "auto", "to": "screen:5900", "check": { "banner": "RFB " } },
                "wrong": { "listen": "auto", "to": "screen:5900", "required": false, "check": { "banner": "SSH-" } } } }"#;

#[test]
fn a_running_forward_is_explained_hop_by_hop() {
    let home = Home::new();
    let file = home.file("office.json", RUN);
    home.run(&["up", &file, "--lab", "-d"]).with(8);
    let ended = home.run(&["explain", "vnc"]).with(0);
    for line in ["  1  local → outer", "  2  outer → inner", "  3  inner → screen:5900  up, answered "]
    {
        assert!(ended.stdout.contains(line), "no {line:?} in\n{}", ended.stdout);
    }
    assert!(ended.stderr.contains("hopper plan FILE --explain vnc"), "{}", ended.stderr);
    // A run is named as for status and down: by its name or its file.
    let ended = home.run(&["explain", "vnc", &file, "--ascii"]).with(0);
    assert!(ended.stdout.is_ascii(), "{}", ended.stdout);
    assert!(ended.stderr.contains(&format!("hopper plan {file} --explain vnc")), "{}", ended.stderr);
    let json = home.run(&["explain", "vnc", "office", "--json"]).with(0).json();
    assert_eq!(json["schema"], "hopper.route/1", "{json}");
    let hops = json["hops"].as_array().expect("hops");
    let tunnels: Vec<_> = hops.iter().map(|hop| hop["tunnel"].as_str()).collect();
    assert_eq!(tunnels, [Some("T1"), Some("T2"), None], "{json}");
    assert!(hops.iter().all(|hop| hop["state"] == "up") && json["broken"].is_null(), "{json}");
    home.run(&["down", "office"]).with(0);
    home.assert_nothing_left();
}

#[test]
fn what_broke_is_named_with_its_hop_and_cause() {
    let home = Home::new();
    home.run(&["up", &home.file("office.json", RUN), "--lab", "-d"]).with(8);
    let said = home.run(&["explain", "wrong", "office"]).with(8).stdout;
    assert!(said.contains("broken at hop 3, screen:5900: ") && said.contains("not bound"), "{said}");
    let json = home.run(&["explain", "wrong", "--json"]).with(8).json();
    assert_eq!(json["broken"]["hop"], 3, "{json}");
    let status = home.run(&["status", "office", "--json"]).with(8).json();
    let wrong = status["forwards"].as_array().expect("forwards").iter().find(|one| one["id"] == "wrong");
    assert_eq!(wrong.expect("the forward")["cause"], json["broken"]["cause"], "{status}");
    let ended = home.run(&["explain", "vnd", "office"]).with(2);
    assert!(
        ended.stderr.contains("H0308") && ended.stderr.contains("did you mean \"vnc\"?"),
        "{}",
        ended.stderr
    );
    home.run(&["down", "office"]).with(0);
    home.assert_nothing_left();
}

#[test]
fn without_a_run_there_is_nothing_to_explain() {
    let home = Home::new();
    let said = home.run(&["explain", "vnc"]).with(3).stderr;
    assert!(said.contains("hopper plan FILE --explain"), "{said}");
    let error = home.run(&["explain", "vnc", "office", "--json"]).with(3).json();
    assert_eq!(error["code"], "H0901", "{error}");
}
