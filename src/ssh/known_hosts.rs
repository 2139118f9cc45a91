//! What known_hosts files say about a host: which keys are recorded, and where (sshd(8),
//! "SSH_KNOWN_HOSTS FILE FORMAT").
//!
//! Reads and matches line by line; a line it cannot read is skipped with a warning, a file it cannot
//! read is an error. Never writes, and never decides what an unknown host means.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use russh::keys::ssh_key::known_hosts::{Entry, HostPatterns, Marker};
use russh::keys::{Algorithm, PublicKey};
use rustix::fs::OFlags;
use sha1::Sha1;

/// Everything recorded for one host, in file order.
#[derive(Debug, Default)]
pub struct Records(Vec<Record>);

/// One recorded key.
#[derive(Debug, Clone)]
pub struct Record {
    /// The key.
    pub key: PublicKey,
    /// Whether the line says `@revoked`.
    pub revoked: bool,
    /// The file it stands in.
    pub file: PathBuf,
    /// Its line, from 1.
    pub line: usize,
}

/// What the records say about a key that a server showed.
#[derive(Debug)]
pub enum Judgement<'a> {
    /// Recorded for this host.
    Known,
    /// Recorded as revoked.
    Revoked(&'a Record),
    /// Other keys are recorded for this host, this one is not.
    Changed(&'a Record),
    /// Nothing is recorded for this host.
    Unknown,
}

impl Records {
    /// Collects what the files record under any of the names. A file that does not exist records
    /// nothing.
    ///
    /// # Errors
    /// When a file exists and cannot be read: who cannot read the records must not guess.
    pub fn read(files: &[PathBuf], names: &[String]) -> Result<Self, (PathBuf, io::Error)> {
        let mut records = Vec::new();
        for file in files {
            match read(file) {
                Ok(bytes) => collect(&String::from_utf8_lossy(&bytes), file, names, &mut records),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err((file.clone(), error)),
            }
        }
        Ok(Records(records))
    }

    /// What the records say about this key. Revocation beats everything; any recorded key counts,
    /// whatever its type, so that another type than the recorded one is a change, not a stranger.
    pub fn judge(&self, key: &PublicKey) -> Judgement<'_> {
        let same = |record: &&Record| record.key.key_data() == key.key_data();
        if let Some(record) = self.0.iter().filter(|record| record.revoked).find(same) {
            return Judgement::Revoked(record);
        }
        let mut trusted = self.0.iter().filter(|record| !record.revoked);
        match trusted.clone().find(same) {
            Some(_) => Judgement::Known,
            None => trusted.next().map_or(Judgement::Unknown, Judgement::Changed),
        }
    }

    /// The key types recorded, in file order: what to ask the server for first.
    pub fn algorithms(&self) -> Vec<Algorithm> {
        self.0.iter().filter(|record| !record.revoked).map(|record| record.key.algorithm()).collect()
    }
}

/// The most that is read of a known_hosts file, in bytes.
const LIMIT: u64 = 16 << 20;

fn read(file: &Path) -> io::Result<Vec<u8>> {
    // A pipe would keep us waiting for its other end.
    let opened = File::options().read(true).custom_flags(OFlags::NONBLOCK.bits() as i32).open(file)?;
    if !opened.metadata()?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    if opened.take(LIMIT + 1).read_to_end(&mut bytes)? as u64 > LIMIT {
        return Err(io::Error::other("it is larger than 16 MiB"));
    }
    Ok(bytes)
}

fn collect(text: &str, file: &Path, names: &[String], records: &mut Vec<Record>) {
    for (index, line) in text.lines().enumerate() {
        let line_number = index + 1;
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match parse(line) {
            Ok(entry) if entry.marker() == Some(&Marker::CertAuthority) => {}
            Ok(entry) if names.iter().any(|name| matches(entry.host_patterns(), name)) => {
                records.push(Record {
                    revoked: entry.marker() == Some(&Marker::Revoked),
                    key: entry.public_key().clone(),
                    file: file.to_owned(),
                    line: line_number,
                });
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(file = %file.display(), line = line_number, %error, "skipping a known_hosts line");
            }
        }
    }
}

/// Brings a line to the one form the parser takes (single spaces, no comment after the key), since
/// OpenSSH also takes tabs and runs of spaces.
fn parse(line: &str) -> Result<Entry, russh::keys::ssh_key::Error> {
    let fields = if line.starts_with('@') { 4 } else { 3 };
    line.split_ascii_whitespace().take(fields).collect::<Vec<_>>().join(" ").parse()
}

