//! The options of one ssh: what opens the session as hopper would, whatever the person's own
//! configuration says.

use std::time::Duration;

use super::word::{path_option, paths_option, word};
use crate::plan::{Carrier, Tunnel};
use crate::topology::{Address, AgentUse, AuthMethod, Host, HostKeyChecking};

/// What an ssh does beside opening its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It forwards, in the background.
    Forwards,
    /// It forwards for whoever can reach the host where a person types it.
    ForwardsElsewhere,
    /// The same, started by another ssh: nobody is there to be asked.
    IsRun,
    /// It runs such a one on its server. That ends with its terminal.
    Runs,
}

impl Role {
    // A person's configuration could send two tunnels over one shared connection, since both go to
    // 127.0.0.1: so it is not read, as hopper does not read it.
    fn flags(self) -> &'static [&'static str] {
        match self {
            Role::Forwards => &["-F none", "-f", "-N", "-o ExitOnForwardFailure=yes"],
            Role::ForwardsElsewhere => &["-F none", "-N", "-g", "-o ExitOnForwardFailure=yes"],
            Role::IsRun => &["-F none", "-N", "-g", "-o ExitOnForwardFailure=yes", "-o BatchMode=yes"],
            Role::Runs => &["-F none", "-f", "-tt"],
        }
    }
}

/// Options, each with its argument, ready for a shell. `dialled` is what this ssh connects to.
pub(super) fn options(tunnel: &Tunnel, dialled: &Address, role: Role) -> Vec<String> {
    let host = &tunnel.server;
    let mut options: Vec<String> = role.flags().iter().map(|&flag| flag.to_owned()).collect();
    match dialled.port {
        22 => {}
        port => options.push(format!("-p {port}")),
    }
    if matches!(tunnel.carrier, Some(Carrier::Entry(_))) {
        // An ssh elsewhere may need a moment before it listens.
        options.push("-o ConnectionAttempts=10".to_owned());
    }
    // The files of the person's own configuration are on local.
    let is_local = matches!(role, Role::Forwards | Role::Runs);
    options.extend(host_key(tunnel, is_local));
    options.extend(login(host, is_local));
    if role == Role::Runs && host.forward_agent {
        options.push(lends(host));
    }
    options.extend(timers(host));
    let algorithms = host.algorithms.openssh_options().into_iter();
    options.extend(algorithms.map(|(key, value)| format!("-o {}", word(&format!("{key}={value}")))));
    options
}

/// Which key is the right one. What ssh connects to is often 127.0.0.1, so the host's own name is
/// given, spelled as the line in known_hosts is: an alias is looked up as it is, without a port. That is
/// one name; the host's id, under which hopper looks as well, finds no room.
fn host_key(tunnel: &Tunnel, is_local: bool) -> Vec<String> {
    let host = &tunnel.server;
    let recorded = host.recorded_name().to_ascii_lowercase();
    let mut options = Vec::new();
    let same_address = tunnel.target == host.address && host.host_key.alias.is_none();
    if tunnel.through.is_some() || !same_address {
        options.push(format!("-o {}", word(&format!("HostKeyAlias={recorded}"))));
    }
    options.push(match host.host_key.checking {
        HostKeyChecking::Strict => "-o StrictHostKeyChecking=yes".to_owned(),
        other => format!("-o StrictHostKeyChecking={}", other.as_str()),
    });
    if let Some(file) = &host.host_key.file {
        options.push(path_option("UserKnownHostsFile", file));
        options.push("-o GlobalKnownHostsFile=/dev/null".to_owned());
    } else if let Some(files) = host.known_hosts.as_ref().filter(|_| is_local) {
        let none = ["/dev/null".to_owned()];
        options.push(paths_option("UserKnownHostsFile", if files.is_empty() { &none } else { files }));
        options.push("-o GlobalKnownHostsFile=/dev/null".to_owned());
    }
    options
}

