//! The plan as the OpenSSH command lines that a person would type: nested sessions over forwarded
//! local ports. A script for any POSIX shell; whatever is not a command is a comment.

mod options;
mod ports;
mod word;

use std::collections::HashMap;

use options::Role;
use ports::Ports;
use word::{expanded, passed_on, word};

use super::comment;
use crate::plan::{Carrier, Client, Plan, PlannedForward, Tunnel, TunnelId};
use crate::topology::{Address, Endpoint, Listen};

/// The columns that a command is folded to. Not those of the terminal: a script is the same everywhere.
const WIDTH: usize = 80;

/// One command for each tunnel, in build order, each run only when the one before it succeeded.
pub fn ssh(plan: &Plan) -> String {
    let stands_by = plan.tunnels.iter().any(|tunnel| tunnel.standby);
    let plan = &plan.preferred();
    let ports = Ports::new(plan);
    let mut loads: HashMap<&TunnelId, Load> = HashMap::new();
    for (tunnel, listen) in plan.tunnels.iter().zip(&ports.carriers) {
        if let (Some(through), Some(listen)) = (&tunnel.through, listen) {
            loads.entry(through).or_default().local(format!("{listen}:{}", tunnel.target));
        }
        for (entry, target) in plan.kept_by(&tunnel.id) {
            let forward = format!("{}:{}", entry.port(), far_end(&target));
            loads.entry(&tunnel.id).or_default().local(forward);
        }
    }
    let mut direct = String::new();
    for (planned, listen) in plan.forwards.iter().zip(&ports.forwards) {
        if let Some(listener) = &planned.listener {
            // What comes in there goes to the target itself, or by way of a port of this machine.
            let to = match (&planned.via, listen) {
                (None, _) | (_, None) => far_end(&planned.target),
                (Some(via), Some(listen)) => {
                    loads.entry(via).or_default().local(format!("{listen}:{}", far_end(&planned.target)));
                    listen.to_string()
                }
            };
            let load = loads.entry(&listener.via).or_default();
            load.remote(format!("{}:{to}", asked(planned.forward.listen)));
            load.says.push_str(&comment(&format!(
                "{}: {} -> {}{}",
                planned.forward.id,
                planned.forward.near(),
                planned.forward.to,
                if planned.forward.listen.port == 0 { " (ssh says which port)" } else { "" }
            )));
            continue;
        }
        let (Some(via), Some(listen)) = (&planned.via, listen) else {
            direct.push_str(&comment(&format!(
                "{}: no tunnel, so nothing for ssh to do; {} is dialled from here",
                planned.forward.id, planned.target
            )));
            continue;
        };
        let load = loads.entry(via).or_default();
        match &planned.entry {
            None => {
                load.local(format!("{listen}:{}", far_end(&planned.target)));
                load.says.push_str(&comment(&says(planned, *listen)));
            }
            Some(entry) => load.says.push_str(&comment(&format!(
                "{}: {} -> {}; connect to that yourself",
                planned.forward.id, entry.dial, planned.forward.to
            ))),
        }
    }
    let mut commands: Vec<String> = Vec::new();
    let mut elsewhere = String::new();
    for tunnel in &plan.tunnels {
        let load = loads.remove(&tunnel.id).unwrap_or_default();
        let starts = plan.tunnels.iter().any(|other| other.client.control() == Some(&tunnel.id));
        if starts && load.forwards.is_empty() {
            // Each ssh that is started there has a session of its own.
            continue;
        }
        let (about, command) = (about(tunnel) + &load.says, command(plan, &ports, tunnel, &load.forwards));
        match &tunnel.client {
            Client::Hopper { .. } => {
                elsewhere.push_str(&format!("\n{about}#   {}\n", command.replace('\n', "\n#   ")));
            }
            _ => commands.push(about + &command),
        }
    }
    let commands = commands.join(" &&\n\n");
    let end = if commands.is_empty() { "" } else { "\n" };
    let mut header = header(plan, &ports);
    if stands_by {
        header.push_str(&comment("The first way of each forward only: ssh does not fail over."));
    }
    format!("{header}{elsewhere}\n{commands}{end}{direct}")
}

/// What a tunnel carries: the forwards as options with their arguments, and what there is to say of them.
#[derive(Default)]
struct Load {
    forwards: Vec<String>,
    says: String,
}

impl Load {
    fn local(&mut self, forward: String) {
        self.forwards.push(format!("-L {}", word(&forward)));
    }

