//! One line of the bars: a tunnel or a forward on its way up. A value and how it looks; knows no terminal.

use std::time::{Duration, Instant};

use super::style::{Style, Tone, columns, cut, pad};
use super::words::took;
use crate::engine::Stage;

/// Columns of the gauge: two for each stage.
const GAUGE: usize = 2 * Stage::ALL.len();
/// Labels longer than this are cut, so that the gauges of 80 columns stay in one line.
const LABEL: usize = 24;
/// The longest words beside a gauge.
const WORDS: usize = 18;

/// One line of the bars.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// `T1 gate-a`, or the id of a forward.
    pub(super) label: String,
    /// Where it stands.
    pub(super) now: Now,
}

/// Where a row's tunnel or forward stands.
#[derive(Debug, Clone)]
pub(super) enum Now {
    /// Waits for the tunnel with this id.
    Waits(Option<String>),
    /// A tunnel that is not opened before a forward needs it.
    Standby,
    /// A tunnel in a stage, since then.
    Stage(Stage, Instant),
    /// A forward whose far end is being asked, since then.
    Checking(Instant),
    /// A tunnel is up, after so long, with these details: algorithms and, last, the login.
    Up(Duration, String),
    /// A forward was proved: its way, and what the far end said, in wordings from long to short.
    Proved(String, Vec<String>),
    /// It failed, or what it waited for did; `true` for the one that failed itself.
    Ended(bool, Option<Stage>),
}

impl Row {
    /// Whether it moves, so that it must be drawn again and again.
    pub(super) fn moves(&self) -> bool {
        matches!(self.now, Now::Stage(..) | Now::Checking(_))
    }

    /// The columns that its label needs.
    pub(super) fn label_width(&self) -> usize {
        columns(&self.label).min(LABEL)
    }

    /// The line at a moment, with labels this wide, within the style's width.
    pub(super) fn line(&self, style: Style, label: usize, at: Instant) -> String {
        let since = |start: Instant| at.saturating_duration_since(start);
        let head = |tone, mark: &str| {
            let name = pad(&cut(&self.label, label), label);
            format!(" {} {name} ", style.paint(tone, mark))
        };
        let ok = style.pick("✔", "+");
        // One column less: a full line makes some terminals wrap.
        let width = style.width - 1;
        // After the mark, the label and the spaces around them.
        let room = width.saturating_sub(label + 4);
        let line = match &self.now {
            Now::Waits(below) => {
                let words = below.as_ref().map_or("waits".to_owned(), |below| format!("waits for {below}"));
                let tail = style.paint(Tone::Dim, &format!("{} {words}", gauge(style, 0, false)));
                head(Tone::Dim, style.pick("·", ".")) + &tail
            }
            Now::Standby => {
                let tail = style.paint(Tone::Dim, &format!("{} stands by", gauge(style, 0, false)));
                head(Tone::Dim, style.pick("·", ".")) + &tail
            }
            Now::Stage(stage, start) => {
                let done = done(*stage);
                let gauge = style.paint(Tone::Busy, &gauge(style, done, true));
                let time = running(since(*start));
                let words = pad(doing(*stage), WORDS);
                format!("{}{gauge} {words}{time:>8}", head(Tone::Busy, spinner(style, since(*start))))
            }
            Now::Checking(start) => {
                let gauge = style.paint(Tone::Busy, &gauge(style, Stage::ALL.len() - 1, true));
                let time = running(since(*start));
                let words = pad("asking the far end", WORDS);
                format!("{}{gauge} {words}{time:>8}", head(Tone::Busy, spinner(style, since(*start))))
            }
            Now::Up(elapsed, detail) => {
                let gauge = style.paint(Tone::Good, &gauge(style, Stage::ALL.len(), false));
                let (words, time) = (pad("up", WORDS), took(*elapsed));
                let room = room.saturating_sub(GAUGE + 1 + WORDS + 8 + 3);
                let detail = style.paint(Tone::Dim, &fitting(detail, room));
                format!("{}{gauge} {words}{time:>8}   {detail}", head(Tone::Good, ok))
            }
            Now::Proved(way, wordings) => {
                let room = room.saturating_sub(columns(way) + 3);
                let said = wordings.iter().find(|said| columns(said) <= room);
                let said = said.map_or(String::new(), |said| format!("   {said}"));
                format!("{}{way}{said}", head(Tone::Good, ok))
            }
            Now::Ended(true, stage) => {
                let gauge = style.paint(Tone::Bad, &gauge(style, stage.map_or(0, done), false));
                let words = stage.map_or("failed".to_owned(), |stage| format!("failed: {}", stage.as_str()));
                format!("{}{gauge} {words}", head(Tone::Bad, style.pick("✘", "x")))
            }
            Now::Ended(false, stage) => {
                let gauge = gauge(style, stage.map_or(0, done), false);
                let words =
                    stage.map_or("not reached".to_owned(), |stage| format!("stopped: {}", stage.as_str()));
                let tail = style.paint(Tone::Dim, &format!("{gauge} {words}"));
                head(Tone::Dim, style.pick("·", ".")) + &tail
            }
        };
        cut(&line, width).trim_end().to_owned()
    }
}

/// As much of `kex · cipher · login` as fits whole: the login first, since that is what a person chose.
fn fitting(detail: &str, room: usize) -> String {
    let mut parts: Vec<&str> = detail.split(" · ").collect();
    parts.rotate_right(1);
    let login = parts.remove(0);
    let mut kept = String::new();
    let mut take = |gap: &str, word: &str| {
        let gap = if kept.is_empty() { "" } else { gap };
        let fits = columns(&kept) + columns(gap) + columns(word) <= room;
        if fits {
            kept.push_str(gap);
            kept.push_str(word);
        }
        fits
    };
    // Method, kind of key, fingerprint: each says more of the one before it.
    let _ = login.split(' ').all(|word| take(" ", word));
    // The cipher tells more than the key exchange.
    for part in parts.iter().rev() {
        take(" · ", part);
    }
    kept
}

