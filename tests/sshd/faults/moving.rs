//! A machine whose network changes: the way to the first host is another, or gone for a while.

use std::time::{Duration, Instant};

use serde_json::json;

use super::super::bed::{Bed, NEAR};
use super::super::command::must;
use super::super::load::MIB;
use super::super::until::until;
use super::{Standing, quick};

/// Sooner than silence alone would tell, which takes three times this.
const AT_ONCE: Duration = Duration::from_secs(20);

fn ip(bed: &Bed, words: &str) {
    must(bed.on(0, "ip").args(words.split_whitespace()));
}

#[test]
fn another_way_to_the_first_host_has_everything_asked_and_a_way_that_is_gone_ends_it_at_once() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let patient = quick(&bed).hosts("keepalive", json!({ "interval": "20s", "max": 2 }));
    let standing = Standing::on(&bed, &patient);
    let changes = || standing.said("The network changed: asking everything");

    // What has nothing to do with the way there is no news, though the looks go on.
    ip(&bed, "addr add 10.99.0.1/32 dev lo");
    ip(&bed, "addr add 10.77.99.9/32 dev fore");
    until(Duration::from_secs(3), || changes() > 0);
    assert_eq!(changes(), 0, "{}", standing.run.stderr());

    // Another address is used from now on; the session goes on with its own, and answers.
    ip(&bed, "route add 10.77.1.2/32 dev fore src 10.77.99.9");
    standing.wait_for("verified", || standing.said("All answered after") == 1);
    assert_eq!((changes(), standing.said("lost")), (1, 0), "{}", standing.run.stderr());
    assert_eq!([1, 2].map(|host| bed.logins(host)), [1, 1]);
    bed.load_whole(0, NEAR, &[("both", MIB, 2)]);

    let began = Instant::now();
    ip(&bed, "link set fore down");
    standing.wait_until_lost(&bed, 1);
    assert!(began.elapsed() < AT_ONCE, "noticed after {:?}", began.elapsed());
    assert_eq!(changes(), 2, "{}", standing.run.stderr());
    ip(&bed, "link set fore up");
    standing.wait_until_restored(1);
    assert_eq!([1, 2].map(|host| bed.logins(host)), [2, 2]);
    bed.load_whole(0, NEAR, &[("both", MIB, 2)]);
    standing.down();
}
