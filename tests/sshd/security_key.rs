//! A security key through an agent. The key is played: what it signs with is in the test, and the agent speaks
//! for it (draft-miller-ssh-agent; PROTOCOL.u2f of OpenSSH). The server that judges it is real.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::Stdio;

use russh::keys::HashAlg;
use russh::keys::signature::Signer;
use russh::keys::ssh_key::private::Ed25519Keypair;

use super::bed::{Bed, NEAR};
use super::command::argv;
use super::hopper::Hopper;
use super::load::MIB;
use super::topology::Topology;

const KIND: &str = "sk-ssh-ed25519@openssh.com";
const APPLICATION: &str = "ssh:";

/// Messages of the agent's protocol.
const FAILURE: u8 = 5;
const LIST: u8 = 11;
const LISTED: u8 = 12;
const SIGN: u8 = 13;
const SIGNED: u8 = 14;

fn string(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("a short string");
    [&length.to_be_bytes(), bytes].concat()
}

/// Takes a string off the front.
fn take<'a>(bytes: &mut &'a [u8]) -> &'a [u8] {
    let (length, rest) = bytes.split_at(4);
    let length = u32::from_be_bytes(length.try_into().expect("four bytes")) as usize;
    let (string, rest) = rest.split_at(length);
    *bytes = rest;
    string
}

fn key() -> Ed25519Keypair {
    Ed25519Keypair::from_seed(&[7; 32])
}

/// The public half as it is sent.
fn blob() -> Vec<u8> {
    [string(KIND.as_bytes()), string(key().public.as_ref()), string(APPLICATION.as_bytes())].concat()
}

/// What a security key signs: not the message, but what it is for, that it was touched, and how often it signed.
fn signature(message: &[u8]) -> Vec<u8> {
    let (touched, count) = (1_u8, 9_u32.to_be_bytes());
    let digest = |bytes: &[u8]| HashAlg::Sha256.digest(bytes);
    let signed = [&digest(APPLICATION.as_bytes())[..], &[touched], &count, &digest(message)].concat();
    let signature = key().try_sign(&signed).expect("it signs");
    [&string(KIND.as_bytes())[..], &string(signature.as_bytes()), &[touched], &count].concat()
}

/// Answers one client until it leaves. It knows no session binding.
fn serve(mut client: UnixStream) {
    let mut length = [0; 4];
    while client.read_exact(&mut length).is_ok() {
        let mut message = vec![0; u32::from_be_bytes(length) as usize];
        client.read_exact(&mut message).expect("a whole message");
        let reply = match message.split_first() {
            Some((&LIST, _)) => {
                [&[LISTED][..], &1_u32.to_be_bytes(), &string(&blob()), &string(b"played")].concat()
            }
            Some((&SIGN, mut rest)) => {
                assert_eq!(take(&mut rest), blob(), "somebody else's key");
                [&[SIGNED][..], &string(&signature(take(&mut rest)))].concat()
            }
            _ => vec![FAILURE],
        };
        client.write_all(&string(&reply)).expect("it listens");
    }
}

pub fn agent(socket: &Path) {
    let listener = UnixListener::bind(socket).expect("a socket");
    std::thread::spawn(move || listener.incoming().flatten().for_each(serve));
}

/// The line of `authorized_keys` that lets it in.
pub fn line() -> String {
    let mut encode = argv(&["base64", "-w0"]);
    let mut child = encode.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("run base64");
    child.stdin.take().expect("its input").write_all(&blob()).expect("it reads");
    let encoded = child.wait_with_output().expect("it ends").stdout;
    format!("{KIND} {} played\n", String::from_utf8_lossy(&encoded))
}

#[test]
fn a_security_key_logs_in_through_an_agent_that_binds_no_sessions() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    for host in 1..=2 {
        bed.authorize(host, &line());
    }
    fs::write(bed.path("home/.ssh/touch.pub"), line()).expect("write the public half");
    let socket = bed.path("touch.sock");
    agent(&socket);
    let hopper = Hopper::on(&bed).with_agent(socket);
    hopper.up(&Topology::line(&bed).hosts("identities", serde_json::json!(["~/.ssh/touch"])), &[]);
    assert!(bed.log(1).contains("ssh2: ED25519-SK"), "{}", bed.log(1));
    bed.load_whole(0, NEAR, &[("both", MIB, 1)]);
    hopper.down();
    hopper.assert_nothing_left();
}