fn login(host: &Host, is_local: bool) -> Vec<String> {
    let mut options = Vec::new();
    let are_there = is_local || !host.identities_of_person;
    for file in host.identities.iter().filter(|_| are_there) {
        // `-i` looks for the file before it replaces tokens, and then drops it.
        let odd = file.contains('%');
        options.push(if odd { path_option("IdentityFile", file) } else { format!("-i {}", word(file)) });
    }
    for file in host.certificates.iter().filter(|_| is_local) {
        options.push(path_option("CertificateFile", file));
    }
    let files = [AuthMethod::Key, AuthMethod::Certificate];
    if host.identities.is_empty() && !files.iter().any(|method| host.auth.contains(method)) {
        options.push("-o IdentityFile=none".to_owned());
    }
    if host.offers_named_keys_only() && are_there {
        options.push("-o IdentitiesOnly=yes".to_owned());
    }
    match &host.agent {
        _ if !host.auth.contains(&AuthMethod::Agent) => options.push("-o IdentityAgent=none".to_owned()),
        AgentUse::Own => {}
        AgentUse::Off => options.push("-o IdentityAgent=none".to_owned()),
        AgentUse::Socket(path) => options.push(path_option("IdentityAgent", path)),
    }
    let mut words: Vec<&str> = Vec::new();
    for word in host.auth.iter().map(|method| method.on_the_wire()) {
        // ssh begins with "none" by itself.
        if word != "none" && !words.contains(&word) {
            words.push(word);
        }
    }
    if words.iter().any(|word| *word != "publickey") {
        options.push(format!("-o PreferredAuthentications={}", words.join(",")));
    }
    options
}

/// The agent for what is run there, whether or not it is asked at this login.
fn lends(host: &Host) -> String {
    match (&host.agent, host.auth.contains(&AuthMethod::Agent)) {
        (AgentUse::Socket(path), false) => path_option("ForwardAgent", path),
        (_, false) => "-o 'ForwardAgent=$SSH_AUTH_SOCK'".to_owned(),
        (_, true) => "-A".to_owned(),
    }
}

fn timers(host: &Host) -> Vec<String> {
    let mut options = Vec::new();
    if !host.keepalive.interval.is_zero() {
        options.push(format!("-o ServerAliveInterval={}", seconds(host.keepalive.interval)));
        // To ssh, 0 means for ever.
        options.push(format!("-o ServerAliveCountMax={}", host.keepalive.max.max(1)));
    }
    // To ssh it is one deadline, for connection and key exchange.
    let connect = host.timeout.connect.saturating_add(host.timeout.banner);
    options.push(format!("-o ConnectTimeout={}", seconds(connect)));
    options
}