/// Whether a host field names this host: plain names, `*` and `?`, `!` to exclude, or a hash.
fn matches(patterns: &HostPatterns, name: &str) -> bool {
    match patterns {
        HostPatterns::HashedName { salt, hash } => {
            let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(salt) else { return false };
            mac.update(name.as_bytes());
            mac.verify_slice(hash).is_ok()
        }
        HostPatterns::Patterns(patterns) => {
            let mut found = false;
            for pattern in patterns {
                match pattern.strip_prefix('!') {
                    Some(excluded) if wildcard(excluded.as_bytes(), name.as_bytes()) => return false,
                    Some(_) => {}
                    None => found |= wildcard(pattern.as_bytes(), name.as_bytes()),
                }
            }
            found
        }
    }
}

/// Shell-like matching of `*` and `?`, ASCII letters compared without case. Linear in the product of
/// the lengths: it goes back to the last star only.
fn wildcard(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&c) if c == b'?' || c.eq_ignore_ascii_case(&name[n]) => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((star_p, star_n)) => {
                    star = Some((star_p, star_n + 1));
                    p = star_p + 1;
                    n = star_n + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9dG4kjRhQTtWTVzd2t27+t0DEHBPW7iOD23TUiYLio";
    const OTHER: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOV4wgdMrCVzBhAS1Sfn5ODZg48k7mG4/aUMFyWA3VoM";
    const ECDSA: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBElizQrQBIPHdxtuXMH3QXe8nPC58Y7+dIaO92zEaiDUUWq1D9oT7GlSFllYztNZpCgRrHuYyjlMBaBH8z3lgTU=";

    fn judge(text: &str, name: &str, key: &str) -> String {
        let mut records = Vec::new();
        collect(text, Path::new("known_hosts"), &[name.to_owned()], &mut records);
        match Records(records).judge(&key.parse().unwrap()) {
            Judgement::Known => "known".into(),
            Judgement::Revoked(record) => format!("revoked:{}", record.line),
            Judgement::Changed(record) => format!("changed:{}", record.line),
            Judgement::Unknown => "unknown".into(),
        }
    }

    #[test]
    fn each_form_of_a_host_field_is_understood() {
        let hashed = format!("|1|88C6lAGlRbdl2KD8AXdyWqUi9tc=|BGxOyCdvV7dkMchrMTlXHibK5Ls= {OTHER}");
        for (field, name, expected) in [
            ("h", "h", "known"),
            ("g,h", "h", "known"),
            ("H.Example.NET", "h.example.net", "known"),
            ("*.example.net", "h.example.net", "known"),
            ("h?", "h1", "known"),
            ("*.example.net,!h.example.net", "h.example.net", "unknown"),
            ("!h,h", "h", "unknown"),
            ("[h]:2222", "[h]:2222", "known"),
            ("[h]:2222", "h", "unknown"),
            ("hh", "h", "unknown"),
        ] {
            assert_eq!(judge(&format!("{field} {KEY}"), name, KEY), expected, "{field} for {name}");
            assert_eq!(judge(&format!("{field}\t{}", KEY.replace(' ', "   ")), name, KEY), expected);
        }
        assert_eq!(judge(&hashed, "myhost", OTHER), "known");
        assert_eq!(judge(&hashed, "unrelated", OTHER), "unknown");
    }

    #[test]
    fn a_recorded_key_of_another_type_is_a_change_not_a_stranger() {
        assert_eq!(judge(&format!("# note\n\nh {ECDSA}"), "h", KEY), "changed:3");
    }

    #[test]
    fn several_keys_of_one_type_all_count() {
        assert_eq!(judge(&format!("h {OTHER}\nh {KEY}"), "h", KEY), "known");
    }

    #[test]
    fn a_revoked_key_stays_revoked_even_where_it_is_also_recorded() {
        assert_eq!(judge(&format!("h {KEY}\n@revoked * {KEY}"), "h", KEY), "revoked:2");
    }

    #[test]
    fn a_line_that_cannot_be_read_is_skipped() {
        assert_eq!(judge(&format!("h ssh-ed25519 rubbish\nh {KEY}"), "h", KEY), "known");
    }

    #[test]
    fn a_certificate_authority_is_no_host_key() {
        assert_eq!(judge(&format!("@cert-authority h {KEY}"), "h", KEY), "unknown");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_an_error_and_a_missing_one_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("none");
        assert!(Records::read(&[missing], &["h".into()]).is_ok());
        let unreadable = folder.path().to_owned();
        assert!(Records::read(&[unreadable], &["h".into()]).is_err());
    }
}
