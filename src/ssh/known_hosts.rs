//! What known_hosts files say about a host: which keys are recorded, which authorities may certify it, which
//! keys are revoked, and where each stands (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT").
//!
//! Reads and matches line by line; a line it cannot read is skipped with a warning, a file it cannot
//! read is an error. Never writes, and never decides what an unknown host means.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use russh::keys::ssh_key::known_hosts::{Entry, Marker};
use russh::keys::ssh_key::public::KeyData;
use russh::keys::{Algorithm, PublicKey};
use rustix::fs::OFlags;

use super::host_field;

/// Everything recorded for one host, in file order.
#[derive(Debug, Default, Clone)]
pub struct Records {
    records: Vec<Record>,
    /// The first lines that could not be read, as `FILE:LINE`.
    skipped: Vec<String>,
}

/// The most places of unreadable lines that are kept to be told.
const SKIPPED_KEPT: usize = 4;

/// One line.
#[derive(Debug, Clone)]
pub struct Record {
    /// What the key is good for.
    pub role: Role,
    /// The key.
    pub key: PublicKey,
    /// The file it stands in.
    pub file: PathBuf,
    /// Its line, from 1.
    pub line: usize,
}

/// What a recorded key is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The host shows it.
    Host,
    /// It certifies the host (`@cert-authority`).
    Authority,
    /// Nothing (`@revoked`).
    Revoked,
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
        let mut records = Records::default();
        for file in files {
            match read(file) {
                Ok(Some(bytes)) => records.collect(&String::from_utf8_lossy(&bytes), file, names),
                Ok(None) => {}
                Err(error) => return Err((file.clone(), error)),
            }
        }
        Ok(records)
    }

    /// Takes in what this text records under any of the names.
    pub(super) fn collect(&mut self, text: &str, file: &Path, names: &[String]) {
        for (index, line) in text.lines().enumerate() {
            let entry = match parse(line) {
                Ok(Some(entry)) => entry,
                Ok(None) => continue,
                Err(error) => {
                    let (file, line) = (file.display(), index + 1);
                    tracing::warn!(%file, line, %error, "skipping a known_hosts line");
                    if self.skipped.len() < SKIPPED_KEPT {
                        self.skipped.push(format!("{file}:{line}"));
                    }
                    continue;
                }
            };
            if names.iter().any(|name| host_field::names(entry.host_patterns(), name)) {
                let role = match entry.marker() {
                    None => Role::Host,
                    Some(Marker::CertAuthority) => Role::Authority,
                    Some(Marker::Revoked) => Role::Revoked,
                };
                self.add(role, entry.public_key().clone(), file, index + 1);
            }
        }
    }

    /// Takes in one key.
    pub(super) fn add(&mut self, role: Role, key: PublicKey, file: &Path, line: usize) {
        self.records.push(Record { role, key, file: file.to_owned(), line });
    }

    /// Forgets everything but what is revoked.
    pub(super) fn keep_revoked(&mut self) {
        self.records.retain(|record| record.role == Role::Revoked);
    }

    /// The first lines that could not be read, as `FILE:LINE`.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    fn of(&self, role: Role) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(move |record| record.role == role)
    }

    /// Where this key is revoked, if it is.
    pub fn revoked(&self, key: &KeyData) -> Option<&Record> {
        self.of(Role::Revoked).find(|record| record.key.key_data() == key)
    }

    /// Where this key is named as an authority, if it is.
    pub fn authority(&self, key: &KeyData) -> Option<&Record> {
        self.of(Role::Authority).find(|record| record.key.key_data() == key)
    }

    /// The first authority.
    pub fn any_authority(&self) -> Option<&Record> {
        self.of(Role::Authority).next()
    }

    /// What the records say about this key. Revocation beats everything; any recorded key counts,
    /// whatever its type, so that another type than the recorded one is a change, not a stranger.
    pub fn judge(&self, key: &KeyData) -> Judgement<'_> {
        if let Some(record) = self.revoked(key) {
            return Judgement::Revoked(record);
        }
        match self.of(Role::Host).find(|record| record.key.key_data() == key) {
            Some(_) => Judgement::Known,
            None => self.of(Role::Host).next().map_or(Judgement::Unknown, Judgement::Changed),
        }
    }

    /// The key types recorded, in file order: what to ask the server for first.
    pub fn algorithms(&self) -> Vec<Algorithm> {
        self.of(Role::Host).map(|record| record.key.algorithm()).collect()
    }
}

