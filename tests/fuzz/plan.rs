//! Fuzz target: topologies that are mostly well formed, so that the planner and everything that shows plans
//! is reached at every step.

#![no_main]

mod forms;

use arbitrary::{Result, Unstructured};
use hopper::topology::parse;
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};

const PORTS: [u16; 6] = [22, 80, 443, 2222, 5900, 65535];
const WORDS: [&str; 10] =
    ["a b", "\u{1b}[2J", "'", "\"", "`id`", "$(id)", "-oProxyCommand=id", "größe\u{202e}", "%h", "<b>&"];

fuzz_target!(|data: &[u8]| {
    let Ok(value) = topology(&mut Unstructured::new(data)) else { return };
    if let Ok(topology) = parse(&value.to_string(), "fuzzed") {
        forms::show_all(&topology);
    }
});

fn topology(from: &mut Unstructured<'_>) -> Result<Value> {
    let hosts = from.int_in_range(1..=12)?;
    let walls = from.int_in_range(0..=3)?;
    let mut file = Map::new();
    file.insert("hopper".into(), json!(1));
    file.insert("firewalls".into(), each(walls, "w", || wall(from))?);
    file.insert("hosts".into(), each(hosts, "h", || host(from))?);
    let links: Result<Vec<Value>> =
        (0..from.int_in_range(0..=30)?).map(|_| link(from, hosts, walls)).collect();
    file.insert("links".into(), Value::Array(links?));
    let forwards = from.int_in_range(1..=4)?;
    file.insert("forwards".into(), each(forwards, "f", || forward(from, hosts))?);
    if from.ratio(1, 3)? {
        file.insert("policy".into(), json!({ "strategy": "telescoped" }));
    }
    Ok(Value::Object(file))
}

fn each(count: usize, prefix: &str, mut make: impl FnMut() -> Result<Value>) -> Result<Value> {
    let made: Result<Map<String, Value>> =
        (0..count).map(|n| Ok((format!("{prefix}{n}"), make()?))).collect();
    Ok(Value::Object(made?))
}

fn wall(from: &mut Unstructured<'_>) -> Result<Value> {
    let mut wall = Map::new();
    for key in ["allow", "deny"] {
        if from.ratio(1, 2)? {
            wall.insert(key.into(), ports(from)?);
        }
    }
    Ok(Value::Object(wall))
}

fn ports(from: &mut Unstructured<'_>) -> Result<Value> {
    let (one, first): (u16, u16) = (*from.choose(&PORTS)?, from.arbitrary()?);
    let range = format!("{first}-{}", first.saturating_add(from.arbitrary::<u8>()?.into()));
    Ok(if from.ratio(1, 2)? { json!([one]) } else { json!([one, range]) })
}

fn host(from: &mut Unstructured<'_>) -> Result<Value> {
    let mut host = Map::new();
    if from.ratio(1, 3)? {
        host.insert("ssh".into(), json!(false));
    }
    if from.ratio(1, 3)? {
        host.insert(
            "address".into(),
            json!(*from.choose(&["10.0.0.1", "[fd00::1]:2222", "x.example.net:80"])?),
        );
    }
    if from.ratio(1, 2)? {
        host.insert("client".into(), json!(*from.choose(&["exec", "hopper"])?));
    }
    if from.ratio(1, 4)? {
        host.insert("bind".into(), json!("any"));
    }
    for key in ["user", "label", "note"] {
        if from.ratio(1, 8)? {
            host.insert(key.into(), json!(*from.choose(&WORDS)?));
        }
    }
    Ok(Value::Object(host))
}

fn name(from: &mut Unstructured<'_>, hosts: usize) -> Result<String> {
    let n = from.int_in_range(0..=hosts)?;
    Ok(if n == hosts { "local".to_owned() } else { format!("h{n}") })
}

fn link(from: &mut Unstructured<'_>, hosts: usize, walls: usize) -> Result<Value> {
    if from.ratio(1, 3)? {
        let names: Result<Vec<String>> = (0..from.int_in_range(2..=6)?).map(|_| name(from, hosts)).collect();
        return Ok(json!(names?.join(" -> ")));
    }
    let mut link = Map::new();
    link.insert("from".into(), json!(name(from, hosts)?));
    link.insert("to".into(), json!(name(from, hosts)?));
    if from.ratio(1, 3)? {
        link.insert("ports".into(), ports(from)?);
    }
    if walls > 0 && from.ratio(1, 3)? {
        link.insert("through".into(), json!([format!("w{}", from.int_in_range(0..=walls - 1)?)]));
    }
    if from.ratio(1, 4)? {
        link.insert("dial".into(), json!(*from.choose(&["192.0.2.7", "192.0.2.7:2200", "[::1]:22"])?));
    }
    if from.ratio(1, 4)? {
        link.insert("cost".into(), json!(from.int_in_range(0..=200u32)?));
    }
    if from.ratio(1, 4)? {
        link.insert("carrier".into(), json!(*from.choose(&["port", "channel"])?));
    }
    Ok(Value::Object(link))
}

fn forward(from: &mut Unstructured<'_>, hosts: usize) -> Result<Value> {
    let (host, port) = (name(from, hosts)?, *from.choose(&PORTS)?);
    let to = match from.int_in_range(0..=3)? {
        0 => format!("{host}/127.0.0.1:{port}"),
        1 => format!("{host}//run/some.sock"),
        _ => format!("{host}:{port}"),
    };
    let listen = if from.ratio(1, 2)? { json!("auto") } else { json!(from.int_in_range(1..=65535u32)?) };
    let mut forward = Map::new();
    forward.insert("listen".into(), listen);
    forward.insert("to".into(), json!(to));
    if from.ratio(1, 4)? {
        let check = from.choose(&[r#""tcp""#, r#""none""#, r#"{"banner":"RFB "}"#, r#"{"http":"/"}"#])?;
        forward.insert("check".into(), serde_json::from_str(check).expect("JSON"));
    }
    if from.ratio(1, 4)? {
        forward.insert("plain".into(), json!("ends"));
    }
    if from.ratio(1, 8)? {
        forward.insert("protocol".into(), json!(*from.choose(&["vnc", "http", "\u{7}"])?));
    }
    Ok(Value::Object(forward))
}