/// Whole seconds, rounded up.
fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture::line;
    use crate::plan::{PlanOptions, plan};
    use crate::topology::{Address, Topology};

    /// The options of the last tunnel of three hops, changed in this way.
    fn shown(hop: usize, change: impl FnOnce(&mut Topology)) -> String {
        let mut topology = line(3);
        change(&mut topology);
        let plan = plan(&topology, &PlanOptions::default()).unwrap();
        let tunnel = &plan.tunnels[hop];
        let carrier = Address::new("127.0.0.1", 20001);
        options(tunnel, if hop > 0 { &carrier } else { &tunnel.target }, Role::Forwards).join(" ")
    }

    const USUAL: &str = "-F none -f -N -o ExitOnForwardFailure=yes";
    const STRICT: &str = "-o StrictHostKeyChecking=yes";
    const TIMERS: &str = "-o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20";

    #[test]
    fn what_is_dialled_under_its_own_name_needs_no_alias() {
        assert_eq!(shown(0, |_| ()), format!("{USUAL} {STRICT} {TIMERS}"));
        let other = |topology: &mut Topology| topology.hosts[0].address = Address::new("h1", 2222);
        assert_eq!(shown(0, other), format!("{USUAL} -p 2222 {STRICT} {TIMERS}"));
        let seen = |topology: &mut Topology| topology.links[0].seen_as("10.0.0.1", Some(24));
        assert_eq!(shown(0, seen), format!("{USUAL} -p 24 -o HostKeyAlias=h1 {STRICT} {TIMERS}"));
    }

    #[test]
    fn an_alias_is_the_name_that_known_hosts_has() {
        assert_eq!(shown(1, |_| ()), format!("{USUAL} -p 20001 -o HostKeyAlias=h2 {STRICT} {TIMERS}"));
        let port = |topology: &mut Topology| topology.hosts[1].address = Address::new("H2.dmz", 2222);
        assert!(shown(1, port).contains("-o 'HostKeyAlias=[h2.dmz]:2222' "));
        let alias = |topology: &mut Topology| {
            topology.hosts[1].address = Address::new("h2", 2222);
            topology.hosts[1].host_key.alias = Some("Branch".to_owned());
            topology.hosts[1].host_key.file = Some("~/known".to_owned());
            topology.hosts[1].host_key.checking = HostKeyChecking::AcceptNew;
        };
        let wanted = "-o HostKeyAlias=branch -o StrictHostKeyChecking=accept-new \
                      -o 'UserKnownHostsFile=~/known' -o GlobalKnownHostsFile=/dev/null ";
        assert!(shown(1, alias).contains(wanted), "{}", shown(1, alias));
    }

    #[test]
    fn the_login_is_the_one_of_the_file() {
        let keys = |topology: &mut Topology| {
            let host = &mut topology.hosts[0];
            host.identities = vec!["~/a key".to_owned(), "50%".to_owned()];
            host.identities_only = Some(true);
            host.auth = vec![AuthMethod::Key];
        };
        let wanted = "-i '~/a key' -o IdentityFile=50%% -o IdentitiesOnly=yes -o IdentityAgent=none ";
        assert!(shown(0, keys).contains(wanted), "{}", shown(0, keys));
        let agent = |topology: &mut Topology| topology.hosts[0].auth = vec![AuthMethod::Agent];
        assert!(shown(0, agent).contains(" -o IdentityFile=none "));
        let typed = |topology: &mut Topology| {
            let host = &mut topology.hosts[0];
            host.auth = vec![AuthMethod::Key, AuthMethod::Password, AuthMethod::Agent, AuthMethod::None];
            host.agent = AgentUse::Socket("~/a gent".to_owned());
        };
        let wanted = "-o 'IdentityAgent=\"~/a gent\"' -o PreferredAuthentications=publickey,password ";
        assert!(shown(0, typed).contains(wanted), "{}", shown(0, typed));
    }

    #[test]
    fn what_the_persons_configuration_added_is_there() {
        let known = |topology: &mut Topology| {
            topology.hosts[0].known_hosts = Some(vec!["~/a".to_owned(), "/b".to_owned()]);
        };
        let wanted = "-o 'UserKnownHostsFile=~/a /b' -o GlobalKnownHostsFile=/dev/null ";
        assert!(shown(0, known).contains(wanted), "{}", shown(0, known));
        let signed = |topology: &mut Topology| {
            topology.hosts[0].certificates = vec!["~/.ssh/signed-cert.pub".to_owned()];
        };
        assert!(
            shown(0, signed).contains(" -o 'CertificateFile=~/.ssh/signed-cert.pub' "),
            "{}",
            shown(0, signed)
        );
        let nobody = |topology: &mut Topology| topology.hosts[0].known_hosts = Some(Vec::new());
        assert!(shown(0, nobody).contains("-o UserKnownHostsFile=/dev/null "));
    }

    #[test]
    fn the_algorithms_are_those_of_the_file() {
        let old = |topology: &mut Topology| {
            let algorithms = &mut topology.hosts[0].algorithms;
            algorithms.named.insert(crate::topology::AlgorithmKind::Mac, vec!["hmac-sha2-256"]);
            algorithms.legacy = true;
        };
        let shown = shown(0, old);
        for wanted in [
            "-o 'KexAlgorithms=+diffie-hellman-group-exchange-sha1,diffie-hellman-group14-sha1,",
            "-o 'HostKeyAlgorithms=+ssh-rsa'",
            "-o 'Ciphers=+aes256-cbc,aes192-cbc,aes128-cbc'",
            "-o 'MACs=hmac-sha2-256,hmac-sha1-etm@openssh.com,hmac-sha1'",
            "-o 'PubkeyAcceptedAlgorithms=+ssh-rsa'",
        ] {
            let plain = wanted.replace(['\'', '"'], "");
            assert!(shown.replace('\'', "").contains(&plain), "{wanted} in {shown}");
        }
    }

    #[test]
    fn timers_are_whole_seconds_and_never_for_ever() {
        let short = |topology: &mut Topology| {
            topology.hosts[0].keepalive.interval = Duration::from_millis(1500);
            topology.hosts[0].keepalive.max = 0;
            topology.hosts[0].timeout.connect = Duration::from_millis(500);
        };
        let wanted = "-o ServerAliveInterval=2 -o ServerAliveCountMax=1 -o ConnectTimeout=11";
        assert!(shown(0, short).ends_with(wanted));
        let off = |topology: &mut Topology| topology.hosts[0].keepalive.interval = Duration::ZERO;
        assert!(!shown(0, off).contains("ServerAlive"));
    }
}
