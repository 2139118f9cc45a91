//! What the format has and hopper does not do yet is refused, never ignored.

use super::{good, says, with_forwards, with_host};

#[test]
fn whatever_is_not_supported_yet_says_so() {
    let not_yet = |text: &str, place: &str| says(text, "H0110", place, "not supported yet", "");
    for key in ["include", "vars", "hooks"] {
        not_yet(&format!(r#"{{"hopper": 1, "{key}": {{}}}}"#), &format!("\"{key}\""));
    }
    for key in ["x11", "forward_agent", "proxy"] {
        not_yet(&with_host(&format!(r#"{{"{key}": {{}}}}"#)), &format!("\"{key}\""));
    }
    not_yet(&with_host(r#"{"auth": ["agent", "gssapi"]}"#), "\"gssapi\"");
    not_yet(&with_host(r#"{"secret": {"fd": 3, "prompt": true}}"#), "\"fd\"");
    for key in ["via", "env", "lazy", "idle"] {
        let forward = format!(r#"{{"f": {{"listen": 1, "to": "db:1", "{key}": "x"}}}}"#);
        not_yet(&with_forwards(&forward), &format!("\"{key}\""));
    }
    for (forward, place) in [
        (r#"{"listen": "/run/x.sock", "to": "db:1"}"#, "/run/x.sock"),
        (r#"{"listen": 1, "to": "socks"}"#, "socks"),
        (r#""1080 -> gate/socks""#, "gate/socks"),
    ] {
        not_yet(&with_forwards(&format!(r#"{{"f": {forward}}}"#)), place);
    }
}

#[test]
fn what_hopper_does_anyway_may_be_written() {
    good(&with_host(r#"{"host_key": {"policy": "strict"}}"#));
    good(&with_forwards(r#"{"f": {"listen": 1, "to": "db:1", "plain": "last"}}"#));
}
