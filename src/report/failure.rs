//! A failed run, for a person (the path with the broken place, facts, what to type next) and for
//! machines (`hopper.error/1`). Says nothing about what was closed since: only the caller knows.

use serde_json::{Value, json};

use super::page;
use super::style::{Style, Tone, columns};
use super::words::os_words;
use crate::engine::{Failure, Phase};
use crate::plan::{Plan, Tunnel};
use crate::topology::escape;

/// The failure for a person, ending in a line end. With the plan, the path to the blamed tunnel is
/// drawn. The last line, in what state things are now, is the caller's.
pub fn render(failure: &Failure, plan: Option<&Plan>, style: Style) -> String {
    let hop = failure.hop.map_or(String::new(), |(hop, of)| format!(" (hop {hop} of {of})"));
    let message = format!("{}{hop}", os_words(&escape(&failure.message)));
    let path = plan.map_or(Vec::new(), |plan| path(failure, plan, style));
    let facts: Vec<_> = failure.facts.iter().map(|(name, value)| (*name, os_words(value))).collect();
    let head = (failure.code, message.as_str());
    page::page(head, &[path, page::facts(&facts, style), page::help(&failure.help, style)], style)
}

/// `hopper.error/1`.
pub fn json(failure: &Failure) -> Value {
    let facts = failure.facts.iter().map(|(name, value)| json!({ "name": name, "value": value }));
    json!({
        "schema": "hopper.error/1",
        "code": failure.code,
        "exit": failure.exit.code(),
        "message": failure.message,
        "hop": failure.hop.map(|(hop, _)| hop),
        "of": failure.hop.map(|(_, of)| of),
        "host": failure.host.as_ref().map(|host| host.as_str()),
        "tunnel": failure.tunnel.as_ref().map(|tunnel| tunnel.0.as_str()),
        "phase": failure.phase.as_str(),
        "facts": facts.collect::<Vec<_>>(),
        "help": failure.help,
    })
}

/// `local ─✔─▶ gate-a ─✔─▶ gate-b ─✘ login`, broken between hosts when it is too wide.
fn path(failure: &Failure, plan: &Plan, style: Style) -> Vec<String> {
    let Some(blamed) = failure.tunnel.as_ref().and_then(|id| plan.tunnel(id)) else { return Vec::new() };
    let chain = chain(blamed, plan);
    let good = (style.pick("─✔─▶", "-[ok]->"), Tone::Good);
    // Nothing answered at the host itself: the way there is what is broken.
    let way_broken = failure.phase == Phase::Connect;
    let bad = (style.pick("─✘─▶", "-[x]->"), Tone::Bad);
    let mut pieces = vec![(chain[0].client.name().to_owned(), chain[0].client.name().to_owned())];
    for (at, tunnel) in chain.iter().enumerate() {
        let (arrow, tone) = if way_broken && at + 1 == chain.len() { bad } else { good };
        let host = escape(tunnel.server.id.as_str());
        pieces.push((format!("{arrow} {host}"), format!("{} {host}", style.paint(tone, arrow))));
    }
    let phase = failure.phase.as_str();
    let end = match way_broken {
        true => format!("({phase})"),
        false => format!("{} {phase}", style.pick("─✘", "-[x]")),
    };
    pieces.push((end.clone(), style.paint(Tone::Bad, &end)));
    flow(pieces, 2, 6, style.width)
}

/// The tunnels from the outermost to this one.
fn chain<'a>(last: &'a Tunnel, plan: &'a Plan) -> Vec<&'a Tunnel> {
    let mut chain = vec![last];
    let mut below = last.through.as_ref();
    // A plan has no circles; the bound only keeps a broken one from hanging its own error message.
    while let Some(tunnel) = below.and_then(|id| plan.tunnel(id)).filter(|_| chain.len() < plan.tunnels.len())
    {
        chain.push(tunnel);
        below = tunnel.through.as_ref();
    }
    chain.reverse();
    chain
}

/// Pieces (as measured, as painted) with a space between, in lines no wider than the terminal.
fn flow(pieces: Vec<(String, String)>, first: usize, later: usize, width: usize) -> Vec<String> {
    let (mut lines, mut line, mut used) = (Vec::new(), " ".repeat(first), first);
    for (at, (plain, painted)) in pieces.into_iter().enumerate() {
        let gap = usize::from(at > 0 && used > later);
        if used + gap + columns(&plain) >= width && used > later {
            lines.push(std::mem::replace(&mut line, " ".repeat(later)));
            used = later;
        } else {
            line.push_str(&" ".repeat(gap));
            used += gap;
        }
        line.push_str(&painted);
        used += columns(&plain);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{NICE, id, login_failure, plan, three};

    #[test]
    fn machines_read_hopper_error_1() {
        let json = json(&login_failure());
        for (key, value) in [
            ("schema", Value::from("hopper.error/1")),
            ("code", "H0401".into()),
            ("exit", 4.into()),
            ("hop", 2.into()),
            ("of", 4.into()),
            ("host", "gate-b".into()),
            ("phase", "login".into()),
        ] {
            assert_eq!(json[key], value, "{key}");
        }
        assert_eq!(json["help"].as_array().unwrap().len(), 1);
        let names: Vec<_> = json["facts"].as_array().unwrap().iter().map(|fact| &fact["name"]).collect();
        assert_eq!(names, ["as", "offered", "offered", "accepts"], "facts may share a name");
        assert_eq!(json["facts"][0]["value"], "alice");
    }

    #[test]
    fn a_failure_draws_the_path_and_says_what_to_type() {
        assert_eq!(
            render(&login_failure(), Some(&three()), NICE),
            "\
error[H0401]: gate-b refused every way to log in (hop 2 of 4)

  local ─✔─▶ gate-a ─✔─▶ gate-b ─✘ login

  as         alice
  offered    agent  ed25519 SHA256:p3Fq…  refused
             ~/.ssh/id_rsa  not tried
  accepts    publickey, keyboard-\\u{1b}[2Jinteractive

  help: try the same login with OpenSSH:
          ssh -v alice@gate-b
"
        );
    }

    #[test]
    fn a_failure_in_ascii_and_one_without_a_tunnel() {
        let mut unreachable = Failure { phase: Phase::Connect, facts: Vec::new(), ..login_failure() };
        unreachable.help.clear();
        let text = render(&unreachable, Some(&three()), Style::PLAIN);
        assert!(text.ends_with("\n\n  local -[ok]-> gate-a -[x]-> gate-b (connect)\n"), "{text}");
        assert!(text.is_ascii());
        unreachable.tunnel = None;
        unreachable.hop = None;
        let text = render(&unreachable, Some(&three()), Style::PLAIN);
        assert_eq!(text, "error[H0401]: gate-b refused every way to log in\n");
    }

    #[test]
    fn a_long_path_is_broken_between_hosts() {
        let hosts: Vec<String> = (0..20).map(|at| format!("gate-number-{at}")).collect();
        let plan = plan(&hosts.iter().map(String::as_str).collect::<Vec<_>>());
        let text = render(&Failure { tunnel: Some(id(20)), ..login_failure() }, Some(&plan), NICE);
        let path: Vec<&str> = text.lines().skip(2).take_while(|line| !line.is_empty()).collect();
        assert!(path.len() > 3 && path.iter().all(|line| line.chars().count() <= 80), "{text}");
        assert!(path[1].starts_with("      ─✔─▶ gate-number-"), "{text}");
        assert!(path.last().unwrap().ends_with("gate-number-19 ─✘ login"), "{text}");
    }
}
