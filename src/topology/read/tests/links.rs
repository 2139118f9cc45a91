//! Links and forwards: what is read, what is refused.

use super::{bad, good, says, with_forwards, with_links};
use crate::topology::{CarrierKind, Check, Endpoint, Target};

#[test]
fn a_chain_is_as_many_links_as_it_has_arrows() {
    let topology = good(&with_links(r#"["local -> gate->db", {"from": "db", "to": "screen"}]"#));
    let ends: Vec<_> = topology.links.iter().map(|l| (l.from.as_str(), l.to.as_str(), l.cost)).collect();
    assert_eq!(ends, [("local", "gate", 10), ("gate", "db", 10), ("db", "screen", 10)]);
}

#[test]
fn every_setting_of_a_link_is_read_and_defaults_lie_under_it() {
    let text = r#"{"hopper": 1, "firewalls": {"fw": {}}, "defaults": {"link": {"cost": 7, "through": ["fw"]}},
        "links": ["local -> a", {"from": "a", "to": "b", "dial": "[::1]:2022", "ports": [22, "5900-5910"],
        "through": [], "carrier": "port", "listen": 2201, "note": "n"}]}"#;
    let links = good(text).links;
    assert_eq!((links[0].cost, links[0].through.len(), links[0].carrier), (7, 1, None));
    let dial = links[1].dial.as_ref().unwrap();
    assert_eq!((dial.host.as_str(), dial.port), ("::1", Some(2022)));
    assert!(links[1].ports.as_ref().unwrap().contains(5905));
    assert_eq!((links[1].cost, links[1].through.len(), links[1].carrier), (7, 0, Some(CarrierKind::Port)));
    assert_eq!(links[1].listen.unwrap().to_string(), "127.0.0.1:2201");
}

#[test]
fn links_that_cannot_be_are_refused() {
    for (links, code, place, message, help) in [
        (r#"["gate"]"#, "H0119", "gate", "\"gate\" is not a link", "local -> gate-a"),
        (r#"["gate -> "]"#, "H0119", "->", "not a link", "an arrow"),
        (r#"["-> gate"]"#, "H0119", "->", "not a link", "an arrow"),
        (r#"["gate -> gate"]"#, "H0119", "gate", "to itself", "needs no link"),
        (r#"["gate -> local"]"#, "H0119", "local", "no link leads to \"local\"", "turn the arrow round"),
        (
            r#"["local -> gatt"]"#,
            "H0104",
            "gatt",
            "a host that does not exist: \"gatt\"",
            "did you mean \"gate\"?",
        ),
        (r#"["loacl -> gate"]"#, "H0104", "loacl", "does not exist", "did you mean \"local\"?"),
        (
            r#"["local -> qqqqqqqq"]"#,
            "H0104",
            "qqqqqqqq",
            "",
            "\"hosts\": { \"qqqqqqqq\": \"user@address\" }",
        ),
        (r#"["local -> gate;x"]"#, "H0111", ";", "cannot name a host", "letters, digits"),
        ("[7]", "H0107", "7", "a link must be", ""),
        (r#"[{"from": "local"}]"#, "H0108", "{", "a link has no \"to\"", "\"to\": \"gate-a\""),
        (r#"[{"from": "gate", "to": "local"}]"#, "H0119", "local", "leads to \"local\"", ""),
        (
            r#"[{"from": "local", "to": "gate", "through": ["edg"]}]"#,
            "H0104",
            "edg",
            "a firewall",
            "\"edge\"?",
        ),
        (
            r#"[{"from": "local", "to": "gate", "ports": []}]"#,
            "H0113",
            "[",
            "no port through",
            "leave \"ports\" out",
        ),
        (
            r#"[{"from": "local", "to": "gate", "carrier": "tcp"}]"#,
            "H0121",
            "\"tcp\"",
            "",
            "\"channel\" or \"port\"",
        ),
        (r#"[{"from": "local", "to": "gate", "dial": "a b"}]"#, "H0112", " ", "", ""),
        (r#"[{"from": "local", "to": "gate", "cost": -1}]"#, "H0121", "-1", "from 0 to", ""),
        (
            r#"[{"from": "local", "to": "gate", "carrier": "channel", "listen": 1}]"#,
            "H0119",
            "1",
            "listens nowhere",
            "",
        ),
        (
            r#"[{"from": "local", "to": "gate", "listen": "0.0.0.0:1"}]"#,
            "H0115",
            "\"0.0.0.0:1\"",
            "",
            "127.0.0.1",
        ),
    ] {
        says(&with_links(links), code, place, message, help);
    }
}

#[test]
fn without_a_hosts_block_names_are_addresses() {
    let text = r#"{"hopper": 1, "defaults": {"host": {"user": "ops"}},
        "links": ["local -> bastion.example.com -> db.internal", {"from": "db.internal", "to": "x"}],
        "forwards": {"db": "5432 -> db.internal:5432"}}"#;
    let hosts = good(text).hosts;
    let seen: Vec<_> = hosts.iter().map(|h| (h.address.to_string(), h.user.as_deref())).collect();
    assert_eq!(seen[0], ("bastion.example.com:22".to_owned(), Some("ops")));
    assert_eq!(seen.len(), 3);
    let text = r#"{"hopper": 1, "links": ["local -> db.net"], "forwards": {"f": "1 -> db.nett:2"}}"#;
    says(
        text,
        "H0104",
        "db.nett",
        "forward \"f\" names a host that does not exist",
        "did you mean \"db.net\"?",
    );
}

#[test]
fn every_form_of_a_forward_is_read() {
    for (forward, listen, to) in [
        (r#""8080 -> gate:80""#, "127.0.0.1:8080", "gate:80"),
        (r#""auto->gate:80""#, "127.0.0.1:auto", "gate:80"),
        (r#""[::1]:5 -> db/127.0.0.1:80""#, "[::1]:5", "db/127.0.0.1:80"),
        (r#"{"listen": 5901, "to": "screen:5900"}"#, "127.0.0.1:5901", "screen:5900"),
        (r#"{"listen": "127.0.0.1:auto", "to": "db/[::1]:80"}"#, "127.0.0.1:auto", "db/[::1]:80"),
        (r#"{"listen": "[::1]:auto", "to": "db/inner.net:80"}"#, "[::1]:auto", "db/inner.net:80"),
        (
            r#"{"listen": "0.0.0.0:80", "expose": true, "to": "db//run/pg.sock"}"#,
            "0.0.0.0:80",
            "db//run/pg.sock",
        ),
    ] {
        let forward = good(&with_forwards(&format!(r#"{{"f": {forward}}}"#))).forwards.remove(0);
        assert_eq!((forward.listen.to_string().as_str(), forward.to.to_string().as_str()), (listen, to));
    }
    let unix = good(&with_forwards(r#"{"f": "1 -> db//run/pg.sock"}"#)).forwards.remove(0).to;
    assert!(matches!(unix, Target::Within { endpoint: Endpoint::Unix(path), .. } if path == "/run/pg.sock"));
}

#[test]
fn every_setting_of_a_forward_is_read_and_defaults_lie_under_it() {
    let forward = |json: &str| {
        let defaults = r#""defaults": {"forward": {"listen": "auto", "required": false, "check": "none"}}"#;
        let text = with_forwards(&format!(r#"{{"f": {json}}}"#)).replacen(
            "\"hosts\"",
            &format!("{defaults}, \"hosts\""),
            1,
        );
        good(&text).forwards.remove(0)
    };
    let bare = forward(r#"{"to": "db:1"}"#);
    assert_eq!((bare.check, bare.required, bare.protocol), (Check::None, false, None));
    let full = forward(
        r#"{"to": "db:1", "required": true, "protocol": "vnc", "plain": "last", "check": {"banner": "RFB "}}"#,
    );
    assert_eq!((full.check, full.required), (Check::Banner("RFB ".to_owned()), true));
    assert_eq!(full.protocol.as_deref(), Some("vnc"));
    assert_eq!(forward(r#"{"to": "db:1", "check": "tcp"}"#).check, Check::Tcp);
    assert_eq!(forward(r#"{"to": "db:1", "check": "echo"}"#).check, Check::Echo);
    assert_eq!(forward(r#"{"to": "db:1", "check": "loop"}"#).check, Check::Loop);
    let http = forward(r#"{"to": "db:1", "check": {"http": "/health?a=b"}}"#);
    assert_eq!(http.check, Check::Http("/health?a=b".to_owned()));
}

#[test]
fn forwards_that_cannot_be_are_refused() {
    for (forward, code, place, message, help) in [
        (r#""8080""#, "H0120", "8080", "\"8080\" is not a forward", "8080 -> intranet:80"),
        (r#""1 -> gate -> db:2""#, "H0120", "1 -> gate -> db:2", "not a forward", ""),
        (r#""x -> gate:2""#, "H0114", "x", "\"x\" is not a place to listen", "\"auto\""),
        (r#""0 -> gate:2""#, "H0113", "0", "\"0\" is not a port", "auto"),
        (r#""localhost:1 -> gate:2""#, "H0114", "localhost:1", "", "127.0.0.1:5901"),
        (r#""1 -> gate""#, "H0117", "gate", "\"gate\" is not a target", "HOST:PORT"),
        (r#""1 -> gate:99999""#, "H0113", "99999", "not a port", ""),
        (r#""1 -> gate/x""#, "H0117", "gate/x", "not a target", "HOST/ADDRESS:PORT"),
        (r#""1 -> gate//""#, "H0117", "/", "path of a socket", ""),
        (r#""1 -> gate/-x:1""#, "H0112", "-", "not an address", ""),
        (r#""1 -> local:2""#, "H0120", "local", "leads to \"local\"", "needs no tunnel"),
        (r#""1 -> gatee:2""#, "H0104", "gatee", "forward \"f\" names a host", "did you mean \"gate\"?"),
        (r#""1 -> screen/127.0.0.1:5900""#, "H0120", "screen", "no SSH server", "\"screen:5900\""),
        (r#""0.0.0.0:1 -> gate:2""#, "H0115", "0.0.0.0:1", "open to other machines", "\"expose\": true"),
        (
            r#"{"listen": "[::]:1", "to": "gate:2"}"#,
            "H0115",
            "\"[::]:1\"",
            "open to other",
            "\"expose\": true",
        ),
        (r#"{"listen": 0, "to": "gate:2"}"#, "H0113", "0", "0 is not a port", "\"auto\""),
        (r#"{"to": "gate:2"}"#, "H0108", "\"f\"", "forward \"f\" has no \"listen\"", "\"listen\": 8080"),
        (r#"{"listen": 1}"#, "H0108", "\"f\"", "forward \"f\" has no \"to\"", "HOST:PORT"),
        (r#"{"listen": 1, "to": "gate:2", "check": "tpc"}"#, "H0121", "\"tpc\"", "", "did you mean \"tcp\"?"),
        (
            r#"{"listen": 1, "to": "gate:2", "check": "lop"}"#,
            "H0121",
            "\"lop\"",
            "",
            "did you mean \"loop\"?",
        ),
        (r#"{"listen": 1, "to": "gate:2", "check": {}}"#, "H0121", "{", "\"check\" must be", ""),
        (r#"{"listen": 1, "to": "gate:2", "check": {"http": "x"}}"#, "H0121", "x", "not a path", "/health"),
        (
            r#"{"listen": 1, "to": "gate:2", "check": {"http": "/a b"}}"#,
            "H0121",
            " ",
            "not a path",
            "%-encoded",
        ),
        (r#"{"listen": 1, "to": "gate:2", "check": {"banner": ""}}"#, "H0121", "\"", "1 to 255 bytes", "RFB"),
        (r#"{"listen": 1, "to": "gate:2", "protocol": "VNC"}"#, "H0121", "VNC", "not a protocol", "\"vnc\""),
        ("[]", "H0107", "[", "forward \"f\" must be", ""),
    ] {
        says(&with_forwards(&format!(r#"{{"f": {forward}}}"#)), code, place, message, help);
    }
}

#[test]
fn two_listeners_on_one_port_are_shown_both() {
    for (first, second) in
        [("5", "5"), ("127.0.0.1:5", "5"), ("0.0.0.0:5", "127.0.0.9:5"), ("127.0.0.9:5", "0.0.0.0:5")]
    {
        let forward = |listen: &str| format!(r#"{{"listen": "{listen}", "expose": true, "to": "db:1"}}"#);
        let text = with_forwards(&format!(r#"{{"a": {}, "b": {}}}"#, forward(first), forward(second)));
        let problems = bad(&text);
        assert_eq!((problems.len(), problems[0].code), (1, "H0116"), "{problems:#?}");
        assert_eq!(text[problems[0].label.range.clone()], format!("\"{second}\""));
        assert_eq!(text[problems[0].related[0].range.clone()], format!("\"{first}\""));
    }
    good(&with_forwards(
        r#"{"a": "auto -> db:1", "b": "auto -> db:1", "c": "5 -> db:1", "d": "[::1]:5 -> db:1"}"#,
    ));
    let text = r#"{"hopper": 1, "links": [{"from": "local", "to": "a", "listen": 5}], "forwards": {"f": "5 -> a:1"}}"#;
    says(text, "H0116", "5", "two listeners want 127.0.0.1:5", "\"auto\"");
}
