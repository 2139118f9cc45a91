//! What is drawn as SVG is well-formed, needs nothing from outside, and no text lies on another.

use std::fs;

use super::files::{FOLDERS, topologies};
use super::home::Home;

/// An element of a picture: its name, its attributes, and the text behind it.
struct Element<'s> {
    name: &'s str,
    attributes: Vec<(&'s str, &'s str)>,
    text: &'s str,
}

impl Element<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
    }

    fn number(&self, name: &str) -> f64 {
        self.get(name).and_then(|value| value.parse().ok()).unwrap_or(0.0)
    }
}

/// Reads XML as far as hopper writes it. Panics at whatever is not well-formed.
#[track_caller]
fn read(xml: &str) -> Vec<Element<'_>> {
    let (mut elements, mut open) = (Vec::new(), Vec::new());
    let mut pieces = xml.split('<');
    assert_eq!(pieces.next(), Some(""), "text before the first tag");
    for piece in pieces {
        let (tag, text) = piece.split_once('>').unwrap_or_else(|| panic!("a tag without an end: {piece}"));
        assert!(!text.contains('>'), "a bare > in {text:?}");
        for after in piece.split('&').skip(1) {
            let known = ["amp;", "lt;", "gt;", "quot;", "#39;"];
            assert!(known.iter().any(|entity| after.starts_with(entity)), "a bare & in {piece:?}");
        }
        let (tag, alone) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "tags are not balanced");
            continue;
        }
        let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
        assert!(!name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase()), "{name:?} is no name");
        let mut attributes = Vec::new();
        while let Some((key, after)) = rest.trim_start().split_once("=\"") {
            let (value, after) = after.split_once('"').unwrap_or_else(|| panic!("no end of {key} in {tag}"));
            assert!(attributes.iter().all(|(other, _)| *other != key), "{key} twice in {tag}");
            attributes.push((key, value));
            rest = after;
        }
        assert_eq!(rest.trim(), "", "in {tag}");
        if !alone {
            open.push(name);
        }
        elements.push(Element { name, attributes, text });
    }
    assert_eq!(open, Vec::<&str>::new(), "left open");
    elements
}

/// Left, top, right, bottom.
type Area = [f64; 4];

/// Where a text is, if every character is as wide as 12 pixels' monospace makes it.
fn area(text: &Element<'_>) -> Area {
    let plain = ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"]
        .iter()
        .fold(text.text.to_owned(), |text, entity| text.replace(entity, "x"));
    let columns: u32 = plain.chars().map(|c| if c > '\u{2e80}' { 2 } else { 1 }).sum();
    let wide = f64::from(columns) * 7.25;
    let left = text.number("x") - if text.get("text-anchor") == Some("middle") { wide / 2.0 } else { 0.0 };
    [left, text.number("y") - 10.0, left + wide, text.number("y") + 3.0]
}

fn overlap(a: &Area, b: &Area) -> bool {
    a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}

/// Insists that every text has a place of its own, within the picture.
#[track_caller]
fn assert_legible(svg: &str, whose: &str) {
    let elements = read(svg);
    let (width, height) = (elements[0].number("width"), elements[0].number("height"));
    let texts: Vec<_> =
        elements.iter().filter(|one| one.name == "text").map(|one| (area(one), one)).collect();
    assert!(texts.len() > 2, "{whose}: {svg}");
    for (at, (place, text)) in texts.iter().enumerate() {
        let [left, top, right, bottom] = *place;
        let inside = left >= 0.0 && top >= 0.0 && right <= width && bottom <= height;
        assert!(inside, "{whose}: {:?} leaves the picture", text.text);
        for (other, beside) in &texts[at + 1..] {
            assert!(!overlap(place, other), "{whose}: {:?} lies on {:?}", text.text, beside.text);
        }
    }
    let hosts = elements.iter().filter(|one| one.get("class").is_some_and(|class| class.starts_with("box")));
    for host in hosts {
        let (x, y) = (host.number("x"), host.number("y"));
        let place = [x, y, x + host.number("width"), y + host.number("height")];
        let labels = texts.iter().filter(|(_, text)| text.get("class").is_some_and(|c| c.starts_with('l')));
        for (label, text) in labels {
            assert!(!overlap(&place, label), "{whose}: {:?} lies on a host", text.text);
        }
    }
}

/// Insists that a picture runs nothing and fetches nothing.
#[track_caller]
fn assert_alone(svg: &str) {
    let elements = read(svg);
    let known = ["svg", "title", "desc", "style", "rect", "text", "tspan", "path", "polygon"];
    assert!(elements.iter().all(|one| known.contains(&one.name)), "{svg}");
    let attributes = elements.iter().flat_map(|one| &one.attributes);
    for (key, value) in attributes {
        assert!(!key.starts_with("on") && !key.ends_with("href") && !value.contains("url("), "{key}={value}");
    }
    let style = elements.iter().find(|one| one.name == "style").expect("a style").text;
    assert!(!style.contains("url(") && !style.contains("@import"), "{style}");
    assert!(style.contains("prefers-color-scheme:dark"), "{style}");
}

#[test]
fn every_plan_is_a_legible_picture_that_needs_nothing_else() {
    let home = Home::new();
    for file in FOLDERS.into_iter().flat_map(topologies) {
        let svg = home.run(&["plan", &file, "--svg"]).with(0).stdout;
        assert_alone(&svg);
        assert_legible(&svg, &file);
        let svg = home.run(&["graph", &file, "--svg"]).with(0).stdout;
        assert_alone(&svg);
        assert_legible(&svg, &file);
    }
}

#[test]
fn what_a_file_says_is_never_markup() {
    let home = Home::new();
    let text = fs::read_to_string(super::home::root().join("topologies/smallest.json")).expect("a topology");
    let hostile = text.replace(
        r#""web.example.net""#,
        r#""web.example.net", "label": "</text><script href='x'>&lt;]]><!-- \" onload=\"x""#,
    );
    assert_ne!(hostile, text);
    let svg = home.run(&["plan", &home.file("hostile.json", hostile), "--svg"]).with(0).stdout;
    assert_alone(&svg);
    assert_legible(&svg, "hostile.json");
    assert!(svg.contains("&lt;/text&gt;&lt;script"), "{svg}");
}