    fn remote(&mut self, forward: String) {
        self.forwards.push(format!("-R {}", word(&forward)));
    }
}

/// Where a server is to listen, as `-R` takes it: port 0 is one that it chooses.
fn asked(listen: Listen) -> String {
    listen.socket_addr().to_string()
}

fn header(plan: &Plan, ports: &Ports) -> String {
    let mut header = comment(&format!("{} by hand, with OpenSSH", plan.topology));
    if plan.tunnels.is_empty() {
        return header;
    }
    header.push_str(&comment("Each ssh goes to the background once it is logged in and listens (-f)."));
    header.push_str(&comment("Ending the outermost also ends what rides it."));
    if let Some((first, last)) = ports.chosen {
        let which = if first == last { format!("Port {first}") } else { format!("Ports {first} to {last}") };
        header.push_str(&comment(&format!("{which} can be changed, everywhere alike.")));
    }
    header
}

/// `# T2: gate-c, through T1`, where it is typed when not here, and what ssh cannot do about it.
fn about(tunnel: &Tunnel) -> String {
    let host = &tunnel.server;
    let through = tunnel.through.as_ref().map(|id| format!(", through {id}")).unwrap_or_default();
    let place = match &tunnel.client {
        Client::Local => String::new(),
        Client::Exec { host, .. } => format!(", by the ssh of {host}"),
        Client::Hopper { host } => format!(", to be typed on {host}"),
    };
    let mut about = comment(&format!("{}: {}{through}{place}", tunnel.id, host.id));
    for pin in &host.host_key.fingerprints {
        about.push_str(&comment(&format!("{} is pinned to {pin}: ssh cannot pin,", host.id)));
        about.push_str(&comment("and takes the key that known_hosts has instead"));
    }
    if !host.host_key.authorities.is_empty() {
        about.push_str(&comment("its authority must stand in known_hosts, marked @cert-authority"));
    }
    about
}

/// `vnc: 127.0.0.1:5901 -> screen:5900`
fn says(planned: &PlannedForward, listen: Listen) -> String {
    let forward = &planned.forward;
    let auto = if forward.listen.port == 0 { " (auto: any free port will do)" } else { "" };
    format!("{}: {listen} -> {}{auto}", forward.id, forward.to)
}

/// What the tunnel's server dials, as `-L` takes it: in paths `:` and `\` stand behind a backslash, and `%` is
/// doubled.
fn far_end(target: &Endpoint) -> String {
    match target {
        Endpoint::Tcp(address) => address.to_string(),
        Endpoint::Unix(path) => expanded(path).replace('\\', "\\\\").replace(':', "\\:"),
    }
}

/// `ssh … alice@127.0.0.1`, folded between options. What another host runs is the command of that one.
fn command(plan: &Plan, ports: &Ports, tunnel: &Tunnel, forwards: &[String]) -> String {
    let own = |role| opened(plan, ports, tunnel, role, forwards);
    let pieces = match &tunnel.client {
        Client::Local => own(Role::Forwards),
        Client::Hopper { .. } => own(Role::ForwardsElsewhere),
        Client::Exec { control, .. } => {
            let control = plan.tunnel(control).into_iter();
            let outer = control.flat_map(|control| opened(plan, ports, control, Role::Runs, &[]));
            let inner = own(Role::IsRun);
            outer.chain(inner.iter().map(|piece| passed_on(piece))).collect()
        }
    };
    let mut command = String::new();
    let mut at = 0;
    for piece in pieces {
        if at > 0 && at + 1 + piece.len() + " &&".len() > WIDTH {
            command.push_str(" \\\n   ");
            at = 3;
        }
        if at > 0 {
            command.push(' ');
        }
        command.push_str(&piece);
        at += 1 + piece.len();
    }
    command
}

