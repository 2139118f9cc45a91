//! The whole of control over real sockets: good clients, bad clients, dead runs.

mod unlock;

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;

use super::*;
use crate::engine::{Event, RunState, Snapshot, TunnelSnapshot, TunnelState};
use crate::plan::{Plan, TunnelId};
use crate::topology::{ForwardId, HostId, Strategy};

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(30);

/// A run that does nothing but be asked.
struct Run {
    temp: TempDir,
    place: Place,
    claim: Claim,
    server: Server,
    /// Told when a client asked for `down`.
    asked: Arc<Notify>,
    asks: Arc<AtomicUsize>,
    questions: Questions,
}

fn place(temp: &TempDir) -> Place {
    let dirs = Dirs { runtime: temp.path().join("run"), state: temp.path().join("state") };
    Place::new(&dirs, "corp").unwrap()
}

fn run(limits: Limits) -> Run {
    let temp = tempfile::tempdir().unwrap();
    let place = place(&temp);
    let claim = place.claim().unwrap();
    let (asked, asks) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
    let (notify, count) = (Arc::clone(&asked), Arc::clone(&asks));
    let questions = Questions::default();
    let since = SystemTime::UNIX_EPOCH;
    let plan = Arc::new(Plan {
        topology: "corp".to_owned(),
        at: HostId::local(),
        strategy: Strategy::Nested,
        tunnels: Vec::new(),
        layers: Vec::new(),
        forwards: Vec::new(),
        parallel: 1,
        reconnect: crate::topology::Reconnect::default(),
        probe: crate::topology::Probe::default(),
        drain: Duration::ZERO,
        lifetime: None,
        failover: None,
    });
    let hooks = Hooks {
        plan: Arc::new(move || Arc::clone(&plan)),
        file: Arc::new(|| None),
        reload: Arc::new(|| tokio::sync::oneshot::channel().1),
        snapshot: Arc::new(move || Snapshot {
            state: RunState::Up,
            since,
            tunnels: vec![TunnelSnapshot {
                id: TunnelId("T1".to_owned()),
                through: None,
                server: HostId::new("gate"),
                state: TunnelState::Up,
                rtt: None,
                reconnects: 0,
                lanes: 0,
                cause: None,
                code: None,
            }],
            forwards: Vec::new(),
        }),
        down: Arc::new(move || {
            count.fetch_add(1, Ordering::SeqCst);
            notify.notify_one();
        }),
        questions: questions.clone(),
    };
    let server = Server::bind(&claim, hooks, limits).unwrap();
    Run { temp, place, claim, server, asked, asks, questions }
}

fn patient() -> Limits {
    Limits { patience: LONG, ..Limits::default() }
}

/// Sends raw bytes and reads until the run closes.
async fn raw(place: &Place, bytes: &[u8]) -> String {
    let mut stream = UnixStream::connect(place.socket()).await.unwrap();
    // The run may have heard enough before it took everything.
    let _ = stream.write_all(bytes).await;
    let mut heard = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        heard.extend_from_slice(&buffer[..count]);
    }
    String::from_utf8(heard).unwrap()
}

#[tokio::test]
async fn hello_and_status() {
    let run = run(patient());
    assert_eq!(fs::metadata(run.place.socket()).unwrap().permissions().mode() & 0o777, 0o600);
    let mut client = Client::connect(&run.place, patient()).await.unwrap();
    assert_eq!((client.hello().protocol, client.hello().name.as_str()), (1, "corp"));
    assert_eq!(client.hello().pid, std::process::id());
    for _ in 0..3 {
        let status = client.status().await.unwrap();
        assert_eq!((status.schema.as_str(), status.state.as_str()), ("hopper.status/1", "up"));
    }
}