/// The most that is read of a known_hosts file, in bytes.
const LIMIT: u64 = 16 << 20;

/// The content of a file; `None` where there is no such file.
pub(super) fn read(file: &Path) -> io::Result<Option<Vec<u8>>> {
    // A pipe would keep us waiting for its other end.
    let opened = match File::options().read(true).custom_flags(OFlags::NONBLOCK.bits() as i32).open(file) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        opened => opened?,
    };
    if !opened.metadata()?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    if opened.take(LIMIT + 1).read_to_end(&mut bytes)? as u64 > LIMIT {
        return Err(io::Error::other("it is larger than 16 MiB"));
    }
    Ok(Some(bytes))
}

/// What a line says; `None` for an empty one and a comment. Brings it to the one form the parser takes
/// (single spaces, no comment after the key), since OpenSSH also takes tabs and runs of spaces.
pub(super) fn parse(line: &str) -> Result<Option<Entry>, russh::keys::ssh_key::Error> {
    let begun = line.trim_start();
    let line = begun.trim_end();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let fields = if line.starts_with('@') { 4 } else { 3 };
    // To OpenSSH a marker ends at the first space of the line, and at a tab only where no space follows at all; with a
    // tab in it, it is none that anybody knows.
    if fields == 4 && begun.split_once(' ').is_some_and(|(marker, _)| marker.contains('\t')) {
        return Err(russh::keys::ssh_key::Error::FormatEncoding);
    }
    let words = line.split([' ', '\t']).filter(|word| !word.is_empty()).take(fields);
    words.collect::<Vec<_>>().join(" ").parse().map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9dG4kjRhQTtWTVzd2t27+t0DEHBPW7iOD23TUiYLio";
    const OTHER: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOV4wgdMrCVzBhAS1Sfn5ODZg48k7mG4/aUMFyWA3VoM";
    const ECDSA: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBElizQrQBIPHdxtuXMH3QXe8nPC58Y7+dIaO92zEaiDUUWq1D9oT7GlSFllYztNZpCgRrHuYyjlMBaBH8z3lgTU=";

    fn records(text: &str, name: &str) -> Records {
        let mut records = Records::default();
        records.collect(text, Path::new("known_hosts"), &[name.to_owned()]);
        records
    }

    fn judge(text: &str, name: &str, key: &str) -> String {
        let key: PublicKey = key.parse().unwrap();
        match records(text, name).judge(key.key_data()) {
            Judgement::Known => "known".into(),
            Judgement::Revoked(record) => format!("revoked:{}", record.line),
            Judgement::Changed(record) => format!("changed:{}", record.line),
            Judgement::Unknown => "unknown".into(),
        }
    }

    #[test]
    fn tabs_runs_of_spaces_and_carriage_returns_separate_as_single_spaces_do() {
        let line = format!(" \th\t{} \ta comment # of words\r\n", KEY.replace(' ', "   "));
        assert_eq!(judge(&line, "h", KEY), "known");
        assert_eq!(judge(&format!("\t@revoked \t h \t{KEY}"), "h", KEY), "revoked:1");
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
        let tab = format!("@revoked\th {KEY}");
        for bad in
            ["h ssh-ed25519 rubbish", "h", "@unheard-of h ssh-ed25519 AAAA", "|1|x|y ssh-ed25519 AAAA", &tab]
        {
            assert_eq!(judge(&format!("{bad}\nh {KEY}"), "h", KEY), "known", "{bad}");
            assert_eq!(records(bad, "h").skipped(), ["known_hosts:1"], "{bad}");
        }
    }

    #[test]
    fn a_certificate_authority_is_no_host_key() {
        let text = format!("@cert-authority *.net {KEY}\n@cert-authority other {OTHER}");
        assert_eq!(judge(&text, "h.net", KEY), "unknown");
        let key: PublicKey = KEY.parse().unwrap();
        assert_eq!(records(&text, "h.net").authority(key.key_data()).map(|record| record.line), Some(1));
        assert!(records(&text, "h").any_authority().is_none());
    }

    #[test]
    fn a_file_that_cannot_be_read_is_an_error_and_a_missing_one_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("none");
        assert!(Records::read(&[missing], &["h".into()]).is_ok());
        let unreadable = folder.path().to_owned();
        assert!(Records::read(&[unreadable], &["h".into()]).is_err());
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(Records::read(&[file.join("below")], &["h".into()]).is_ok(), "nothing can be there");
    }
}

#[cfg(test)]
#[path = "known_hosts_beside_openssh.rs"]
mod beside_openssh;
