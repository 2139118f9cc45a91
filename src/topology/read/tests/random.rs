//! Arbitrary text never panics and always points into the file; what is written of a topology is read.

use proptest::prelude::*;

use super::super::parse;
use crate::topology::Target;

/// Text that gets past the parser often: pieces of real files in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"hopper\": 1",
        "\"hosts\": {",
        "\"links\": [",
        "\"forwards\": {",
        "\"defaults\": {",
        "\"host\": {",
        "\"gate\"",
        "\"local -> gate\"",
        "\"a->b->c\"",
        "\"8080 -> gate:80\"",
        "\"to\": \"gate/[::1]:80\"",
        "\"listen\": 80",
        "null",
        "true",
        "-1",
        "1e9",
        "\"\"",
        "\"é → x\"",
        " ",
        "\n",
        "// c\n",
        "/*",
        "'",
        "\\",
        "\u{feff}",
        "\u{202e}",
        "\"password\": \"x\"",
        "\"a:b@c\"",
        "\"\\u0041\"",
        "\"",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// A whole file with arbitrary values in every place that has a grammar.
fn grammars() -> impl Strategy<Value = String> {
    let word = "[a-z0-9@:/>\\[\\]%. é\u{202e}-]{0,12}";
    (word, word, word, word).prop_map(|(host, link, listen, to)| {
        format!(
            r#"{{"hopper": 1, "hosts": {{"gate": "{host}"}}, "links": ["{link}", "local -> gate"],
                "forwards": {{"a": {{"listen": "{listen}", "to": "{to}"}}, "b": "{listen} -> {to}"}}}}"#
        )
    })
}

fn check(text: &str) -> Result<(), TestCaseError> {
    if let Err(problems) = parse(text, "corp") {
        prop_assert!(!problems.is_empty());
        for problem in &problems {
            for label in std::iter::once(&problem.label).chain(&problem.related) {
                prop_assert!(text.get(label.range.clone()).is_some(), "{text:?} {problem:?}");
            }
            prop_assert!(!problem.message.chars().any(crate::topology::is_unsafe), "{:?}", problem);
        }
        prop_assert!(problems.is_sorted_by_key(|problem| problem.label.range.start));
        let look = crate::topology::mask_secrets(text);
        prop_assert_eq!(look.len(), text.len());
    }
    Ok(())
}

proptest! {
    #[test]
    fn arbitrary_text_is_judged_without_a_panic(text in "(?s).{0,80}") {
        check(&text)?;
    }

    #[test]
    fn pieces_of_files_are_judged_without_a_panic(text in pieces()) {
        check(&text)?;
        check(&format!("{{\"hopper\": 1, {text}}}"))?;
    }

    #[test]
    fn every_grammar_judges_without_a_panic(text in grammars()) {
        check(&text)?;
    }

    #[test]
    fn what_is_written_is_read(
        ids in prop::collection::btree_set("h[a-z0-9._-]{0,10}", 2..12),
        port in 1u16..,
        listen in 1u16..,
        cost in 0u32..1_000_000,
    ) {
        let ids: Vec<String> = ids.into_iter().collect();
        let hosts: Vec<String> = ids.iter().map(|id| format!("\"{id}\": \"u@{id}.net:{port}\"")).collect();
        let links: Vec<String> = ids
            .windows(2)
            .map(|pair| format!(r#"{{"from": "{}", "to": "{}", "cost": {cost}}}"#, pair[0], pair[1]))
            .collect();
        let last = ids.last().unwrap();
        let text = format!(
            r#"{{"hopper": 1, "hosts": {{{}}}, "links": [{}], "forwards": {{"f": "{listen} -> {last}/x.y:{port}"}}}}"#,
            hosts.join(","), links.join(",")
        );
        let topology = parse(&text, "corp").map_err(|problems| TestCaseError::fail(format!("{problems:?}")))?;
        let read: Vec<String> = topology.hosts.iter().map(|host| host.id.to_string()).collect();
        prop_assert_eq!(&read, &ids);
        for host in &topology.hosts {
            prop_assert_eq!(host.address.to_string(), format!("{}.net:{port}", host.id));
        }
        prop_assert_eq!(topology.links.len(), ids.len() - 1);
        prop_assert!(topology.links.iter().all(|link| link.cost == cost));
        let Target::Within { host, endpoint } = &topology.forwards[0].to else { panic!("went into {last}") };
        prop_assert_eq!((host.as_str(), endpoint.to_string()), (last.as_str(), format!("x.y:{port}")));
        // Read again, it is the same: nothing depends on anything but the text.
        prop_assert_eq!(parse(&text, "corp").unwrap(), topology);
    }
}
