//! The real sshd of each host: its configuration, its log, the sessions it serves.

use std::fs::{self, File};
use std::process::{Child, Stdio};
use std::sync::OnceLock;

use super::bed::Bed;
use super::command::{argv, may, signal};
use super::keys::Key;
use super::until::{SOON, until};

/// The sshd that is tested against: Debian's, or the one that `HOPPER_SSHD` names by its whole path.
pub fn program() -> &'static str {
    static PROGRAM: OnceLock<String> = OnceLock::new();
    PROGRAM.get_or_init(|| std::env::var("HOPPER_SSHD").unwrap_or_else(|_| "/usr/sbin/sshd".to_owned()))
}

/// A running sshd.
pub struct Sshd(Child);

impl Sshd {
    /// Ends the listener; its sessions stay.
    pub fn end(mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Servers since 9.8 punish a source for failed logins; the tests fail logins on purpose.
fn penalties(key: &Key) -> &'static str {
    static KNOWN: OnceLock<bool> = OnceLock::new();
    let known = KNOWN.get_or_init(|| {
        let probe = &mut argv(&[program(), "-t", "-f", "/dev/null", "-o", "PerSourcePenalties=no", "-h"]);
        may(probe.arg(key.path())).is_some()
    });
    if *known { "PerSourcePenalties no\n" } else { "" }
}

impl Bed {
    /// The host key of this host.
    pub fn host_key(&self, host: usize) -> Key {
        Key::existing(self.path(&format!("host{host}/key")))
    }

    /// Who may log in on this host, one public key a line.
    pub fn authorize(&self, host: usize, keys: &str) {
        fs::write(self.path(&format!("host{host}/authorized_keys")), keys).expect("write authorized_keys");
    }

    /// Starts the sshd of a host; `first` comes before the usual settings, and the first one counts.
    pub fn start_sshd(&self, host: usize, first: &str) {
        fs::create_dir_all("/run/sshd").expect("make the folder sshd insists on");
        let folder = self.path(&format!("host{host}"));
        let (key, allowed) = (self.host_key(host), folder.join("authorized_keys"));
        if !allowed.exists() {
            self.authorize(host, &self.key().public());
        }
        let config = format!(
            "{first}\nPort 22\nListenAddress 0.0.0.0\nHostKey {}\nPidFile none\nAuthorizedKeysFile {}\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             PermitRootLogin prohibit-password\nLogLevel VERBOSE\nUseDNS no\nPrintMotd no\n\
             {}MaxSessions 500\nPerSourceMaxStartups none\n{}",
            key.path().display(),
            allowed.display(),
            // Of these the last one counts.
            if first.contains("MaxStartups") { "" } else { "MaxStartups 500:100:1000\n" },
            penalties(&key),
        );
        let file = folder.join("sshd_config");
        fs::write(&file, config).expect("write sshd_config");
        let log = self.path(&format!("sshd{host}.log"));
        let noise = File::create(self.path(&format!("sshd{host}-start.log"))).expect("make a log");
        let mut command = self.with_own_accounts(host, program());
        command.arg("-D").arg("-f").arg(file).arg("-E").arg(log);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(noise);
        let child = command.spawn().expect("start sshd");
        self.sshds.borrow_mut()[host] = Some(Sshd(child));
        self.wait_for_port(host, 22);
    }

    /// Ends the sshd of a host and every session it serves.
    pub fn stop_sshd(&self, host: usize) {
        self.stop_sshd_by(host, "KILL");
    }

    /// The same; its sessions end by this signal.
    pub fn stop_sshd_by(&self, host: usize, name: &str) {
        let sshd = self.sshds.borrow_mut()[host].take();
        sshd.expect("an sshd runs here").end();
        self.signal_sessions(host, name);
    }

    /// Starts the sshd of a host anew with these settings before the usual ones.
    pub fn restart_sshd(&self, host: usize, first: &str) {
        self.stop_sshd(host);
        self.start_sshd(host, first);
    }

    /// What this host's sshd has logged so far.
    pub fn log(&self, host: usize) -> String {
        let bytes = fs::read(self.path(&format!("sshd{host}.log"))).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// How many logins this host let in.
    pub fn logins(&self, host: usize) -> usize {
        self.log(host).lines().filter(|line| line.starts_with("Accepted ") && line.contains(" for ")).count()
    }

    /// How many connections to its SSH port this host saw.
    pub fn visits(&self, host: usize) -> usize {
        self.log(host).matches("Connection from ").count()
    }

    /// The processes that serve sessions on this host.
    pub fn sessions(&self, host: usize) -> Vec<u32> {
        let serves = |pid: &u32| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).into_owned();
            line.starts_with("sshd") && !line.contains("[listener]")
        };
        self.pids(host).into_iter().filter(serves).collect()
    }

    /// Kills every session on this host, as a crash would.
    pub fn kill_sessions(&self, host: usize) {
        self.signal_sessions(host, "KILL");
    }

    /// The same with another signal that ends them.
    pub fn signal_sessions(&self, host: usize, name: &str) {
        let killed = self.sessions(host);
        for pid in &killed {
            signal(name, *pid);
        }
        // Others may have come meanwhile.
        let gone = || self.sessions(host).iter().all(|pid| !killed.contains(pid));
        assert!(until(SOON, gone), "sessions on host {host} do not die");
    }
}
