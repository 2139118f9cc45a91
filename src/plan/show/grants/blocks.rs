//! The texts that hosts read: options of a key, settings of an account, rules of a packet filter. A word
//! that could mean more than itself in one of them is left out, so that less is granted and never more.

use crate::plan::{Grant, KeyGrant, Open};
use crate::topology::{Address, Endpoint, Listen};

/// Asks for nothing that there is: options of a key know no word for "none". `.invalid` is no name
/// anywhere, and the capitals match no request to listen, since sshd puts those in small letters first.
const NOTHING: &str = "NONE.invalid:1";

/// A name for those the file gives none.
const USER: &str = "USER";

/// The options of a key in `authorized_keys`. None keeps it from listening on unix sockets.
pub(in crate::plan::show) fn options(key: &KeyGrant) -> String {
    let mut permitted = permitted(&key.opens);
    if permitted.is_empty() {
        permitted.push(NOTHING.to_owned());
    }
    let opens: String = permitted.iter().map(|to| format!(",permitopen=\"{to}\"")).collect();
    let mut listened: Vec<String> = key.listens.iter().map(|asked| listened(asked.listen)).collect();
    if listened.is_empty() {
        listened.push(NOTHING.to_owned());
    }
    let listens: String = listened.iter().map(|at| format!(",permitlisten=\"{at}\"")).collect();
    // `restrict` leaves commands alone, and with those one could go anywhere.
    let none = if key.commands { "" } else { "command=\"false\"," };
    let agent = if key.agent { "agent-forwarding," } else { "" };
    format!("restrict,{none}{agent}port-forwarding{opens}{listens}")
}

/// The settings of the account in `sshd_config`; `None` when nobody logs in, or its name means more there.
pub(in crate::plan::show) fn settings(grant: &Grant) -> Option<String> {
    if grant.keys.is_empty() {
        return None;
    }
    let user = user(grant)?;
    let opens = || grant.keys.iter().flat_map(|key| &key.opens);
    let or_none = |words: Vec<String>| if words.is_empty() { "none".to_owned() } else { words.join(" ") };
    let (permitted, asked) = (or_none(permitted(opens())), || grant.keys.iter().flat_map(|key| &key.listens));
    let listens = or_none(asked().map(|asked| listened(asked.listen)).collect());
    let forwarding = match (opens().next(), asked().next()) {
        (_, None) => "local",
        (None, Some(_)) => "remote",
        (Some(_), Some(_)) => "yes",
    };
    // Where nobody else is to be let in, the server need not look at what it is asked for.
    let gateway =
        if asked().all(|asked| asked.listen.address.is_loopback()) { "no" } else { "clientspecified" };
    let sessions = if grant.keys.iter().any(|key| key.commands) { "" } else { "    MaxSessions 0\n" };
    let agent = if grant.keys.iter().any(|key| key.agent) { "yes" } else { "no" };
    let unix =
        if opens().any(|open| is_unix(&open.to) && permit(&open.to).is_some()) { "local" } else { "no" };
    Some(format!(
        "Match User {user}
    AllowTcpForwarding {forwarding}
    PermitOpen {permitted}
    PermitListen {listens}
    AllowStreamLocalForwarding {unix}
    GatewayPorts {gateway}
    X11Forwarding no
    AllowAgentForwarding {agent}
    PermitTunnel no
    PermitTTY no
{sessions}"
    ))
}

/// The rules that let in who dials; empty when nobody does.
pub(in crate::plan::show) fn rules(grant: &Grant) -> String {
    let mut ports: Vec<u16> = grant.ports.iter().map(|port| port.port).collect();
    ports.sort_unstable();
    ports.dedup();
    if ports.is_empty() {
        return String::new();
    }
    let rules: String = ports.iter().map(|port| format!("        tcp dport {port} accept\n")).collect();
    format!("table inet filter {{\n    chain input {{\n{rules}    }}\n}}\n")
}

/// The account as `sshd_config` names it; `None` when that would name others too.
pub(super) fn user(grant: &Grant) -> Option<&str> {
    grant.user.as_deref().map_or(Some(USER), |user| Some(user).filter(|user| is_plain(user)))
}

/// What permits to open this; `None` when it would mean more there than itself.
pub(super) fn permit(to: &Endpoint) -> Option<String> {
    match to {
        Endpoint::Tcp(address) => is_plain(&address.host).then(|| spelled(to)),
        // sshd takes the path for a name, and has no port to compare.
        Endpoint::Unix(path) => is_plain(&path.replace('/', "")).then(|| format!("[{path}]:*")),
    }
}

/// What is opened, for the eye: a port that the server chooses is any port.
pub(in crate::plan::show) fn spelled(to: &Endpoint) -> String {
    match to {
        Endpoint::Tcp(Address { host, port: 0 }) => format!("{host}:*"),
        other => other.to_string(),
    }
}

