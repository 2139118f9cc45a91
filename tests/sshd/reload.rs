//! A run that reads its file again, over real hosts: one login a host for what goes on, whole streams beside what
//! changes, and nothing left of what is gone.

use serde_json::{Value, json};

use super::bed::{Bed, FAR, NEAR};
use super::faults::{Standing, inode, quick};
use super::load::MIB;
use super::topology::{Topology, id};

/// The data server of the last host at [`NEAR`], and one of each of these hosts at the ports after it.
fn with_more(bed: &Bed, hosts: &[usize]) -> Topology {
    let forward =
        |port: u16, host: usize| json!({ "listen": port, "to": format!("{}/127.0.0.1:{FAR}", id(host)) });
    let mut forwards = json!({ "data": forward(NEAR, bed.last()) });
    for (port, host) in (NEAR + 1..).zip(hosts) {
        forwards[format!("more-{host}")] = forward(port, *host);
    }
    quick(bed).top("forwards", forwards)
}

fn reload(standing: &Standing<'_>, topology: &Topology) -> Value {
    topology.write(standing.hopper.bed());
    let ended = standing.hopper.run(&["reload", "bed", "--json"]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    serde_json::from_str(&ended.stdout).expect("JSON")
}

fn reconnects(standing: &Standing<'_>) -> Vec<u64> {
    let status = standing.hopper.status().expect("it runs");
    let tunnels = status["tunnels"].as_array().expect("a list");
    tunnels.iter().filter_map(|tunnel| tunnel["reconnects"].as_u64()).collect()
}

#[test]
fn forwards_come_and_go_beside_a_download_and_no_session_is_lost() {
    let Some(bed) = Bed::line(3) else { return };
    (1..=3).for_each(|host| bed.far_end(host));
    let standing = Standing::on(&bed, &with_more(&bed, &[]));
    let listener = inode(&bed, NEAR);
    let download = bed.start_load(0, "127.0.0.1", NEAR, &[("get", 256 * MIB, 1)]);
    download.wait_until_flowing();
    let told = reload(&standing, &with_more(&bed, &[1, 2, 3]));
    assert_eq!(told["diff"]["summary"], json!({ "open": 3, "change": 0, "close": 0, "keep": 4 }), "{told}");
    for port in NEAR + 1..=NEAR + 3 {
        bed.load_whole(0, port, &[("both", MIB, 2)]);
    }
    let told = reload(&standing, &with_more(&bed, &[2]));
    assert_eq!(told["diff"]["summary"]["close"], 2, "{told}");
    let listeners = standing.hopper.new_listeners();
    assert_eq!(
        listeners,
        [format!("127.0.0.1:{NEAR}"), format!("127.0.0.1:{}", NEAR + 1)],
        "ports are free again"
    );
    let outcomes = download.finish();
    assert!(outcomes.iter().all(|outcome| outcome.end == "ok"), "the download was touched: {outcomes:?}");
    // Where tunnels ride the session, the clients of a forward that ends there have another.
    assert_eq!(bed.logins(3), 1, "{}", standing.run.stderr());
    assert_eq!(reconnects(&standing), [0, 0, 0], "{}", standing.run.stderr());
    assert_eq!(inode(&bed, NEAR), listener, "the listener was never closed");
    standing.down();
}

#[test]
fn a_host_that_changed_is_logged_in_to_again_with_what_stands_on_it() {
    let Some(bed) = Bed::line(3) else { return };
    bed.far_end(1);
    bed.far_end(3);
    let standing = Standing::on(&bed, &with_more(&bed, &[1]));
    let beside = bed.start_load(0, "127.0.0.1", NEAR + 1, &[("get", 64 * MIB, 1)]);
    let on_top = bed.start_load(0, "127.0.0.1", NEAR, &[("get", 64 * 1024 * MIB, 1)]);
    on_top.wait_until_flowing();
    let changed = with_more(&bed, &[1]).host(2, "keepalive", json!({ "interval": "2s", "max": 2 }));
    let told = reload(&standing, &changed);
    let step = |kind: &str, at: usize| told["diff"][kind][at]["step"].clone();
    assert_eq!([0, 1, 2].map(|at| step("tunnels", at)), ["keep", "change", "change"], "{told}");
    assert_eq!([0, 1].map(|at| step("forwards", at)), ["change", "keep"], "{told}");
    assert_eq!([2, 3].map(|host| bed.logins(host)), [2, 2], "{}", standing.run.stderr());
    assert_eq!(reconnects(&standing)[0], 0, "{}", standing.run.stderr());
    assert!(
        on_top.finish().iter().all(|outcome| outcome.end == "reset"),
        "a stream that was cut looks whole"
    );
    assert!(beside.finish().iter().all(|outcome| outcome.end == "ok"), "host 1 was never left");
    bed.load_whole(0, NEAR, &[("both", MIB, 2)]);
    standing.down();
}

#[test]
fn a_file_that_is_wrong_or_leads_nowhere_changes_nothing() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let standing = Standing::on(&bed, &quick(&bed));
    let download = bed.start_load(0, "127.0.0.1", NEAR, &[("get", 64 * MIB, 1)]);
    for wrong in [
        quick(&bed).host(1, "port", json!("ssh")),
        quick(&bed).top("links", json!(["local -> h1"])).host(2, "note", json!("nobody dials it")),
    ] {
        wrong.write(&bed);
        let ended = standing.hopper.run(&["reload", "bed"]);
        assert_eq!(ended.code, 10, "{}", ended.stderr);
        assert!(ended.stderr.contains("The run goes on as it was."), "{}", ended.stderr);
    }
    assert_eq!(standing.said("Not reloaded, everything stays as it was"), 2, "{}", standing.run.stderr());
    assert!(download.finish().iter().all(|outcome| outcome.end == "ok"));
    assert_eq!([1, 2].map(|host| bed.logins(host)), [1, 1]);
    standing.down();
}

#[test]
fn a_new_host_that_is_away_is_waited_for_while_the_rest_goes_on() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(1);
    bed.far_end(2);
    bed.stop_sshd(2);
    let far = |host: usize| format!("{}/127.0.0.1:{FAR}", id(host));
    let one = json!({ "one": { "listen": NEAR, "to": far(1) } });
    let two = json!({ "one": { "listen": NEAR, "to": far(1) }, "two": { "listen": NEAR + 1, "to": far(2) } });
    let standing = Standing::on(&bed, &quick(&bed).top("forwards", one));
    quick(&bed).top("forwards", two).write(&bed);
    let ended = standing.hopper.run(&["reload", "bed"]);
    assert_eq!(ended.code, 8, "{}", ended.stderr);
    assert!(ended.stderr.contains("H0601") && ended.stderr.contains("h2"), "{}", ended.stderr);
    bed.load_whole(0, NEAR, &[("both", MIB, 1)]);
    bed.start_sshd(2, "");
    standing.wait_until_restored(1);
    bed.load_whole(0, NEAR + 1, &[("both", MIB, 1)]);
    assert_eq!(reconnects(&standing), [0, 0]);
    standing.down();
}
