//! `hopper plan --explain`: one forward or all, with a route or without.

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
    assert_eq!(ended.stderr, "");
}
