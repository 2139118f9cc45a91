//! What each host must allow, as texts to copy: a line for `authorized_keys`, a block for `sshd_config`,
//! rules for nftables. Whatever is none of these is a comment.

mod blocks;

pub(super) use blocks::{options, rules, settings, spelled};

use super::{and, comment};
use crate::plan::{Asked, Grant, Grants, KeyGrant, Open, PortGrant, Rider};
use crate::topology::escape;

/// A section for each host, those logged in to first.
pub fn grants(grants: &Grants) -> String {
    let mut page = comment(&format!("{}: what each host must allow, and nothing beyond", grants.topology));
    let lines = match grants.hosts.as_slice() {
        [] => &["Nothing: no host is dialled."],
        hosts if hosts.iter().all(|grant| grant.keys.is_empty()) => NO_KEYS,
        _ => HEADER,
    };
    page.extend(lines.iter().map(|line| comment(line)));
    page.extend(grants.hosts.iter().map(section));
    page
}

const HEADER: &[&str] = &[
    "",
    "Give the login an account of its own: the block for sshd_config binds everybody who",
    "logs in as that user. The line for authorized_keys binds one key, and cannot keep it",
    "from listening on unix sockets. So take both. Where it says \"ssh-ed25519 AAAA...\",",
    "put the public key of who logs in. NONE.invalid:1 is nothing: a key's options have no",
    "other word for it.",
    "",
    "No source is named: the file says where a host is dialled, not where it dials from.",
    "Where you know, begin the line with from=\"ADDRESS\", and the rule with ip saddr ADDRESS.",
];

const NO_KEYS: &[&str] = &[
    "",
    "No source is named: the file says where a host is dialled, not where it dials from.",
    "Where you know, begin the rule with ip saddr ADDRESS.",
];

fn section(grant: &Grant) -> String {
    let mut section = format!("\n{}", comment(&format!("==== {} ====", grant.host)));
    if !grant.keys.is_empty() {
        section.push_str(&account(grant));
    }
    if !grant.ports.is_empty() {
        section.push('\n');
        section.push_str(&comment(
            "nftables: in the chain that filters what comes in, often this one, before it drops the rest",
        ));
        section.extend(grant.ports.iter().map(|port| comment(&dialled(port))));
        section.push_str(&rules(grant));
    }
    section
}

/// The texts for those who log in.
fn account(grant: &Grant) -> String {
    let whose = match (&grant.user, blocks::user(grant)) {
        (Some(user), _) => user.clone(),
        (None, user) => user.unwrap_or_default().to_owned(),
    };
    let mut text = String::new();
    if grant.user.is_none() {
        text.push_str(&comment(&format!("{whose}: the name of who runs hopper; the file gives none")));
    }
    text.push('\n');
    text.push_str(&comment(&format!("authorized_keys of {whose}")));
    for key in &grant.keys {
        text.push_str(&opened(key));
        text.push_str(&format!("{} ssh-ed25519 AAAA... {}\n", options(key), escape(key.client.as_str())));
    }
    text.push('\n');
    text.push_str(&match settings(grant) {
        Some(settings) => {
            comment("sshd_config: in a file of its own in sshd_config.d, or at the very end") + &settings
        }
        None => comment(&format!("sshd_config: no block, since {whose} means more there than one user")),
    });
    text
}

/// Who logs in, and what is opened for whom; a line each.
fn opened(key: &KeyGrant) -> String {
    let open = |open: &Open| {
        let (to, whom) = (spelled(&open.to), riders(&open.riders));
        let odd = match blocks::permit(&open.to) {
            Some(_) => "",
            None => ": left out, since it means more there than itself",
        };
        comment(&format!("  opens {to} for {whom}{odd}"))
    };
    let listen = |asked: &Asked| {
        comment(&format!("  listens on {} for {}", blocks::listened(asked.listen), asked.forward))
    };
    let head = comment(&format!("{} logs in from {}", key.tunnel, key.client));
    head + &key.opens.iter().map(open).chain(key.listens.iter().map(listen)).collect::<String>()
}

/// `22 from gate-b, for T2`
fn dialled(port: &PortGrant) -> String {
    let seen = match port.port == port.dialled.port {
        true => String::new(),
        false => format!(", dialled as {}, which must lead here", port.dialled),
    };
    format!("  {} from {} for {}{seen}", port.port, port.from, riders(&port.riders))
}

fn riders(riders: &[Rider]) -> String {
    let name = |rider: &Rider| match rider {
        Rider::Tunnel(id) => id.to_string(),
        Rider::Forward(id) => id.to_string(),
    };
    and(&riders.iter().map(name).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture::{empty, line};
    use crate::plan::{PlanOptions, plan};
    use crate::topology::{Address, Endpoint, Topology};

    fn shown(topology: &Topology) -> String {
        grants(&crate::plan::grants(&[plan(topology, &PlanOptions::default()).unwrap()]))
    }

    #[test]
    fn each_text_says_for_whom() {
        let mut topology = line(3);
        topology.hosts[0].user = Some("alice".to_owned());
        let text = shown(&topology);
        let wanted = "\n# ==== h1 ====\n\n# authorized_keys of alice\n# T1 logs in from local\n\
                      #   opens h2:22 for T2\nrestrict,";
        assert!(text.contains(wanted), "{text}");
        assert!(text.contains(" ssh-ed25519 AAAA... local\n\n# sshd_config: "), "{text}");
        assert!(text.contains("\n#   22 from h1 for T2\ntable inet filter {\n"), "{text}");
        assert!(text.contains("\n#   80 from h2 for far\ntable inet filter {\n"), "{text}");
    }

    #[test]
    fn who_runs_hopper_is_a_name_to_put_in() {
        let text = shown(&line(2));
        assert!(text.contains("# USER: the name of who runs hopper; the file gives none\n"), "{text}");
        assert!(text.contains("\nMatch User USER\n"), "{text}");
    }

    #[test]
    fn a_translated_port_is_told_with_what_is_dialled() {
        let topology = empty("nat")
            .with_host("red")
            .with("local", "red", |link| link.seen_as("192.0.2.1", Some(2201)))
            .forward_to("x", "red", 80);
        let text = shown(&topology.with_target("web").with_link("red", "web").forward_to("y", "web", 81));
        let wanted = "#   22 from local for T1, dialled as 192.0.2.1:2201, which must lead here\n";
        assert!(text.contains(wanted), "{text}");
    }

    #[test]
    fn nothing_from_the_file_ends_a_comment() {
        let mut topology = line(2);
        topology.forwards[0].id.0 = "a\nMatch all".to_owned();
        topology.hosts[0].user = Some("b\nMatch all".to_owned());
        topology.hosts[1].address = Address::new("c\nMatch all", 22);
        let text = shown(&topology);
        assert!(text.lines().all(|line| !line.starts_with("Match")), "{text}");
        assert!(text.contains("# sshd_config: no block, since b\\u{a}Match all means more there"), "{text}");
        assert!(text.contains("left out, since it means more there than itself\n"), "{text}");
    }

    #[test]
    fn where_nobody_logs_in_only_a_port_is_opened() {
        let topology = empty("near").with_target("web").with_link("local", "web").forward_to("w", "web", 80);
        let text = shown(&topology);
        assert!(!text.contains("authorized_keys") && !text.contains("Match"), "{text}");
        assert!(text.contains("#   80 from local for w\n"), "{text}");
        let own = Endpoint::Tcp(Address::new("127.0.0.1", 80));
        let text = shown(&empty("here").forward_within("x", "local", own));
        assert!(text.ends_with("\n# Nothing: no host is dialled.\n"), "{text}");
    }
}
