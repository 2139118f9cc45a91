//! The words of `hopper.status/1`.

use std::time::Duration;

use super::*;
use crate::engine::{ForwardSnapshot, ForwardState, ListenAddress, RunState, TunnelSnapshot, TunnelState};
use crate::plan::TunnelId;
use crate::topology::ForwardId;

fn snapshot() -> Snapshot {
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
    Snapshot {
        state: RunState::Up,
        since: start,
        tunnels: vec![TunnelSnapshot {
            id: TunnelId("T1".to_owned()),
            through: None,
            server: HostId::new("gate-a"),
            state: TunnelState::Up,
            rtt: Some(Duration::from_nanos(18_250_700)),
            reconnects: 1,
            lanes: 0,
            cause: None,
            code: None,
        }],
        forwards: vec![ForwardSnapshot {
            id: ForwardId("vnc".to_owned()),
            via: Some(TunnelId("T1".to_owned())),
            listen: Some(ListenAddress::here(([127, 0, 0, 1], 5901).into())),
            to: "screen:5900".to_owned(),
            protocol: Some("vnc".to_owned()),
            state: ForwardState::Up,
            clients: 2,
            connections: 7,
            bytes_up: 12,
            bytes_down: 34,
            proved_at: Some(start + Duration::from_secs(1)),
            lost: 3,
            cause: None,
            code: None,
            standby: None,
        }],
    }
}

#[test]
fn the_json_is_hopper_status_1() {
    let json = serde_json::to_string(&Status::new("office", 42, &snapshot())).unwrap();
    assert_eq!(
        json,
        concat!(
            r#"{"schema":"hopper.status/1","name":"office","state":"up","pid":42,"#,
            r#""since":"2026-09-21T14:13:20Z","tunnels":[{"id":"T1","through":null,"server":"gate-a","#,
            r#""state":"up","rtt_ms":18.251,"reconnects":1,"cause":null,"code":null}],"forwards":[{"id":"vnc","#,
            r#""via":"T1","listen":"127.0.0.1:5901","to":"screen:5900","protocol":"vnc","state":"up","#,
            r#""clients":2,"connections":7,"bytes_up":12,"bytes_down":34,"#,
            r#""proved_at":"2026-09-21T14:13:21Z","lost":3,"cause":null,"code":null}]}"#
        )
    );
}

#[test]
fn what_was_written_is_read_back_and_new_fields_do_not_disturb() {
    let status = Status::new("office", 42, &snapshot());
    let mut json = serde_json::to_value(&status).unwrap();
    json["forwards"][0]["proved_at"] = serde_json::Value::Null;
    json["of_a_later_version"] = true.into();
    let back: Status = serde_json::from_value(json).unwrap();
    assert_eq!(back.tunnels, status.tunnels);
    assert_eq!(back.forwards[0].proved_at, None);
    assert_eq!(back.since, status.since);
}
