//! Which lane a client gets.

use super::*;

const FREE: Standing = Standing { stalled: false, ridden: false, streams: 3 };
const STALLED: Standing = Standing { stalled: true, ..FREE };
const RIDDEN: Standing = Standing { ridden: true, ..FREE };

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
fn where_no_lane_can_be_had_a_client_goes_where_it_matters_least() {
    let ridden_and_stalled = Standing { ridden: true, ..STALLED };
    let fewer = Standing { streams: 2, ..STALLED };
    assert_eq!(choose(&[STALLED, fewer, STALLED], false), Choice::Take(1));
    assert_eq!(choose(&[ridden_and_stalled, STALLED], false), Choice::Take(1));
    assert_eq!(choose(&[RIDDEN, STALLED], false), Choice::Take(0));
}
