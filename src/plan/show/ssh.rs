//! The plan as the OpenSSH command lines that a person would type: nested sessions over forwarded
//! local ports. A script for any POSIX shell; whatever is not a command is a comment.

mod options;
mod ports;
mod word;

use std::collections::HashMap;

use ports::Ports;
use word::{expanded, word};

use super::comment;
use crate::plan::{Plan, PlannedForward, Tunnel, TunnelId};
use crate::topology::{Endpoint, Listen};

/// The columns that a command is folded to. Not those of the terminal: a script is the same everywhere.
const WIDTH: usize = 80;

/// One command for each tunnel, in build order, each run only when the one before it succeeded.
pub fn ssh(plan: &Plan) -> String {
    let ports = Ports::new(plan);
    let mut loads: HashMap<&TunnelId, Load> = HashMap::new();
    for (tunnel, listen) in plan.tunnels.iter().zip(&ports.carriers) {
        if let (Some(through), Some(listen)) = (&tunnel.through, listen) {
            loads.entry(through).or_default().forwards.push(format!("{listen}:{}", tunnel.target));
        }
    }
    let mut direct = String::new();
    for (planned, listen) in plan.forwards.iter().zip(&ports.forwards) {
        let Some(via) = &planned.via else {
            direct.push_str(&comment(&format!(
                "{}: no tunnel, so nothing for ssh to do; {} is dialled from here",
                planned.forward.id, planned.target
            )));
            continue;
        };
        let load = loads.entry(via).or_default();
        load.forwards.push(format!("{listen}:{}", far_end(planned)));
        load.says.push_str(&comment(&says(planned, *listen)));
    }
    let commands = plan.tunnels.iter().zip(&ports.carriers).map(|(tunnel, carrier)| {
        let load = loads.remove(&tunnel.id).unwrap_or_default();
        format!("{}{}{}", about(tunnel), load.says, command(tunnel, *carrier, &load.forwards))
    });
    let commands = commands.collect::<Vec<_>>().join(" &&\n\n");
    let end = if commands.is_empty() { "" } else { "\n" };
    format!("{}\n{commands}{end}{direct}", header(plan, &ports))
}

/// What a tunnel carries: the forwards as `-L` takes them, and what there is to say of them.
#[derive(Default)]
struct Load {
    forwards: Vec<String>,
    says: String,
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

/// `# T2: gate-c, through T1`, and what ssh cannot do about it.
fn about(tunnel: &Tunnel) -> String {
    let host = &tunnel.server;
    let through = tunnel.through.as_ref().map(|id| format!(", through {id}")).unwrap_or_default();
    let mut about = comment(&format!("{}: {}{through}", tunnel.id, host.id));
    for pin in &host.host_key.fingerprints {
        about.push_str(&comment(&format!("{} is pinned to {pin}: ssh cannot pin,", host.id)));
        about.push_str(&comment("and takes the key that known_hosts has instead"));
    }
    if !host.host_key.authorities.is_empty() {
        about.push_str(&comment(&format!(
            "an authority certifies {}: ssh takes that from known_hosts only,",
            host.id
        )));
        about.push_str(&comment("from a line that begins with @cert-authority"));
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
fn far_end(planned: &PlannedForward) -> String {
    match &planned.target {
        Endpoint::Tcp(address) => address.to_string(),
        Endpoint::Unix(path) => expanded(path).replace('\\', "\\\\").replace(':', "\\:"),
    }
}

/// `ssh … alice@127.0.0.1`, folded between options.
fn command(tunnel: &Tunnel, carrier: Option<Listen>, forwards: &[String]) -> String {
    let mut pieces = options::options(tunnel, carrier);
    pieces.extend(forwards.iter().map(|forward| format!("-L {}", word(forward))));
    let name = carrier.map_or_else(|| tunnel.target.host.clone(), |listen| listen.address.to_string());
    let user = tunnel.server.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
    pieces.push(word(&format!("{user}{name}")));
    let mut command = "ssh".to_owned();
    let mut at = command.len();
    for piece in pieces {
        if at + 1 + piece.len() + " &&".len() > WIDTH {
            command.push_str(" \\\n   ");
            at = 3;
        }
        command.push(' ');
        command.push_str(&piece);
        at += 1 + piece.len();
    }
    command
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
    fn without_tunnels_there_is_no_command() {
        let topology = empty("near").with_target("web").with_link("local", "web").forward_to("w", "web", 80);
        assert_eq!(commands(&topology), [""; 0]);
        assert!(
            shown(&topology)
                .contains("# w: no tunnel, so nothing for ssh to do; web:80 is dialled from here\n")
        );
    }
}
