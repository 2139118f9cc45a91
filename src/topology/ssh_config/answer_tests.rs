//! Answers of `ssh -G` as several versions of OpenSSH shape them, shortened to what matters here.

use super::*;

/// OpenSSH 9.2 without any configuration.
const USUAL: &str = "\
host hopper
user me
hostname hopper
port 22
identitiesonly no
stricthostkeychecking ask
serveralivecountmax 3
serveraliveinterval 0
ciphers chacha20-poly1305@openssh.com,aes128-ctr,aes256-gcm@openssh.com
hostkeyalgorithms ssh-ed25519-cert-v01@openssh.com,ssh-ed25519,rsa-sha2-512
kexalgorithms sntrup761x25519-sha512,curve25519-sha256,diffie-hellman-group14-sha256
macs umac-64-etm@openssh.com,hmac-sha2-256,hmac-sha1
identityfile ~/.ssh/id_rsa
identityfile ~/.ssh/id_ed25519
globalknownhostsfile /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2
userknownhostsfile /home/me/.ssh/known_hosts /home/me/.ssh/known_hosts2
";

/// OpenSSH 7.4: other names and an order of its own, no `host`, files as they are written.
const USUAL_OLD: &str = "\
user me
hostname hopper
port 22
challengeresponseauthentication yes
serveralivecountmax 3
serveraliveinterval 0
ciphers chacha20-poly1305@openssh.com,aes128-ctr,aes128-cbc
kexalgorithms curve25519-sha256,diffie-hellman-group14-sha1
identityfile ~/.ssh/id_rsa
identityfile ~/.ssh/id_dsa
globalknownhostsfile /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2
userknownhostsfile ~/.ssh/known_hosts ~/.ssh/known_hosts2
pubkeyacceptedkeytypes ssh-ed25519-cert-v01@openssh.com,ssh-rsa
";

fn read_with(usual: &str, answer: &str) -> Result<SshSettings, Unusable> {
    let variable = |name: &str| (name == "KEYS").then(|| "/keys".to_owned());
    let person = Person { home: "/home/me", user: "me", variable: &variable };
    SshSettings::read(answer, usual, "gate", &person)
}

/// What comes of the usual answer with these lines in place of those of the same name.
fn with(lines: &[&str]) -> Result<SshSettings, Unusable> {
    let key = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    let changed: Vec<String> = lines.iter().map(|line| key(line)).collect();
    let kept = USUAL.lines().filter(|line| !changed.contains(&key(line)));
    let kept = kept.map(|line| line.replace("hostname hopper", "hostname gate"));
    let answer: Vec<String> = kept.chain(lines.iter().map(|&line| line.to_owned())).collect();
    read_with(USUAL, &answer.join("\n"))
}

fn good(lines: &[&str]) -> SshSettings {
    with(lines).unwrap_or_else(|unusable| panic!("{lines:?}: {unusable:?}"))
}

#[test]
fn what_nobody_wrote_is_no_setting() {
    assert_eq!(good(&[]), SshSettings::default());
    let old = USUAL_OLD.replace("hostname hopper", "hostname GATE");
    assert_eq!(read_with(USUAL_OLD, &old), Ok(SshSettings::default()));
}

#[test]
fn every_setting_that_hopper_honours_is_read() {
    let settings = good(&[
        "hostname gate.example.net",
        "user bob",
        "port 2222",
        "identitiesonly yes",
        "serveraliveinterval 30",
        "serveralivecountmax 5",
        "hostkeyalias branch",
        "identityfile ~/.ssh/%h_%r",
        "identityfile ${KEYS}/with space",
        "userknownhostsfile /home/me/kh /srv/kh",
    ]);
    assert_eq!(settings.host_name.as_deref(), Some("gate.example.net"));
    assert_eq!((settings.user.as_deref(), settings.port), (Some("bob"), Some(2222)));
    let files = ["~/.ssh/gate.example.net_bob", "/keys/with space"].map(str::to_owned).to_vec();
    assert_eq!((settings.identities, settings.identities_only), (Some(files), Some(true)));
    assert_eq!(settings.alive_interval, Some(Duration::from_secs(30)));
    assert_eq!((settings.alive_max, settings.host_key_alias.as_deref()), (Some(5), Some("branch")));
    let known = ["/home/me/kh", "/srv/kh", "/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"];
    assert_eq!(settings.known_hosts, Some(known.map(str::to_owned).to_vec()));
    assert_eq!(settings.left_out, Vec::<String>::new());
}

#[test]
fn none_means_none() {
    let settings = good(&[
        "identityfile none",
        "identityagent none",
        "userknownhostsfile none",
        "globalknownhostsfile none",
        "proxycommand none",
        "proxyjump none",
    ]);
    assert_eq!((settings.identities, settings.known_hosts), (Some(Vec::new()), Some(Vec::new())));
    assert!(settings.no_agent && settings.proxy_command.is_none() && settings.jumps.is_empty());
}

