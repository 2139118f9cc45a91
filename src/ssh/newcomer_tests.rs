//! Who may accept a key, and what is on disk then.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::ssh::{Ask, Learning, Secret, Trust};
use crate::topology::Host;

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9dG4kjRhQTtWTVzd2t27+t0DEHBPW7iOD23TUiYLio";
const OLD: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOV4wgdMrCVzBhAS1Sfn5ODZg48k7mG4/aUMFyWA3VoM";

fn fingerprint() -> String {
    Fingerprint::of(&KEY.parse().unwrap()).sha256
}

fn learning(checking: HostKeyChecking) -> Learning {
    Learning { checking, record: true, replace: None }
}

/// What becomes of `h` showing [`KEY`] to a person who gives this answer, and how often they were asked.
async fn settle(
    file: &Path,
    learning: Learning,
    answer: Option<&str>,
) -> (Result<Grounds, HostKeyRefusal>, usize) {
    let mut host = Host::new(HostId::new("h"));
    host.host_key.file = Some(file.display().to_string());
    let expectation = Trust::default().learning(learning).expectation(&host).unwrap();
    settle_as(expectation, answer).await
}

async fn settle_as(
    expectation: Expectation,
    answer: Option<&str>,
) -> (Result<Grounds, HostKeyRefusal>, usize) {
    let (asked, answer) = (Arc::new(AtomicUsize::new(0)), answer.map(str::to_owned));
    let counted = asked.clone();
    let ask: Ask = Arc::new(move |question| {
        counted.fetch_add(1, Ordering::Relaxed);
        assert!(question.text.contains(&fingerprint()) && !question.hidden, "{question:?}");
        let answer = answer.clone().map(Secret::new);
        Box::pin(async { answer })
    });
    let login = Login::of_person("anyone".to_owned(), None, None, ask);
    let key: PublicKey = KEY.parse().unwrap();
    let refusal = expectation.judge(&key.clone().into()).expect_err("it is not trusted yet");
    if !expectation.may_accept(&refusal) {
        return (Err(refusal), 0);
    }
    let (answer, settled) = oneshot::channel();
    Newcomer { key, refusal, expectation, answer }.settle("h", &login).await;
    (settled.await.unwrap(), asked.load(Ordering::Relaxed))
}

fn asked_of(refusal: &Result<Grounds, HostKeyRefusal>) -> Option<Asked> {
    match refusal {
        Err(HostKeyRefusal::Unknown { asked, .. }) => Some(*asked),
        _ => None,
    }
}

#[tokio::test]
async fn a_person_accepts_by_yes_or_by_the_fingerprint_and_by_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    for (number, answer) in ["yes", " YES ", &fingerprint()].into_iter().enumerate() {
        let file = folder.path().join(number.to_string());
        let settled = settle(&file, learning(HostKeyChecking::Ask), Some(answer)).await;
        assert_eq!(settled, (Ok(Grounds::Accepted), 1), "{answer}");
        assert_eq!(fs::read_to_string(&file).unwrap(), format!("h {KEY}\n"));
    }
    let file = folder.path().join("not");
    let other = format!("SHA256:{}", "x".repeat(43));
    for answer in ["", "y", "no", "yes please", "SHA256:", &fingerprint().to_lowercase(), &other] {
        let (settled, asked) = settle(&file, learning(HostKeyChecking::Ask), Some(answer)).await;
        assert_eq!((asked_of(&settled), asked), (Some(Asked::Declined), 1), "{answer}");
    }
    assert!(!file.exists(), "nothing is learnt from a refusal");
}

#[tokio::test]
async fn with_nobody_to_ask_it_is_refused_and_strict_asks_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("known_hosts");
    let (settled, _) = settle(&file, learning(HostKeyChecking::Ask), None).await;
    assert_eq!(asked_of(&settled), Some(Asked::Nobody));
    let (settled, asked) = settle(&file, learning(HostKeyChecking::Strict), Some("yes")).await;
    assert_eq!((asked_of(&settled), asked), (Some(Asked::No), 0));
    assert!(!file.exists());
}

