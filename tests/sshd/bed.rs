//! A test's own private world: hosts in a line, an sshd on each, firewalls between them.
//!
//! Host 0 is where hopper runs. Everything is gone when the [`Bed`] is dropped, also after a panic;
//! then it first prints what the hosts logged.

use std::cell::RefCell;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use super::command::{argv, may, must, signal};
use super::keys::Key;
use super::network;
use super::sshd::Sshd;
use super::until::{SOON, until};

static BEDS: AtomicUsize = AtomicUsize::new(0);

/// The port of the data server on the last host. Namespaces are private, so it can be fixed.
pub const FAR: u16 = 7000;
/// The port where hopper listens on host 0.
pub const NEAR: u16 = 7001;

/// Hosts in a line; see the module.
pub struct Bed {
    tag: String,
    last: usize,
    dir: TempDir,
    key: Key,
    pub(crate) sshds: RefCell<Vec<Option<Sshd>>>,
    helpers: RefCell<Vec<Child>>,
}

/// Why these tests cannot run here, when they cannot.
fn lacking() -> Option<String> {
    let uid = may(&mut argv(&["id", "-u"])).unwrap_or_default();
    if uid.trim() != "0" {
        return Some("it takes root to make network namespaces".into());
    }
    let tools = [
        "ip",
        "nft",
        "ss",
        "sshd",
        "ssh",
        "ssh-keygen",
        "python3",
        "Xtigervnc",
        "vncsnapshot",
        "dbclient",
        "oathtool",
        "dbus-run-session",
        "gnome-keyring-daemon",
        "secret-tool",
        "dropbear",
        "faketime",
    ];
    let path = "PATH=$PATH:/usr/sbin:/sbin; command -v \"$0\"";
    let missing: Vec<_> =
        tools.into_iter().filter(|tool| may(&mut argv(&["sh", "-c", path, tool])).is_none()).collect();
    (!missing.is_empty()).then(|| format!("not installed: {}", missing.join(", ")))
}

impl Bed {
    /// Hosts 1 to `last` behind host 0, each with a running sshd. `None` where it cannot be: the test
    /// has then said why, and is over.
    pub fn line(last: usize) -> Option<Bed> {
        let bed = Bed::hosts(last)?;
        for host in 1..=last {
            bed.start_sshd(host, "");
        }
        Some(bed)
    }

    /// The same without any sshd running.
    pub fn hosts(last: usize) -> Option<Bed> {
        if let Some(why) = lacking() {
            assert!(std::env::var_os("HOPPER_REQUIRE_ALL").is_none(), "required, but cannot run: {why}");
            eprintln!("skipped: {why}");
            return None;
        }
        network::sweep();
        let tag = format!("hp{}x{}", std::process::id(), BEDS.fetch_add(1, Ordering::Relaxed));
        let dir = TempDir::with_prefix(format!("{tag}-")).expect("make a folder");
        let key = Key::make(dir.path().join("home/.ssh/id_ed25519"), "ed25519", "");
        let sshds = RefCell::new((0..=last).map(|_| None).collect());
        let bed = Bed { tag, last, dir, key, sshds, helpers: RefCell::default() };
        network::build(&bed.tag, last);
        for folder in ["run", "state"] {
            fs::create_dir_all(bed.path(folder)).expect("make a folder");
            must(argv(&["chmod", "700"]).arg(bed.path(folder)));
        }
        let mut known = String::new();
        for host in 1..=last {
            let key = Key::make(bed.path(&format!("host{host}/key")), "ed25519", "");
            known += &key.known_as(&network::name(host));
        }
        fs::write(bed.path("home/.ssh/known_hosts"), known).expect("write known_hosts");
        Some(bed)
    }

    /// The number of the last host.
    pub fn last(&self) -> usize {
        self.last
    }

    /// A path inside the test's own folder.
    pub fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    /// The user's known_hosts.
    pub fn known_hosts(&self) -> PathBuf {
        self.path("home/.ssh/known_hosts")
    }

    /// The key the user logs in with everywhere.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The name of a host's namespace.
    pub fn namespace(&self, host: usize) -> String {
        network::namespace(&self.tag, host)
    }