#[test]
fn jumps_are_read_in_their_order() {
    let jump = |user: Option<&str>, host: &str, port| Jump {
        user: user.map(str::to_owned),
        host: host.to_owned(),
        port,
    };
    let settings = good(&["proxyjump eve@one:23,[::1]:99,fe80::2,ssh://a@b@three/"]);
    let wanted = [
        jump(Some("eve"), "one", Some(23)),
        jump(None, "::1", Some(99)),
        jump(None, "fe80::2", None),
        jump(Some("a@b"), "three", None),
    ];
    assert_eq!(settings.jumps, wanted);
}

#[test]
fn only_algorithms_that_somebody_chose_count() {
    use AlgorithmKind::{Cipher, Kex, Mac};
    let settings = good(&[
        "kexalgorithms diffie-hellman-group14-sha1,curve25519-sha256",
        "ciphers aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes128-ctr",
        "macs hmac-sha2-256,hmac-sha1,umac-64-etm@openssh.com",
    ]);
    assert_eq!(settings.algorithms[&Kex], ["diffie-hellman-group14-sha1", "curve25519-sha256"]);
    assert_eq!(settings.algorithms[&Cipher][0], "aes256-gcm@openssh.com");
    // Moved about, not asked for: OpenSSH has it in its own list.
    assert_eq!(settings.algorithms[&Mac], ["hmac-sha2-256"]);
    assert!(!settings.algorithms.contains_key(&AlgorithmKind::HostKey));
    assert_eq!(good(&["macs hmac-sha1"]).algorithms[&Mac], ["hmac-sha1"]);
    let wanted = "umac-64-etm@openssh.com";
    assert_eq!(with(&[&format!("macs {wanted}")]), Err(Unusable::Algorithms(Mac, wanted.to_owned())));
}

#[test]
fn a_command_shows_its_program_only() {
    let command = |line: &str| good(&[line]).proxy_command;
    assert_eq!(command("proxycommand exec nc -x me:secret@proxy %h %p").as_deref(), Some("nc"));
    assert_eq!(command("proxycommand /usr/bin/corkscrew p 80 %h %p").as_deref(), Some("/usr/bin/corkscrew"));
    for (line, shown) in [
        ("PASSWORD=secret nc %h %p", "nc"),
        ("exec A=1 PASSWORD=secret nc %h %p", "nc"),
        ("A=1 exec nc secret", "nc"),
        ("PASSWORD=secret", "a shell command"),
        ("PASSWORD='a secret' nc %h %p", "a shell command"),
        ("PASSWORD=\"a secret\" nc %h %p", "a shell command"),
        ("PASSWORD=a\\ secret nc %h %p", "a shell command"),
        ("PASSWORD=$(print secret) nc %h %p", "a shell command"),
        ("'secret program' %h %p", "a shell command"),
        ("$secret %h %p", "a shell command"),
        ("A=1;secret nc", "a shell command"),
    ] {
        let written = format!("proxycommand {line}");
        assert_eq!(command(&written).as_deref(), Some(shown), "{line}");
    }
}

#[test]
fn what_hopper_cannot_do_is_told_and_the_rest_taken() {
    let settings = good(&[
        "identityfile ~/.ssh/%C",
        "certificatefile ~/.ssh/%C-cert.pub",
        "certificatefile ~/.ssh/of_%n-cert.pub",
        "certificatefile none",
        "identityagent /run/other.sock",
        "revokedhostkeys /etc/ssh/revoked",
    ]);
    assert_eq!(settings.identities, None);
    let told = settings.left_out.join("\n");
    for word in [
        "IdentityFile ~/.ssh/%C: hopper does not know %C",
        "CertificateFile ~/.ssh/%C-cert.pub",
        "RevokedHostKeys /etc/ssh/revoked: hopper does not read it",
    ] {
        assert!(told.contains(word), "{told}");
    }
    assert_eq!(settings.agent.as_deref(), Some("/run/other.sock"));
    assert_eq!(settings.certificates, ["~/.ssh/of_gate-cert.pub"]);
    assert_eq!(settings.names(), ["CertificateFile", "IdentityAgent"]);
}

#[test]
fn what_does_not_look_right_is_no_setting() {
    for line in [
        "hostname -oProxyCommand=id",
        "hostname a;id",
        "user -x",
        "port 99999",
        "hostkeyalias a b",
        "proxyjump -x",
        "proxyjump a:0",
        "proxyjump a,,b",
        "serveraliveinterval soon",
    ] {
        assert!(matches!(with(&[line]), Err(Unusable::Value(..))), "{line}: {:?}", with(&[line]));
    }
    assert_eq!(read_with(USUAL, ""), Ok(SshSettings::default()));
    assert_eq!(read_with(USUAL, "no such line\n\u{1b}[2J\n"), Ok(SshSettings::default()));
}