/// What permits to listen there. A port that the server chooses is any port to it.
pub(super) fn listened(listen: Listen) -> String {
    let port = if listen.port == 0 { "*".to_owned() } else { listen.port.to_string() };
    if listen.address.is_ipv6() {
        format!("[{}]:{port}", listen.address)
    } else {
        format!("{}:{port}", listen.address)
    }
}

fn is_unix(to: &Endpoint) -> bool {
    matches!(to, Endpoint::Unix(_))
}

/// What can be permitted, once each, in the order asked for.
fn permitted<'o>(opens: impl IntoIterator<Item = &'o Open>) -> Vec<String> {
    let mut permitted: Vec<String> = Vec::new();
    for one in opens.into_iter().filter_map(|open| permit(&open.to)) {
        if !permitted.contains(&one) {
            permitted.push(one);
        }
    }
    permitted
}

/// Whether a word means only itself in all of these texts: no quote, pattern, list or comment.
fn is_plain(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "._-+@:%".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture::{empty, line};
    use crate::plan::{PlanOptions, grants, plan};
    use crate::topology::{Address, Topology};

    fn first(topology: &Topology) -> Grant {
        grants(&[plan(topology, &PlanOptions::default()).unwrap()]).hosts.remove(0)
    }

    #[test]
    fn a_key_may_open_what_is_asked_for_and_nothing_else() {
        let topology = line(2).forward_within("x", "h1", Endpoint::Tcp(Address::new("fe80::1%eth0", 81)));
        let grant = first(&topology);
        let wanted = "restrict,command=\"false\",port-forwarding,permitopen=\"h2:80\",\
                      permitopen=\"[fe80::1%eth0]:81\",permitlisten=\"NONE.invalid:1\"";
        assert_eq!(options(&grant.keys[0]), wanted);
        let settings = settings(&grant).unwrap();
        assert!(settings.contains("    PermitOpen h2:80 [fe80::1%eth0]:81\n"), "{settings}");
        assert!(settings.contains("    AllowStreamLocalForwarding no\n"), "{settings}");
    }

    fn socket(path: &str) -> Grant {
        let socket = Endpoint::Unix(path.to_owned());
        first(&empty("s").with_host("h").with_link("local", "h").forward_within("s", "h", socket))
    }

    #[test]
    fn an_agent_that_is_lent_gets_through() {
        let topology = line(2).forward_within("x", "h1", Endpoint::Tcp(Address::new("db", 81)));
        let mut grant = first(&topology);
        assert!(settings(&grant).unwrap().contains("    AllowAgentForwarding no\n"));
        (grant.keys[0].commands, grant.keys[0].agent) = (true, true);
        assert!(options(&grant.keys[0]).starts_with("restrict,agent-forwarding,port-forwarding,"));
        assert!(settings(&grant).unwrap().contains("    AllowAgentForwarding yes\n"));
    }

    #[test]
    fn a_socket_is_a_name_with_any_port() {
        let grant = socket("/run/x");
        assert!(options(&grant.keys[0]).contains(",permitopen=\"[/run/x]:*\","));
        let settings = settings(&grant).unwrap();
        for line in ["PermitOpen [/run/x]:*", "AllowStreamLocalForwarding local"] {
            assert!(settings.contains(&format!("    {line}\n")), "{settings}");
        }
        let odd = socket("/run/a]:* b");
        assert!(options(&odd.keys[0]).contains(",permitopen=\"NONE.invalid:1\","));
        let settings = super::settings(&odd).unwrap();
        for line in ["PermitOpen none", "AllowStreamLocalForwarding no"] {
            assert!(settings.contains(&format!("    {line}\n")), "{settings}");
        }
    }

    #[test]
    fn a_word_that_means_more_grants_less() {
        for odd in ["*", "a b", "a\"b", "a,b", "a\nPermitOpen any", "!a", "a#b", "a\\b", "größe", ""] {
            let mut topology = line(2);
            topology.hosts[0].user = Some(odd.to_owned());
            topology.hosts[1].address = Address::new(odd, 22);
            let grant = first(&topology);
            assert_eq!(settings(&grant), None, "{odd:?}");
            assert!(options(&grant.keys[0]).contains("permitopen=\"NONE.invalid:1\""), "{odd:?}");
        }
    }

    #[test]
    fn a_port_is_let_in_once_whoever_dials_it() {
        let topology = empty("t")
            .with_host("a")
            .with_host("b")
            .with_target("web")
            .with_link("local", "a")
            .with_link("local", "b")
            .with_link("a", "web")
            .forward_to("x", "web", 443)
            .forward_to("y", "web", 80)
            .forward_to("z", "web", 443);
        let grants = grants(&[plan(&topology, &PlanOptions::default()).unwrap()]);
        let wanted = "table inet filter {\n    chain input {\n        tcp dport 80 accept\n        \
                      tcp dport 443 accept\n    }\n}\n";
        assert_eq!(rules(&grants.hosts[1]), wanted);
    }
}