    /// A command that will run on this host.
    pub fn on(&self, host: usize, program: impl AsRef<Path>) -> Command {
        let mut command = argv(&["ip", "netns", "exec", &self.namespace(host)]);
        command.arg(program.as_ref());
        command
    }

    /// Starts a program on a host that runs until the test ends; its output goes to a file for the report.
    pub fn background(&self, host: usize, label: &str, command: &mut Command) -> u32 {
        let log = File::create(self.path(&format!("{label}.log"))).expect("make a log");
        let copy = log.try_clone().expect("share the log");
        let child = command.stdin(Stdio::null()).stdout(log).stderr(copy).spawn();
        let child = child.unwrap_or_else(|e| panic!("{label} on host {host}: {e}"));
        let pid = child.id();
        self.helpers.borrow_mut().push(child);
        pid
    }

    /// The TCP sockets that listen on a host, as `address:port`, sorted.
    pub fn listeners(&self, host: usize) -> Vec<String> {
        let list = must(self.on(host, "ss").args(["-Hltn"]));
        let mut found: Vec<_> =
            list.lines().filter_map(|l| l.split_whitespace().nth(3)).map(str::to_owned).collect();
        found.sort();
        found
    }

    /// Waits until something listens on this port of a host.
    pub fn wait_for_port(&self, host: usize, port: u16) {
        let end = format!(":{port}");
        let listens = || self.listeners(host).iter().any(|address| address.ends_with(&end));
        assert!(until(SOON, listens), "nothing listens on port {port} of host {host}");
    }

    /// Lets the neighbour reach this port.
    pub fn open(&self, host: usize, port: u16) {
        self.rule(host, &["add", "element", "inet", "bed", "open", &format!("{{ {port} }}")]);
    }

    /// From now on every packet to this port vanishes.
    pub fn shut(&self, host: usize, port: u16) {
        self.rule(host, &["add", "element", "inet", "bed", "shut", &format!("{{ {port} }}")]);
    }

    /// What [`Bed::shut`] did is undone.
    pub fn heal(&self, host: usize, port: u16) {
        self.rule(host, &["delete", "element", "inet", "bed", "shut", &format!("{{ {port} }}")]);
    }

    fn rule(&self, host: usize, words: &[&str]) {
        must(self.on(host, "nft").args(words));
    }

    /// How many packets to a screen's port the firewall of a host has dropped.
    pub fn screens_dropped(&self, host: usize) -> u64 {
        let text = must(self.on(host, "nft").args(["list", "counter", "inet", "bed", "vnc"]));
        let mut words = text.split_whitespace().skip_while(|word| *word != "packets");
        words.nth(1).and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("no counter in {text}"))
    }

    /// The processes on a host.
    pub fn pids(&self, host: usize) -> Vec<u32> {
        network::pids(&self.namespace(host))
    }

    /// What the hosts logged lately and what hopper said, for the person who reads a failure.
    fn report(&self) -> String {
        let mut report = String::new();
        let mut files: Vec<_> = fs::read_dir(self.dir.path())
            .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
            .unwrap_or_default();
        files.sort();
        for file in files.iter().filter(|file| file.extension().is_some_and(|kind| kind == "log")) {
            let text = String::from_utf8_lossy(&fs::read(file).unwrap_or_default()).into_owned();
            let lines: Vec<_> = text.lines().collect();
            let tail = lines[lines.len().saturating_sub(40)..].join("\n");
            let name = file.file_name().unwrap_or_default().display().to_string();
            report +=
                &format!("--- {name} (last {} of {} lines)\n{tail}\n", lines.len().min(40), lines.len());
        }
        report
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.report());
        }
        for mut child in self.helpers.take() {
            child.kill().ok();
            child.wait().ok();
        }
        for sshd in self.sshds.take().into_iter().flatten() {
            sshd.end();
        }
        for host in 0..=self.last {
            for pid in self.pids(host) {
                signal("CONT", pid);
            }
        }
        network::demolish(&self.tag, self.last);
    }
}
