//! Where a forward listens, and who runs it: on this machine, on a host, for another machine's hopper.

use super::{bad, good, says, with_forwards};
use crate::topology::HostId;

fn forward(json: &str) -> crate::topology::Forward {
    good(&with_forwards(&format!(r#"{{"f": {json}}}"#))).forwards.remove(0)
}

#[test]
fn a_forward_may_listen_on_any_host_that_takes_logins() {
    for (json, near, to) in [
        (r#""gate/8080 -> db:80""#, "gate/127.0.0.1:8080", "db:80"),
        (r#""gate/[::1]:8080 -> db:80""#, "gate/[::1]:8080", "db:80"),
        (r#"{"listen": "gate/auto", "to": "db/127.0.0.1:80"}"#, "gate/127.0.0.1:auto", "db/127.0.0.1:80"),
        (r#""gate/8080 -> local:80""#, "gate/127.0.0.1:8080", "local/127.0.0.1:80"),
        (r#""gate/8080 -> local/10.0.0.9:80""#, "gate/127.0.0.1:8080", "local/10.0.0.9:80"),
        (r#""gate/8080 -> local//run/x.sock""#, "gate/127.0.0.1:8080", "local//run/x.sock"),
        (r#""gate/8080 -> gate:80""#, "gate/127.0.0.1:8080", "gate:80"),
        (r#""local/8080 -> db:80""#, "127.0.0.1:8080", "db:80"),
        (r#"{"at": "gate", "listen": "gate/8080", "to": "db:80"}"#, "127.0.0.1:8080", "db:80"),
        (r#"{"at": "gate", "listen": "db/8080", "to": "gate:22"}"#, "db/127.0.0.1:8080", "gate/127.0.0.1:22"),
    ] {
        let forward = forward(json);
        assert_eq!((forward.near().as_str(), forward.to.to_string().as_str()), (near, to), "{json}");
    }
    assert_eq!(forward(r#"{"at": "gate", "listen": 1, "to": "db:80"}"#).at, HostId::new("gate"));
}

#[test]
fn a_place_to_listen_that_cannot_be_is_refused() {
    for (json, code, place, message, help) in [
        (r#""gatee/1 -> db:2""#, "H0104", "gatee", "forward \"f\" names a host", "did you mean \"gate\"?"),
        (
            r#""screen/1 -> db:2""#,
            "H0120",
            "screen",
            "listens on \"screen\", which has no SSH server",
            "takes logins",
        ),
        (r#"" -> db:2""#, "H0114", "-", "\"\" is not a place to listen", "5901"),
        (r#""gate/ -> db:2""#, "H0114", " ", "not a place to listen", "5901"),
        (r#""ga te/1 -> db:2""#, "H0111", " ", "cannot name a host", ""),
        (
            r#""gate/0.0.0.0:1 -> db:2""#,
            "H0115",
            "gate/0.0.0.0:1",
            "open to other machines",
            "\"expose\": true",
        ),
        (
            r#"{"listen": "gate/0.0.0.0:1", "to": "db:2", "expose": true}"#,
            "H0120",
            "\"gate/0.0.0.0:1\"",
            "for that host alone",
            "\"bind\": \"any\"",
        ),
        (
            r#"{"at": "gatee", "listen": 1, "to": "db:2"}"#,
            "H0104",
            "gatee",
            "\"at\" names a host",
            "\"gate\"",
        ),
        (
            r#"{"at": "gate", "listen": 1, "to": "gate:2"}"#,
            "H0120",
            "gate",
            "leads to \"gate\"",
            "needs no tunnel",
        ),
        (
            r#"{"at": "gate", "listen": 1, "to": "local:2"}"#,
            "H0120",
            "local",
            "leads to \"local\"",
            "leave \"at\" out",
        ),
        (r#"{"at": "gate", "listen": "local/1", "to": "db:2"}"#, "H0120", "local", "cannot log in", "\"at\""),
    ] {
        says(&with_forwards(&format!(r#"{{"f": {json}}}"#)), code, place, message, help);
    }
}

#[test]
fn listeners_collide_only_on_the_same_machine() {
    good(&with_forwards(
        r#"{"a": "5 -> db:1", "b": "gate/5 -> db:1", "c": "db/5 -> gate:1",
            "d": {"at": "gate", "listen": 6, "to": "db:1"}}"#,
    ));
    let problems =
        bad(&with_forwards(r#"{"a": "gate/5 -> db:1", "b": {"at": "gate", "listen": 5, "to": "db:1"}}"#));
    assert_eq!((problems.len(), problems[0].code), (1, "H0116"), "{problems:#?}");
    assert!(problems[0].message.ends_with("127.0.0.1:5 on \"gate\""), "{problems:#?}");
}
