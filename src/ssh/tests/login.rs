//! Servers that ask too much, ask strangely, or want more for ever; and questions, one at a time.

use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use russh::keys::HashAlg;
use russh::server::{Auth, Config, Handler, Response};
use russh::{MethodKind, MethodSet};

use super::server::key;
use crate::ssh::key_file::KeyFile;
use crate::ssh::login::{LoginError, LoginRefusal};
use crate::ssh::question::NoAnswer;
use crate::ssh::{Ask, Login, OpenError, Opening, Question, Secret, Session, Trust, Wire};
use crate::topology::{AuthMethod, Host, HostId, SecretPurpose, SecretRef, SecretSource};

/// A server that plays a scene.
#[derive(Clone)]
struct Curious {
    scene: Scene,
    round: usize,
    /// Every answer and password that it was told.
    told: Arc<Mutex<Vec<String>>>,
}

#[derive(Clone, Copy)]
enum Scene {
    /// A hundred questions at once, round after round.
    Everything,
    /// One question, round after round.
    Endless,
    /// Words without a question, round after round.
    Talkative,
    /// Words that would move a cursor, then one question; then it lets in.
    Hostile,
    /// It takes whatever comes, and wants the same again.
    Insatiable,
    /// It takes one password.
    Password,
}

impl Handler for Curious {
    type Error = russh::Error;

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _: &str,
        _: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Self::Error> {
        let answers = response.into_iter().flatten().map(|one| String::from_utf8_lossy(&one).into_owned());
        self.told.lock().unwrap().extend(answers);
        self.round += 1;
        let question = |count: usize| vec![("Password for \u{1b}[2Jdb-prod: ".into(), false); count].into();
        let says = |prompts| Auth::Partial {
            name: "\u{202e}Notice".into(),
            instructions: "first\r\n\u{9b}2Jsecond".into(),
            prompts,
        };
        Ok(match (self.scene, self.round) {
            (Scene::Everything, _) => says(question(100)),
            (Scene::Endless, _) | (Scene::Hostile, 2) => says(question(1)),
            (Scene::Hostile, 3) => Auth::Accept,
            (Scene::Talkative | Scene::Hostile, _) => says(question(0)),
            (Scene::Insatiable | Scene::Password, _) => Auth::reject(),
        })
    }

    async fn auth_password(&mut self, _: &str, password: &str) -> Result<Auth, Self::Error> {
        self.told.lock().unwrap().push(password.to_owned());
        match self.scene {
            Scene::Password if password == "right" => Ok(Auth::Accept),
            Scene::Insatiable => {
                let more = MethodSet::from([MethodKind::Password].as_slice());
                Ok(Auth::Reject { proceed_with_methods: Some(more), partial_success: true })
            }
            _ => Ok(Auth::reject()),
        }
    }
}

/// A person who answers everything the same way, and remembers what they were asked.
fn person(answer: &'static str) -> (Ask, Arc<Mutex<Vec<Question>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = asked.clone();
    let ask: Ask = Arc::new(move |question| {
        heard.lock().unwrap().push(question);
        Box::pin(async move { Some(Secret::new(answer.to_owned())) })
    });
    (ask, asked)
}

/// Logs in to a server that plays this scene. What came of it, and what the server was told.
async fn log_in(
    scene: Scene,
    ask: Ask,
    change: impl FnOnce(&mut Host),
) -> (Result<(), LoginError>, Vec<String>) {
    let (near, far) = tokio::io::duplex(1 << 20);
    let told = Arc::new(Mutex::new(Vec::new()));
    let curious = Curious { scene, round: 0, told: told.clone() };
    let config = Config {
        keys: vec![key(1)],
        auth_rejection_time: Duration::ZERO,
        auth_rejection_time_initial: Some(Duration::ZERO),
        max_auth_attempts: 100,
        ..Config::default()
    };
    tokio::spawn(async move {
        let session = russh::server::run_stream(Arc::new(config), far, curious).await.expect("a handshake");
        drop(session.await);
    });
    let mut host = Host::new(HostId::new("h"));
    host.auth = vec![AuthMethod::KeyboardInteractive];
    change(&mut host);
    let pin = key(1).public_key().fingerprint(HashAlg::Sha256).to_string();
    let (wire, below) = Wire::over_stream(Box::new(near));
    let opening = Opening {
        host: &host,
        expectation: Trust::pinned([(host.id.clone(), pin)]).expectation(&host).expect("a pin"),
        login: &Login::of_person("alice".to_owned(), None, None, ask),
        banner: Duration::from_secs(20),
        on_step: &|_| {},
    };
    let came = match Session::open(wire, below, opening).await {
        Ok(session) => {
            session.cut();
            Ok(())
        }
        Err(OpenError::Login(error)) => Err(error),
        Err(other) => panic!("{other:?}"),
    };
    let told = told.lock().unwrap().clone();
    (came, told)
}