#[tokio::test]
async fn down_tells_what_closes_and_returns_when_the_lock_is_free() {
    let Run { temp, place, claim, server, asked, asks, .. } = run(patient());
    let ending = async {
        asked.notified().await;
        server.event(&Event::Closing);
        server.event(&Event::ForwardClosed { forward: ForwardId("vnc".to_owned()) });
        server.event(&Event::TunnelClosed { tunnel: TunnelId("T1".to_owned()) });
        server.close().await;
        assert!(!place.socket().exists());
        drop(claim);
    };
    let mut gone = Vec::new();
    let (ended, ()) = tokio::join!(down(&place, patient(), LONG, |one| gone.push(one)), ending);
    assert_eq!(ended.unwrap(), Ended::Closed);
    let gate = Gone::Tunnel { id: "T1".to_owned(), server: Some("gate".to_owned()) };
    assert_eq!(gone, [Gone::Forward("vnc".to_owned()), gate]);
    assert_eq!(asks.load(Ordering::SeqCst), 1);
    assert_eq!(fs::read_dir(temp.path().join("run")).unwrap().count(), 0, "nothing is left");
    let again = down(&place, patient(), LONG, |_| ()).await.unwrap();
    assert_eq!(again, Ended::NotRunning(Vec::new()), "idempotent");
}

