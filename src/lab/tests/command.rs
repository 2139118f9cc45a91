//! What a host of the lab understands, and that it takes nothing else for it.

use crate::lab::command::{Command, Ssh};
use crate::topology::{Address, Endpoint};

fn ssh(words: &str) -> Command {
    Command::read(&format!("sh -c 'exec \"$@\"' hopper 30 none 'ssh' {words}"))
}

#[test]
fn the_words_of_ssh_are_read_as_hopper_writes_them() {
    let words = "'-F' 'none' '-N' '-T' '-a' '-x' '-o' 'BatchMode=yes' '-o' 'LocalCommand=echo it listens' \
        '-i' '~/.ssh/a key' '-L' '*:2201:gate-d:22' '-L' '*:2202:[fd00::1]:5900' '-L' '*:2203:/run/echo' \
        '-p' '2222' '--' 'alice@gate-c.dmz'";
    let tcp = |host: &str, port| Endpoint::Tcp(Address::new(host, port));
    let unix = Endpoint::Unix("/run/echo".to_owned());
    let expected = Ssh {
        host: "gate-c.dmz".to_owned(),
        port: 2222,
        listens: vec![(2201, tcp("gate-d", 22)), (2202, tcp("fd00::1", 5900)), (2203, unix)],
        says: "it listens".to_owned(),
    };
    assert_eq!(ssh(words), Command::Ssh(expected));
}

#[test]
fn what_ssh_does_not_take_it_says() {
    for words in [
        "'-N'",
        "'--' 'a' 'b'",
        "'-p'",
        "'-p' '0' '--' 'a'",
        "'-L' '2201:a:22' '--' 'a'",
        "'-L' '*:2201' '--' 'a'",
        "'-R' '*:2201:a:22' '--' 'a'",
    ] {
        assert!(matches!(ssh(words), Command::Misused(_)), "{words} gave {:?}", ssh(words));
    }
}

#[test]
fn no_other_program_is_found() {
    for (text, program) in [
        ("uname -a", "uname"),
        ("", ""),
        ("sh -c 'id'", "sh"),
        ("sh -c 'exec' hopper 30 none 'ssh", "sh"),
        ("sh -c 'exec' hopper 30 0899 'dbclient' '-N'", "dbclient"),
        ("ssh -V", "ssh"),
    ] {
        assert_eq!(Command::read(text), Command::Unknown(program.to_owned()), "{text}");
    }
}
