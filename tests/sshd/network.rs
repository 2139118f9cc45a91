//! A line of network namespaces: who can reach whom, by which name, through which firewall.

use std::fs;
use std::path::{Path, PathBuf};

use super::command::{argv, feed, may, signal};
use super::until::{SOON, until};

/// What every namespace of these tests is called: `hp`, the test's process id, `x`, a count, `-`, the host.
pub fn namespace(tag: &str, host: usize) -> String {
    format!("{tag}-{host}")
}

/// The address of a host as its only neighbour sees it.
pub fn address(host: usize) -> String {
    format!("10.77.{host}.2")
}

/// The name of a host; it exists only on the host before it.
pub fn name(host: usize) -> String {
    format!("hop{host}.test")
}

fn files_of(namespace: &str) -> PathBuf {
    PathBuf::from("/etc/netns").join(namespace)
}

/// Hosts 0 to `last` in a line. Neighbours share one veth pair; nobody forwards packets.
pub fn build(tag: &str, last: usize) {
    let mut links = String::new();
    for host in 0..=last {
        links += &format!("netns add {}\n", namespace(tag, host));
    }
    for host in 1..=last {
        let (before, here) = (namespace(tag, host - 1), namespace(tag, host));
        links += &format!("link add fore netns {before} type veth peer name back netns {here}\n");
    }
    feed(&mut argv(&["ip", "-batch", "-"]), &links);
    for host in 0..=last {
        configure(tag, host, last);
    }
}

fn configure(tag: &str, host: usize, last: usize) {
    let here = namespace(tag, host);
    let mut setup = String::from("link set lo up\n");
    let mut hosts = String::from("127.0.0.1 localhost\n::1 localhost\n");
    if host > 0 {
        setup += &format!("addr add {}/30 dev back\nlink set back up\n", address(host));
    }
    if host < last {
        setup += &format!("addr add 10.77.{}.1/30 dev fore\nlink set fore up\n", host + 1);
        hosts += &format!("{} {}\n", address(host + 1), name(host + 1));
    }
    feed(&mut argv(&["ip", "-n", &here, "-batch", "-"]), &setup);
    let files = files_of(&here);
    fs::create_dir_all(&files).expect("make /etc/netns entry");
    fs::write(files.join("hosts"), hosts).expect("write hosts");
    fs::write(files.join("resolv.conf"), "# nobody to ask\n").expect("write resolv.conf");
    // Congestion control decides throughput between local hosts; where it may not be set, it stays.
    let shell = "echo 0 > /proc/sys/net/ipv4/ip_forward
        echo reno > /proc/sys/net/ipv4/tcp_congestion_control 2>/dev/null || true
        exec nft -f -";
    feed(&mut argv(&["ip", "netns", "exec", &here, "sh", "-c", shell]), &firewall(host));
}

/// Nothing comes in but SSH from the neighbour and what `open` is told; screens are counted and dropped.
fn firewall(host: usize) -> String {
    format!(
        "table inet bed {{
          counter vnc {{ }}
          set open {{ type inet_service; elements = {{ 22 }}; }}
          set shut {{ type inet_service; }}
          chain in {{
            type filter hook input priority 0; policy drop;
            tcp dport @shut drop
            ct state established,related accept
            iifname lo accept
            iifname back ip saddr 10.77.{host}.1 tcp dport @open accept
            tcp dport 5900-5999 counter name vnc drop
          }}
        }}"
    )
}

/// The processes inside.
pub fn pids(namespace: &str) -> Vec<u32> {
    let list = may(&mut argv(&["ip", "netns", "pids", namespace])).unwrap_or_default();
    list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// Ends whatever runs inside, then takes the namespaces and their name files away.
pub fn demolish(tag: &str, last: usize) {
    for host in 0..=last {
        remove(&namespace(tag, host));
    }
}

fn remove(namespace: &str) {
    let empty = until(SOON, || {
        let inside = pids(namespace);
        for pid in &inside {
            signal("KILL", *pid);
        }
        inside.is_empty()
    });
    if !empty {
        eprintln!("{namespace}: processes {:?} do not die", pids(namespace));
    }
    may(&mut argv(&["ip", "netns", "del", namespace]));
    fs::remove_dir_all(files_of(namespace)).ok();
}

/// Takes away what tests that were killed outright left behind.
pub fn sweep() {
    let list = may(&mut argv(&["ip", "netns", "list"])).unwrap_or_default();
    for name in list.lines().filter_map(|line| line.split_whitespace().next()) {
        if is_orphan(name) {
            remove(name);
        }
    }
    for entry in fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(is_orphan) {
            fs::remove_dir_all(entry.path()).ok();
        }
    }
}

/// Whether a test made this namespace or folder, and is dead.
fn is_orphan(name: &str) -> bool {
    let owner = name.strip_prefix("hp").and_then(|rest| {
        let (pid, rest) = rest.split_once('x')?;
        let (count, _) = rest.split_once('-')?;
        count.parse::<u32>().ok().and(pid.parse::<u32>().ok())
    });
    owner.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists())
}

/// Other tests make folders whose random names may begin alike.
#[test]
fn nothing_is_swept_away_but_what_a_dead_test_made() {
    let (dead, alive) = (u32::MAX, std::process::id());
    for (name, orphan) in [
        (format!("hp{dead}x0-1"), true),
        (format!("hp{dead}x12-Ab3x9z"), true),
        (format!("hp{alive}x0-1"), false),
        ("hp12x4ab".to_owned(), false),
        (format!("hp{dead}x4ab"), false),
        ("hpAb3x9z".to_owned(), false),
    ] {
        assert_eq!(is_orphan(&name), orphan, "{name}");
    }
}