#[tokio::test]
async fn accept_new_records_a_stranger_and_never_replaces() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("known_hosts");
    let accept = learning(HostKeyChecking::AcceptNew);
    assert_eq!(settle(&file, accept.clone(), None).await, (Ok(Grounds::Accepted), 0));
    for known in [format!("h {OLD}\n"), format!("h {OLD}\n@revoked * {KEY}\n"), format!("@revoked h {KEY}\n")]
    {
        fs::write(&file, &known).unwrap();
        let (settled, asked) = settle(&file, accept.clone(), Some("yes")).await;
        assert!(settled.is_err() && asked == 0, "{known}: {settled:?}");
        assert_eq!(fs::read_to_string(&file).unwrap(), known);
    }
}

#[tokio::test]
async fn what_somebody_else_recorded_meanwhile_counts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("known_hosts");
    let mut host = Host::new(HostId::new("h"));
    host.host_key.file = Some(file.display().to_string());
    let trust = Trust::default().learning(learning(HostKeyChecking::AcceptNew));
    let expectation = trust.expectation(&host).unwrap();
    fs::write(&file, format!("h {OLD}\n")).unwrap();
    let (settled, _) = settle_as(expectation.clone(), None).await;
    assert!(matches!(settled, Err(HostKeyRefusal::Changed { line: 1, .. })), "{settled:?}");
    fs::write(&file, format!("h {KEY}\n")).unwrap();
    assert_eq!(settle_as(expectation, None).await.0, Ok(Grounds::Recorded));
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("h {KEY}\n"), "not twice");
}

#[tokio::test]
async fn a_key_is_replaced_when_and_only_when_it_is_spelled_out() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("known_hosts");
    let known = format!("g {OLD}\nh {OLD}\n");
    fs::write(&file, &known).unwrap();
    let spelled = |sha256: &str| Learning {
        replace: Some((HostId::new("h"), sha256.to_owned())),
        ..learning(HostKeyChecking::Ask)
    };
    let (settled, _) = settle(&file, spelled("SHA256:other"), Some("yes")).await;
    assert!(matches!(settled, Err(HostKeyRefusal::Changed { .. })));
    assert_eq!(fs::read_to_string(&file).unwrap(), known);
    let (settled, asked) = settle(&file, spelled(&fingerprint()), None).await;
    assert_eq!((settled, asked), (Ok(Grounds::Replaced), 0));
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("g {OLD}\nh {KEY}\n"));
    // Of a host that nothing is recorded of, the key spelled out is taken, and no other is asked about.
    let (settled, asked) = settle(&folder.path().join("new"), spelled("SHA256:other"), Some("yes")).await;
    assert_eq!((asked_of(&settled), asked), (Some(Asked::No), 0));
    let settled = settle(&folder.path().join("new"), spelled(&fingerprint()), None).await;
    assert_eq!(settled, (Ok(Grounds::Accepted), 0));
    // And of another host, none is.
    fs::write(&file, &known).unwrap();
    let other =
        Learning { replace: Some((HostId::new("g"), fingerprint())), ..learning(HostKeyChecking::Ask) };
    assert!(matches!(settle(&file, other, None).await.0, Err(HostKeyRefusal::Changed { .. })));
}

#[tokio::test]
async fn a_key_that_cannot_be_recorded_is_not_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("known_hosts");
    let mut host = Host::new(HostId::new("h"));
    host.host_key.file = Some(file.display().to_string());
    let trust = Trust::default().learning(learning(HostKeyChecking::AcceptNew));
    let expectation = trust.expectation(&host).unwrap();
    fs::create_dir(&file).unwrap();
    let (settled, _) = settle_as(expectation, None).await;
    assert!(matches!(settled, Err(HostKeyRefusal::NotRecorded { .. })), "{settled:?}");
}
