//! Key files of every form, as people have them.

use super::*;
use std::os::unix::fs::PermissionsExt;

fn write_key(folder: &Path, passphrase: Option<&str>, mode: u32) -> PathBuf {
    let mut rng = russh::keys::key::safe_rng();
    let mut key = PrivateKey::random(&mut rng, russh::keys::Algorithm::Ed25519).unwrap();
    if let Some(passphrase) = passphrase {
        key = key.encrypt(&mut rng, passphrase).unwrap();
    }
    let path = folder.join("id");
    std::fs::write(&path, key.to_openssh(Default::default()).unwrap()).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    path
}

#[test]
fn a_locked_key_shows_its_public_half_and_opens_with_the_right_passphrase_only() {
    let folder = tempfile::tempdir().unwrap();
    let file = KeyFile::read(&write_key(folder.path(), Some("tell"), 0o600)).unwrap();
    assert!(file.public.is_some() && file.open().is_none());
    assert!(matches!(file.unlock(&secret("wrong")), Err(KeyFileError::Passphrase)));
    assert_eq!(
        file.unlock(&secret("tell")).unwrap().public_key().key_data(),
        file.public.unwrap().key_data()
    );
}

#[test]
fn a_key_that_others_can_read_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = write_key(folder.path(), None, 0o644);
    assert!(matches!(KeyFile::read(&path), Err(KeyFileError::Exposed { mode: 0o644 })));
}

#[test]
fn what_is_no_key_is_named_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("id");
    assert!(matches!(KeyFile::read(&path), Err(KeyFileError::Missing)));
    std::fs::write(&path, "no key").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(matches!(KeyFile::read(&path), Err(KeyFileError::Format(_))));
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}

#[test]
fn an_older_form_says_how_to_convert_it() {
    let folder = tempfile::tempdir().unwrap();
    for (kind, cipher) in [("RSA", "AES-256-CBC"), ("RSA", "DES-EDE3-CBC"), ("EC", "AES-128-CBC")] {
        let text = format!(
            "-----BEGIN {kind} PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: {cipher},00\n\nAAAA\n\
             -----END {kind} PRIVATE KEY-----\n"
        );
        let path = write(folder.path(), "id", &text);
        let Err(error) = KeyFile::read(&path) else { panic!("{kind} {cipher}") };
        let said = error.to_string();
        assert!(said.contains(cipher), "{said}");
        assert!(said.ends_with(&format!("convert it: ssh-keygen -p -f {}", path.display())), "{said}");
    }
}

#[test]
fn a_public_half_alone_stands_for_what_an_agent_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = write_key(folder.path(), None, 0o600);
    let public = KeyFile::read(&path).unwrap().public.unwrap();
    std::fs::remove_file(&path).unwrap();
    let half = write(folder.path(), "id.pub", &public.to_openssh().unwrap());
    for named in [&path, &half] {
        let file = KeyFile::read(named).unwrap();
        assert_eq!((&file.path, file.signs_elsewhere(), file.open().is_none()), (&path, true, true));
        assert_eq!(file.public.unwrap().key_data(), public.key_data());
    }
}

#[test]
fn a_locked_key_of_putty_is_seen_to_be_locked() {
    let text = "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: aes256-cbc\nComment: x\n";
    assert!(form::is_locked(text));
    assert!(!form::is_locked(&text.replace("aes256-cbc", "none")));
}

/// A certificate of a day for this key.
fn certificate_of(key: &PublicKey) -> Certificate {
    let mut rng = russh::keys::key::safe_rng();
    let authority = PrivateKey::random(&mut rng, russh::keys::Algorithm::Ed25519).unwrap();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let nonce = [7; 16];
    let mut builder = russh::keys::ssh_key::certificate::Builder::new(
        nonce,
        key.key_data().clone(),
        now - 60,
        now + 86_400,
    )
    .unwrap();
    builder.cert_type(CertType::User).unwrap().valid_principal("root").unwrap();
    builder.sign(&authority).unwrap()
}

#[test]
fn a_certificate_that_lies_elsewhere_goes_with_the_key_that_it_is_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = write_key(folder.path(), Some("tell"), 0o600);
    let key = KeyFile::read(&path).unwrap();
    let certificate = certificate_of(key.public.as_ref().unwrap());
    let text = certificate.to_openssh().unwrap();
    for name in ["elsewhere-cert.pub", "by-another-name"] {
        let apart = KeyFile::read(&write(folder.path(), name, &text)).unwrap();
        assert!(apart.signs_elsewhere() && apart.open().is_none(), "{name}");
        let paired = KeyFile::with_their_keys(vec![apart, key.clone()]);
        assert_eq!((&paired[0].path, paired[0].signs_elsewhere()), (&path, false), "{name}");
        assert_eq!(paired[0].certificate, Some(Ok(certificate.clone())), "{name}");
        assert!(paired[0].unlock(&secret("tell")).is_ok() && paired[1].certificate.is_none(), "{name}");
    }
    // It is for no key that is here: whoever holds that one signs.
    let mut rng = russh::keys::key::safe_rng();
    let foreign = PrivateKey::random(&mut rng, russh::keys::Algorithm::Ed25519).unwrap();
    let text = certificate_of(foreign.public_key()).to_openssh().unwrap();
    let foreign = KeyFile::read(&write(folder.path(), "foreign-cert.pub", &text)).unwrap();
    let alone = KeyFile::with_their_keys(vec![foreign, key]);
    assert!(alone[0].signs_elsewhere() && !alone[1].signs_elsewhere());
}
