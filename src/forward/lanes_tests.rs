//! Which lane a client gets.

use super::*;
use crate::ssh::WINDOW;

const FREE: Standing = Standing { stalled: false, ridden: false, streams: 7, window: WINDOW };
const STALLED: Standing = Standing { stalled: true, ..FREE };
const RIDDEN: Standing = Standing { ridden: true, ..FREE };
const FULL: Standing = Standing { streams: 8, ..FREE };

#[test]
fn a_client_takes_the_first_lane_where_nobody_is_behind() {
    assert_eq!(choose(&[FREE, FREE], true), Choice::Take(0));
    assert_eq!(choose(&[STALLED, FREE, FREE], true), Choice::Take(1));
    assert_eq!(choose(&[STALLED, STALLED], true), Choice::Open);
}

#[test]
fn a_session_that_tunnels_ride_is_left_to_them() {
    assert_eq!(choose(&[RIDDEN], true), Choice::Open);
    assert_eq!(choose(&[RIDDEN, FREE], true), Choice::Take(1));
    assert_eq!(choose(&[RIDDEN], false), Choice::Take(0));
}

#[test]
fn a_lane_that_carries_as_many_as_it_should_is_the_last_resort_but_for_stalled_ones() {
    assert_eq!(choose(&[FULL, FREE], true), Choice::Take(1));
    // Nobody waits for a lane where there is a little room left; but another lane is due then.
    assert!(choose(&[FULL], true) == Choice::Take(0) && !FULL.is_free());
    assert_eq!(choose(&[Standing { streams: 12, ..FREE }], true), Choice::Open);
    assert_eq!(choose(&[STALLED, FULL, RIDDEN], false), Choice::Take(1));
}

#[test]
fn where_no_lane_can_be_had_a_client_goes_where_it_matters_least() {
    let ridden_and_stalled = Standing { ridden: true, ..STALLED };
    let fewer = Standing { streams: 2, ..STALLED };
    assert_eq!(choose(&[STALLED, fewer, STALLED], false), Choice::Take(1));
    assert_eq!(choose(&[ridden_and_stalled, STALLED], false), Choice::Take(1));
    assert_eq!(choose(&[RIDDEN, STALLED], false), Choice::Take(0));
}