#[tokio::test]
async fn down_says_when_the_run_needs_longer_than_it_may_wait() {
    let run = run(patient());
    let failure = down(&run.place, patient(), SHORT, |_| ()).await.unwrap_err();
    assert_eq!((failure.code, failure.exit.code()), ("H0907", 124));
    assert_eq!(run.asks.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn down_of_a_run_that_dies_without_a_word_cleans_up() {
    let Run { temp: _temp, place, claim, server, asked, .. } = run(patient());
    let dying = async {
        asked.notified().await;
        // As the system would: connections and lock end, files stay.
        drop(server);
        fs::remove_file(place.lock()).unwrap();
        drop(claim);
        File::create(place.lock()).unwrap();
        drop(UnixListener::bind(place.socket()).unwrap());
    };
    let (ended, ()) = tokio::join!(down(&place, patient(), LONG, |_| ()), dying);
    assert_eq!(ended.unwrap(), Ended::Died(vec![place.socket(), place.lock()]));
}

#[tokio::test]
async fn nothing_running_is_exit_3_and_names_what_was_left() {
    let temp = tempfile::tempdir().unwrap();
    let place = place(&temp);
    let failure = Client::connect(&place, patient()).await.unwrap_err();
    assert_eq!((failure.code, failure.exit.code()), ("H0901", 3));
    assert_eq!(failure.help, ["hopper up corp"]);

    drop(place.claim().unwrap());
    drop(UnixListener::bind(place.socket()).unwrap());
    let failure = Client::connect(&place, patient()).await.unwrap_err();
    assert_eq!((failure.code, failure.facts[0].0), ("H0901", "left"));
    let ended = down(&place, patient(), LONG, |_| ()).await.unwrap();
    assert_eq!(ended, Ended::NotRunning(vec![place.socket()]));
}

#[tokio::test]
async fn a_run_without_a_socket_does_not_answer() {
    let temp = tempfile::tempdir().unwrap();
    let place = place(&temp);
    let _claim = place.claim().unwrap();
    let failure = Client::connect(&place, patient()).await.unwrap_err();
    assert_eq!((failure.code, failure.exit.code()), ("H0906", 9));
}

#[tokio::test]
async fn a_folder_that_others_may_enter_is_refused_by_both_sides() {
    let run = run(patient());
    fs::set_permissions(run.temp.path().join("run"), fs::Permissions::from_mode(0o755)).unwrap();
    for failure in [Client::connect(&run.place, patient()).await.unwrap_err(), run.place.claim().unwrap_err()]
    {
        assert_eq!((failure.code, failure.exit.code()), ("H0903", 9));
    }
}

#[tokio::test]
async fn garbage_gets_one_error_and_the_door_and_the_next_client_is_served() {
    let run = run(patient());
    let hello = "{\"do\":\"hello\",\"protocol\":1}\n";
    let deep = format!("{}\n", "[".repeat(60_000));
    let cases: [(&[u8], &str); 9] = [
        (b"\n", "garbage"),
        (b"GET / HTTP/1.1\r\n\r\n", "garbage"),
        (b"\xff\xfe\x00\n", "garbage"),
        (b"[]\n{}\n", "garbage"),
        (b"{\"do\":\"\x1b]0;x\"}\n", "garbage"),
        (b"{\"do\":\"fly\"}\n", "garbage"),
        (deep.as_bytes(), "garbage"),
        (b"{\"do\":\"down\"}\n", "protocol"),
        (b"{\"do\":\"hello\",\"protocol\":2}\n", "protocol"),
    ];
    for (bytes, reason) in cases {
        let heard = raw(&run.place, bytes).await;
        assert!(heard.starts_with(&format!("{{\"error\":{{\"reason\":\"{reason}\"")), "{heard}");
        assert_eq!(heard.lines().count(), 1);
        assert!(!heard.contains('\x1b'), "{heard}");
    }
    let heard = raw(&run.place, format!("{hello}nonsense\n").as_bytes()).await;
    assert_eq!(heard.lines().count(), 2, "{heard}");
    assert_eq!(run.asks.load(Ordering::SeqCst), 0, "nobody managed to ask for down");
    Client::connect(&run.place, patient()).await.unwrap().status().await.unwrap();
}

#[tokio::test]
async fn a_line_that_never_ends_is_cut_at_the_limit() {
    let run = run(patient());
    for size in [64 << 10, 4 << 20] {
        let heard = raw(&run.place, &vec![b'x'; size]).await;
        assert!(heard.starts_with(r#"{"error":{"reason":"too-long""#), "{heard}");
    }
    let mut fits = br#"{"do":"hello","protocol":1}"#.to_vec();
    fits.resize((64 << 10) - 1, b' ');
    fits.push(b'\n');
    let mut stream = BufReader::new(UnixStream::connect(run.place.socket()).await.unwrap());
    stream.write_all(&fits).await.unwrap();
    let mut heard = String::new();
    stream.read_line(&mut heard).await.unwrap();
    assert!(heard.starts_with(r#"{"hello":"#), "{heard}");
}

#[tokio::test]
async fn a_silent_client_loses_its_seat() {
    let run = run(Limits { patience: SHORT, ..Limits::default() });
    for bytes in [&b""[..], b"{\"do\":"] {
        let heard = raw(&run.place, bytes).await;
        assert!(heard.starts_with(r#"{"error":{"reason":"too-slow""#), "{heard}");
    }
}

#[tokio::test]
async fn one_client_too_many_is_told_so_and_a_seat_is_free_again_after_one_left() {
    let run = run(patient());
    let mut clients = Vec::new();
    for _ in 0..32 {
        clients.push(Client::connect(&run.place, patient()).await.unwrap());
    }
    let failure = Client::connect(&run.place, patient()).await.unwrap_err();
    assert_eq!((failure.code, failure.exit.code()), ("H0905", 9));
    assert!(failure.message.contains("too many clients"), "{failure}");
    clients[31].status().await.unwrap();
    clients.clear();
    // A seat is given back when the run notices; each try gives it the chance to.
    while Client::connect(&run.place, patient()).await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn closing_ends_idle_clients_and_nobody_waits_for_the_deaf() {
    let Run { temp: _temp, place, claim: _claim, server, .. } = run(patient());
    let mut idle = Client::connect(&place, patient()).await.unwrap();
    server.close().await;
    let failure = idle.status().await.unwrap_err();
    assert_eq!(failure.code, "H0906");
    assert!(place.is_running().unwrap(), "the claim decides, not the socket");
}

#[tokio::test]
async fn runs_are_listed_with_the_living_told_from_the_dead() {
    let run = run(patient());
    let folder = run.temp.path().join("run");
    File::create(folder.join("old.lock")).unwrap();
    drop(UnixListener::bind(folder.join("killed.sock")).unwrap());
    File::create(folder.join("NOT a run.sock")).unwrap();
    let dirs = Dirs { runtime: folder, state: run.temp.path().join("state") };
    let found = list_running(&dirs).unwrap();
    let found: Vec<_> = found.iter().map(|found| (found.name.as_str(), found.running)).collect();
    assert_eq!(found, [("corp", true), ("killed", false), ("old", false)]);
}