fn done(stage: Stage) -> usize {
    Stage::ALL.iter().position(|each| *each == stage).unwrap_or(0)
}

fn doing(stage: Stage) -> &'static str {
    match stage {
        Stage::Connect => "connecting",
        Stage::Banner => "awaiting banner",
        Stage::Keys => "exchanging keys",
        Stage::Login => "logging in",
        Stage::Forward => "opening forwards",
    }
}

fn gauge(style: Style, done: usize, busy: bool) -> String {
    let filled = 2 * done;
    let head = if busy { style.pick("╸", ">") } else { "" };
    let rest = GAUGE - filled - usize::from(busy);
    format!("{}{head}{}", style.pick("━", "=").repeat(filled), style.pick("─", "-").repeat(rest))
}

fn spinner(style: Style, since: Duration) -> &'static str {
    const FRAMES: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
    const ASCII: [&str; 4] = ["|", "/", "-", "\\"];
    let step = usize::try_from(since.as_millis() / 100).unwrap_or(0);
    if style.unicode { FRAMES[step % FRAMES.len()] } else { ASCII[step % ASCII.len()] }
}

/// Tenths from the start: milliseconds would flicker.
fn running(since: Duration) -> String {
    if since.as_secs() < 60 { format!("{:.1} s", since.as_secs_f64()) } else { took(since) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDE: Style = Style { colour: false, unicode: true, width: 80 };

    const DETAIL: &str = "mlkem768x25519-sha256 · aes256-gcm@openssh.com · agent ssh-ed25519 SHA256:p3Fq";

    fn line(now: Now, style: Style, start: Instant) -> String {
        Row { label: "T2 gate-b".to_owned(), now }.line(style, 11, start + Duration::from_millis(420))
    }

    #[test]
    fn every_state_has_its_line() {
        let at = Instant::now();
        let lines = [
            Now::Waits(Some("T1".to_owned())),
            Now::Stage(Stage::Connect, at),
            Now::Stage(Stage::Login, at),
            Now::Up(Duration::from_millis(182), DETAIL.to_owned()),
            Now::Checking(at),
            Now::Proved("127.0.0.1:5900 → vnc:5900".to_owned(), vec!["answered in 74 ms".to_owned()]),
            Now::Ended(true, Some(Stage::Login)),
            Now::Ended(false, Some(Stage::Banner)),
            Now::Ended(false, None),
        ]
        .map(|now| line(now, WIDE, at));
        assert_eq!(
            lines.join("\n"),
            " · T2 gate-b   ────────── waits for T1\n \
             ⠼ T2 gate-b   ╸───────── connecting           0.4 s\n \
             ⠼ T2 gate-b   ━━━━━━╸─── logging in           0.4 s\n \
             ✔ T2 gate-b   ━━━━━━━━━━ up                  182 ms   agent ssh-ed25519\n \
             ⠼ T2 gate-b   ━━━━━━━━╸─ asking the far end   0.4 s\n \
             ✔ T2 gate-b   127.0.0.1:5900 → vnc:5900   answered in 74 ms\n \
             ✘ T2 gate-b   ━━━━━━──── failed: login\n \
             · T2 gate-b   ━━──────── stopped: banner\n \
             · T2 gate-b   ────────── not reached"
        );
    }

    #[test]
    fn details_are_whole_or_not_there_and_the_login_comes_first() {
        let cipher = "agent ssh-ed25519 SHA256:p3Fq · aes256-gcm@openssh.com";
        let all = format!("{cipher} · mlkem768x25519-sha256");
        for (room, fits) in [(4, ""), (16, "agent"), (17, "agent ssh-ed25519"), (54, cipher), (78, &all)] {
            assert_eq!(fitting(DETAIL, room), fits, "{room}");
        }
        let at = Instant::now();
        let wordings = ["answered \"HTTP/1.1 200 OK\" in 1 ms", "answered in 1 ms"].map(str::to_owned);
        let way = "127.0.0.1:8081 → intranet:80".to_owned();
        let proved = |width| {
            line(Now::Proved(way.clone(), wordings.to_vec()), Style { width, ..WIDE }, at).trim().to_owned()
        };
        assert!(proved(85).ends_with("200 OK\" in 1 ms"), "{}", proved(85));
        assert!(proved(70).ends_with("intranet:80   answered in 1 ms"), "{}", proved(70));
        assert!(proved(50).ends_with("intranet:80"), "{}", proved(50));
    }

    #[test]
    fn in_ascii_there_is_nothing_else_and_no_line_is_too_long() {
        let at = Instant::now();
        let text = line(Now::Stage(Stage::Login, at), Style::PLAIN, at);
        assert_eq!(text, " | T2 gate-b   ======>--- logging in           0.4 s");
        let up = Now::Up(Duration::from_secs(1), "agent".to_owned());
        let colours = Style { colour: true, unicode: true, width: 40 };
        let wide = Style { colour: true, ..WIDE };
        let fits =
            |style| line(Now::Up(Duration::ZERO, DETAIL.to_owned()), style, at).contains("ssh-ed25519");
        assert!(fits(WIDE) && fits(wide), "colours take no room");
        let text = line(up, colours, at);
        assert_eq!(
            text.matches("\x1b[0m").count(),
            text.matches("\x1b[3").count(),
            "every colour ends: {text:?}"
        );
        assert!(text.starts_with(" \x1b[32m✔\x1b[0m T2"));
    }
}
