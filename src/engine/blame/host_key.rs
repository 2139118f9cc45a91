//! Blame for a host key that was not accepted.

use jiff::Timestamp;

use super::TunnelBlame;
use crate::engine::{Exit, Failure, Phase};
use crate::ssh::{Asked, CertificateFault, Fingerprint, HostKeyRefusal};
use crate::topology::escape;

impl TunnelBlame<'_> {
    /// A host key was not accepted.
    pub fn host_key(&self, refusal: &HostKeyRefusal) -> Failure {
        let server = self.server();
        let make = |code, message| self.failure(code, Exit::HostKey, Phase::Keys, message);
        let seen = format!("from {}, dialled by {}", self.tunnel.target, self.dialler());
        let shown = |presented: &Fingerprint| ("presented", format!("{presented}   {seen}"));
        let mut failure = match refusal {
            HostKeyRefusal::Changed { presented, known, file, line } => {
                let mut failure = make("H0501", format!("{server} shows a different host key than before"));
                failure.facts.push(("known", format!("{known}   {}:{line}", file.display())));
                failure.facts.push(shown(presented));
                failure.facts.push((
                    "meaning",
                    format!("{server} was reinstalled, or something answers in its place"),
                ));
                failure.help.push(self.read_on_console("read the real fingerprint"));
                failure.help.push(format!(
                    "only if it is the one presented, accept it: hopper trust {} {server} --replace {}",
                    self.plan.topology, presented.sha256
                ));
                failure
            }
            HostKeyRefusal::Unknown { presented, line, names, files, skipped, asked } => {
                let mut failure = make("H0502", format!("the host key of {server} is not known"));
                failure.facts.push(shown(presented));
                failure.facts.push(("looked up", names.join(", ")));
                let skipped = skipped
                    .iter()
                    .map(|place| ("skipped", format!("{}: no such line is understood", escape(place))));
                failure.facts.extend(skipped);
                match asked {
                    Asked::No => {}
                    Asked::Declined => failure.facts.push(("asked", "the answer was not yes".to_owned())),
                    Asked::Nobody => {
                        let nobody = "nobody: that takes a terminal, and no --no-input";
                        failure.facts.push(("asked", nobody.to_owned()));
                        failure.help.push("run it in a terminal to be asked".to_owned());
                        failure.help.push(format!(
                            "or take the keys of new hosts as they are: hopper trust {} {server} --accept-new",
                            self.plan.topology
                        ));
                    }
                }
                failure.help.push(self.read_on_console("compare it"));
                failure.help.push(format!(
                    "if it is the same, pin it in the file: \"{server}\": {{ …, \"host_key\": {{ \"fingerprint\": \"{}\" }} }}",
                    presented.sha256
                ));
                failure.help.push(format!("or record it: hopper trust {} {server}", self.plan.topology));
                if let (Some(file), Some(name)) = (files.first(), names.first()) {
                    failure.help.push(format!("or add this line to {}: {name} {line}", file.display()));
                }
                failure
            }
            HostKeyRefusal::Revoked { presented, file, line } => {
                let mut failure = make("H0503", format!("{server} shows a host key that was revoked"));
                failure.facts.push(shown(presented));
                failure.facts.push(("revoked", format!("{}:{line}", file.display())));
                failure.help.push(format!("ask whoever runs {server}; a revoked key is never accepted"));
                failure
            }
            HostKeyRefusal::NotPinned { presented, pins } => {
                let mut failure =
                    make("H0504", format!("{server} does not show the host key that the file pins"));
                failure.facts.push(("pinned", escape(&pins.join(", "))));
                failure.facts.push(shown(presented));
                failure.help.push(self.read_on_console("read the real fingerprint"));
                failure.help.push(format!("pin the fingerprint of its {} key", presented.algorithm));
                failure
            }
            HostKeyRefusal::Unreadable { file, cause } => {
                let mut failure = make("H0505", format!("cannot tell whether {server} is the right host"));
                failure.facts.push(("cause", format!("{}: {}", file.display(), escape(cause))));
                failure.help.push(format!("make {} readable, or remove it", file.display()));
                failure
            }
            HostKeyRefusal::NotRecorded { presented, file, cause } => {
                let mut failure = make("H0506", format!("the new host key of {server} cannot be recorded"));
                failure.facts.push(shown(presented));
                failure.facts.push(("cause", format!("{}: {}", file.display(), escape(cause))));
                failure.help.push(format!("make {} and its folder writable", file.display()));
                failure.help.push(format!(
                    "or pin the key in the file: \"{server}\": {{ …, \"host_key\": {{ \"fingerprint\": \"{}\" }} }}",
                    presented.sha256
                ));
                failure
            }
            HostKeyRefusal::Certificate { presented, authority, id, fault } => {
                let message =
                    format!("the host certificate of {server} is not good: {}", escape(&fault.to_string()));
                let mut failure = make("H0507", message);
                failure.facts.push(shown(presented));
                failure.facts.push(("certified", format!("by {authority}, as \"{}\"", escape(id))));
                failure.facts.extend(date(fault));
                failure.help.push(match fault {
                    CertificateFault::Foreign => format!(
                        "ask whoever runs {server} which authority certifies it, and name that: @cert-authority in \
                         known_hosts, or \"ca\" in the file"
                    ),
                    CertificateFault::NotYet(_) => format!("compare the clocks here and on {server}"),
                    _ => format!("have {server}'s certificate made anew: ssh-keygen -s CA -h -n {} …", self.tunnel.server.address.host),
                });
                failure
            }
            HostKeyRefusal::NotCertified { presented, authority, place } => {
                let message = format!("{server} shows no certificate, and an authority is named for it");
                let mut failure = make("H0509", message);
                failure.facts.push(shown(presented));
                failure.facts.push(("authority", format!("{authority}   {}", escape(place))));
                failure
                    .help
                    .push(format!("have {server} show its certificate (HostCertificate in its sshd_config)"));
                failure.help.push(format!(
                    "or pin its plain key in the file: \"{server}\": {{ …, \"host_key\": {{ \"fingerprint\": \"{}\" }} }}",
                    presented.sha256
                ));
                failure
            }
        };
        failure.facts.push(("sent", format!("nothing was sent to {server}: no name, no key, no password")));
        failure
    }

    fn read_on_console(&self, what: &str) -> String {
        let server = self.server();
        format!("{what} on {server}'s console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")
    }
}

/// When a certificate begins or ends to be good.
fn date(fault: &CertificateFault) -> Option<(&'static str, String)> {
    let (name, seconds) = match fault {
        CertificateFault::NotYet(from) => ("good from", from),
        CertificateFault::Expired(until) => ("good until", until),
        _ => return None,
    };
    let moment = i64::try_from(*seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok())?;
    Some((name, moment.to_string()))
}