/// One ssh in pieces: its options, what it forwards, and whom it logs in as where.
fn opened(plan: &Plan, ports: &Ports, tunnel: &Tunnel, role: Role, forwards: &[String]) -> Vec<String> {
    let carrier = plan.place(&tunnel.id).and_then(|place| ports.carriers[place]);
    let dialled = match (&tunnel.carrier, carrier) {
        (Some(Carrier::Entry(entry)), _) => entry.dial.clone(),
        (_, Some(listen)) => Address::new(listen.address.to_string(), listen.port),
        (_, None) => tunnel.target.clone(),
    };
    let mut pieces = vec!["ssh".to_owned()];
    pieces.extend(options::options(tunnel, &dialled, role));
    pieces.extend(forwards.iter().cloned());
    let user = tunnel.server.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
    pieces.push(word(&format!("{user}{}", dialled.host)));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture::{empty, line, vnc};
    use crate::plan::{PlanOptions, plan};
    use crate::topology::{Address, Topology};

    fn shown(topology: &Topology) -> String {
        ssh(&plan(topology, &PlanOptions::default()).unwrap())
    }

    /// The commands alone, each on one line.
    fn commands(topology: &Topology) -> Vec<String> {
        let text = shown(topology).replace(" \\\n   ", "");
        text.lines().filter(|line| line.starts_with("ssh ")).map(str::to_owned).collect()
    }

    #[test]
    fn each_tunnel_forwards_the_port_that_the_next_one_connects_to() {
        let mut topology = vnc();
        topology.hosts[1].user = Some("alice".to_owned());
        let lines = commands(&topology);
        let has = |line: usize, piece: &str| assert!(lines[line].contains(piece), "{piece}: {lines:#?}");
        has(0, " -L 127.0.0.1:20001:gate-c:22 gate-b &&");
        has(1, " -p 20001 -o HostKeyAlias=gate-c ");
        has(1, " -L 127.0.0.1:20002:gate-d:22 alice@127.0.0.1 &&");
        has(2, " -p 20002 -o HostKeyAlias=gate-d ");
        assert!(lines[2].ends_with(" -L 127.0.0.1:5901:screen:5900 127.0.0.1"), "{lines:#?}");
    }

    #[test]
    fn everything_but_the_commands_is_a_comment() {
        let mut topology = line(4);
        topology.hosts[0].host_key.fingerprints = vec!["SHA256:x".to_owned()];
        let text = shown(&topology);
        for line in text.lines() {
            let known = ["#", "ssh ", "    "].iter().any(|start| line.starts_with(start));
            assert!(known || line.is_empty(), "{line:?}");
        }
        assert!(text.contains("# h1 is pinned to SHA256:x: ssh cannot pin,\n"), "{text}");
        assert!(text.lines().all(|line| line.len() <= WIDTH), "{text}");
    }

    #[test]
    fn nothing_from_the_file_ends_a_comment_or_a_word() {
        let mut topology = line(2);
        topology.forwards[0].id.0 = "a\nrm -rf x".to_owned();
        topology.hosts[0].user = Some("$(reboot)".to_owned());
        topology.hosts[0].address = Address::new("h;1", 22);
        let text = shown(&topology);
        assert!(text.contains("# a\\u{a}rm -rf x: "), "{text}");
        assert!(text.contains(" '$(reboot)@h;1'\n"), "{text}");
    }

    #[test]
    fn a_unix_socket_is_written_as_ssh_reads_it() {
        let socket = Endpoint::Unix("/run/a b:c%d".to_owned());
        let topology = empty("s").with_host("h").with_link("local", "h").forward_within("s", "h", socket);
        assert!(
            commands(&topology)[0].contains(" -L '127.0.0.1:20001:/run/a b\\:c%%d' h"),
            "{}",
            shown(&topology)
        );
    }

    #[test]
    fn a_listener_on_a_host_leads_back_here_and_from_here_on() {
        let file = r#"{ "hopper": 1, "hosts": { "a": {}, "b": {}, "web": { "ssh": false } },
            "links": ["local -> a", "local -> b -> web"],
            "forwards": { "back": "a/7000 -> local:7001", "over": "a/auto -> web:80" } }"#;
        let lines = commands(&crate::topology::parse(file, "f").unwrap());
        let wanted = " -R 127.0.0.1:7000:127.0.0.1:7001 -R 127.0.0.1:0:127.0.0.1:20001 a &&";
        assert!(lines[0].ends_with(wanted), "{lines:#?}");
        assert!(lines[1].ends_with(" -L 127.0.0.1:20001:web:80 b"), "{lines:#?}");
    }

    #[test]
    fn without_tunnels_there_is_no_command() {
        let topology = empty("near").with_target("web").with_link("local", "web").forward_to("w", "web", 80);
        assert_eq!(commands(&topology), [""; 0]);
        assert!(
            shown(&topology)
                .contains("# w: no tunnel, so nothing for ssh to do; web:80 is dialled from here\n")
        );
    }
}
