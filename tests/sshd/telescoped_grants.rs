//! What `plan --grants` prints for clients on hosts in between: accounts that are held to it let the plan
//! pass, and nothing else.

use super::bed::{FAR, NEAR};
use super::grants::{Page, ssh};
use super::hopper::Hopper;
use super::load::MIB;
use super::network;
use super::telescope::{assert_no_client_within, line, topology};
use super::until::SOON;

#[test]
fn accounts_held_to_the_printed_grants_let_the_plan_pass_and_nothing_else() {
    let Some(bed) = line(4) else { return };
    let (hopper, topology) = (Hopper::on(&bed), topology(&bed, 4, false));
    let page = Page::of(&hopper, &topology);
    page.authorize_up_to(&bed, 3);
    page.configure_up_to(&bed, 3, &format!("SetEnv HOME={}", bed.path("home").display()));
    hopper.up(&topology, &[]);
    bed.load_whole(0, NEAR, &[("both", MIB, 2), ("half", MIB, 1)]);
    hopper.down();
    hopper.assert_nothing_left();
    assert_no_client_within(&bed, SOON);
    // Each host opens what its neighbour's session needs, and neither another port nor another host.
    let allowed =
        [None, Some(format!("{}:22", network::name(3))), Some(format!("{}:{FAR}", network::name(4)))];
    for (host, allowed) in (1..=3).zip(allowed) {
        let name = network::name(host);
        let others = [
            "127.0.0.1:22".to_owned(),
            format!("{}:22", network::name(4)),
            format!("{}:23", network::name(3)),
        ];
        for to in others.iter().filter(|to| Some(*to) != allowed.as_ref()) {
            let refused = ssh(&hopper, host, &["-W", to, &name]);
            assert!(refused.stderr.contains("administratively prohibited"), "host {host}, {to}: {refused:?}");
        }
        let refused = ssh(&hopper, host, &["-N", "-R", "7100:127.0.0.1:9", &name]);
        assert!(refused.stderr.contains("remote port forwarding failed"), "host {host}: {refused:?}");
    }
}