fn refusal(came: Result<(), LoginError>) -> LoginRefusal {
    match came {
        Err(LoginError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_server_that_asks_too_much_is_given_up_and_not_told_more() {
    for (scene, most) in [(Scene::Everything, 0), (Scene::Endless, 6), (Scene::Talkative, 0)] {
        let (ask, asked) = person("typed");
        let (came, told) = log_in(scene, ask, |_| ()).await;
        let refusal = refusal(came);
        let outcome = &refusal.offered[0].1;
        assert!(outcome.starts_with("it asks too much"), "{outcome}");
        assert_eq!((told.len(), asked.lock().unwrap().len()), (most, most));
    }
}

#[tokio::test]
async fn what_a_server_says_is_harmless_and_shown_before_its_question() {
    let (ask, asked) = person("typed");
    let (came, told) = log_in(Scene::Hostile, ask, |_| ()).await;
    assert!(came.is_ok(), "{came:?}");
    assert_eq!(told, ["typed"]);
    let asked = asked.lock().unwrap();
    let question = &asked[0];
    assert!(question.hidden && question.text.starts_with("h asks: \"Password for "), "{question:?}");
    assert!(question.before.iter().any(|line| line == "first"), "{question:?}");
    let words = question.before.iter().chain([&question.text, &question.wanted]);
    for line in words {
        assert!(!line.chars().any(crate::topology::is_unsafe), "{line:?}");
    }
}

#[tokio::test]
async fn a_server_that_wants_more_for_ever_is_given_up() {
    let (ask, _) = person("typed");
    let (came, told) = log_in(Scene::Insatiable, ask, |host| host.auth = vec![AuthMethod::Password]).await;
    assert_eq!(refusal(came).accepted.len(), told.len());
    assert!(told.len() <= 10, "{}", told.len());
}

#[tokio::test]
async fn a_kept_password_is_no_answer_to_a_question_and_a_wrong_one_is_sent_once() {
    let kept = |purpose| SecretRef {
        source: SecretSource::Command(vec!["echo".to_owned(), "kept".to_owned()]),
        purpose,
        answers: None,
    };
    let nobody: Ask = Arc::new(|_| Box::pin(async { None }));
    let (came, told) =
        log_in(Scene::Endless, nobody.clone(), |host| host.secrets = vec![kept(SecretPurpose::Password)])
            .await;
    assert_eq!(told, Vec::<String>::new());
    assert!(refusal(came).needed[0].starts_with("an answer to \"Password for"));
    let (came, told) = log_in(Scene::Password, nobody, |host| {
        host.auth = vec![AuthMethod::Password];
        host.secrets = vec![kept(SecretPurpose::Password)];
    })
    .await;
    assert_eq!(told, ["kept"]);
    assert_eq!(refusal(came).offered, [("password".to_owned(), "refused".to_owned())]);
}

#[tokio::test]
async fn questions_come_one_at_a_time() {
    let (open, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (now, highest) = (open.clone(), most.clone());
    let ask: Ask = Arc::new(move |_| {
        let (now, highest) = (now.clone(), highest.clone());
        Box::pin(async move {
            highest.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            now.fetch_sub(1, Ordering::SeqCst);
            Some(Secret::new(String::new()))
        })
    });
    let login = Login::of_person(String::new(), None, None, ask);
    let question = |host: &str| Question {
        host: HostId::new(host),
        before: Vec::new(),
        wanted: String::new(),
        text: String::new(),
        hidden: true,
    };
    let (one, two, three) =
        tokio::join!(login.ask(question("a")), login.ask(question("b")), login.ask(question("c")));
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    assert_eq!((open.load(Ordering::SeqCst), most.load(Ordering::SeqCst)), (0, 1));
}

#[tokio::test]
async fn a_new_plan_keeps_what_was_unlocked_and_tries_again_what_was_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| {
        let sealed = key(7).encrypt(&mut russh::keys::key::safe_rng(), "right").unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, sealed.to_openssh(Default::default()).unwrap()).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        KeyFile::read(&path).unwrap()
    };
    let (good, bad) = (file("good"), file("bad"));
    let host = |said: &str| {
        let mut host = Host::new(HostId::new("h"));
        let source = SecretSource::Command(vec!["echo".to_owned(), said.to_owned()]);
        host.secrets = vec![SecretRef { source, purpose: SecretPurpose::Passphrase, answers: None }];
        host
    };
    let nobody: Ask = Arc::new(|_| Box::pin(async { None }));
    let login = || Login::of_person(String::new(), None, None, nobody.clone());
    let old = login();
    assert!(old.unlock(&good, &host("right")).await.is_ok());
    assert_eq!(old.unlock(&bad, &host("wrong")).await.err(), Some(NoAnswer::Wrong));
    assert_eq!(old.unlock(&bad, &host("right")).await.err(), Some(NoAnswer::Wrong), "one try in a plan");
    let new = login().with_memory_of(&old, |_| true).await;
    assert!(new.unlock(&good, &host("wrong")).await.is_ok(), "it is unlocked");
    assert!(new.unlock(&bad, &host("right")).await.is_ok());
}
