//! `hopper unlock`: a person answers a run that has no terminal.

use serde_json::json;

use super::accounts::files_with;
use super::hopper::Hopper;
use super::topology::{NAME, Topology};
use super::typed::{CANARY, carries, on_terminal, that_asks};
use super::until::{SOON, until};

/// What status says that the run waits for.
fn waits_for(hopper: &Hopper) -> Option<String> {
    let status = hopper.socket().exists().then(|| hopper.status())??;
    Some(format!("{}: {}", status["waits_for"]["host"].as_str()?, status["waits_for"]["wanted"].as_str()?))
}

#[test]
fn a_run_without_a_terminal_waits_for_unlock_and_goes_on_with_what_is_answered() {
    let Some((bed, code)) = that_asks("AuthenticationMethods publickey,keyboard-interactive", true, true)
    else {
        return;
    };
    let hopper = Hopper::on(&bed);
    let topology = Topology::line(&bed).host(2, "auth", json!(["key", "keyboard-interactive"]));
    let running = hopper.start_up(&topology, &["-d", "-vv", "--unlock-within", "50s"]);
    assert!(until(SOON, || waits_for(&hopper).is_some()), "{}", running.stderr());
    assert_eq!(waits_for(&hopper).as_deref(), Some("h2: an answer to \"Password:\""));
    let told = hopper.run(&["status", NAME]).stdout;
    assert!(told.contains("h2: waits for an answer") && told.contains("hopper unlock bed"), "{told}");
    assert!(running.stderr().contains("Answer with: hopper unlock bed"), "{}", running.stderr());
    // Nobody at a terminal there either.
    let nobody = hopper.run(&["unlock", NAME, "--json"]);
    assert_eq!(nobody.code, 4, "{nobody:?}");
    assert!(nobody.stdout.contains("H0404"), "{nobody:?}");
    let answers = [("hop 2, h2 asks: \"password:\"", CANARY), ("one-time password", &code)];
    let ended = on_terminal(&hopper, &answers, &["unlock", NAME]);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    assert!(!ended.stdout.contains(CANARY), "{}", ended.stdout);
    let up = running.ended();
    assert_eq!(up.code, 0, "{}{}", up.stderr, bed.log(2));
    assert_eq!(waits_for(&hopper), None);
    let idle = hopper.run(&["unlock"]);
    assert!(idle.code == 0 && idle.stderr.contains("bed waits for nobody"), "{idle:?}");
    carries(&hopper);
    for folder in ["state", "run", "home"] {
        let found = files_with(&bed.path(folder), CANARY);
        assert!(found.is_empty(), "{found:?}");
    }
}

#[test]
fn a_run_that_nobody_unlocks_in_time_ends_and_says_what_it_needed() {
    let Some((bed, _)) = that_asks("", true, false) else { return };
    let hopper = Hopper::on(&bed);
    let topology = Topology::line(&bed).host(2, "auth", json!(["keyboard-interactive"]));
    let ended = hopper.try_up(&topology, &["-d", "--unlock-within", "1s"]);
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    assert!(ended.stderr.contains("H0402") && ended.stderr.contains("Password:"), "{}", ended.stderr);
    hopper.assert_nothing_left();
    let nothing = hopper.run(&["unlock", NAME]);
    assert_eq!(nothing.code, 3, "{nothing:?}");
}

#[test]
fn whoever_interrupts_unlock_gets_their_terminal_back_and_the_run_waits_on() {
    let Some((bed, _)) = that_asks("", true, false) else { return };
    let hopper = Hopper::on(&bed);
    let topology = Topology::line(&bed).host(2, "auth", json!(["keyboard-interactive"]));
    let running = hopper.start_up(&topology, &["-d", "--unlock-within", "50s"]);
    assert!(until(SOON, || waits_for(&hopper).is_some()), "{}", running.stderr());
    // A Ctrl-C at the question; the shell that is left says whether it still echoes.
    let script = format!(
        "trap : INT; '{}' unlock {NAME}; echo \"exit $?\"; stty -a | grep -o '[-]*echo '",
        env!("CARGO_BIN_EXE_hopper")
    );
    let [python, terminal] = super::load::script("terminal.py");
    let mut command = bed.on(0, python);
    command.arg(terminal).args(["\"password:\"", "\x03", "0", "sh", "-c", &script]);
    let ended = hopper.start_command(&mut command).ended();
    assert!(ended.stdout.contains("exit 130") && ended.stdout.contains("\necho "), "{}", ended.stdout);
    assert!(waits_for(&hopper).is_some(), "{}", running.stderr());
    assert_eq!(on_terminal(&hopper, &[("\"password:\"", CANARY)], &["unlock"]).code, 0);
    assert_eq!(running.ended().code, 0);
    carries(&hopper);
}
