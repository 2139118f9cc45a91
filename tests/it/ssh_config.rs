//! What comes from a person's own ssh configuration, by an `ssh` that the test plays: when it is asked, what of its
//! answers is shown, and what is refused by name. The real one is asked in `tests/sshd`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::home::Home;
use super::running::Ended;

/// What the played `ssh` answers for every name, before what it is told to say of one.
const USUAL: &str = "user tester\nport 22\nserveraliveinterval 0\nserveralivecountmax 3\n\
                     identityfile ~/.ssh/id_rsa\nuserknownhostsfile /h/kh\n";

/// A home with a `~/.ssh/config`, and with an `ssh` that says these lines of these names.
fn home(answers: &[(&str, &str)]) -> Home {
    let home = Home::new();
    for folder in ["bin", "home/.ssh", "answers"] {
        fs::create_dir(home.path(folder)).expect("make a folder");
    }
    fs::write(home.path("home/.ssh/config"), "# what is in it, the played ssh knows\n")
        .expect("write a file");
    for (name, lines) in answers {
        fs::write(home.path("answers").join(name), lines).expect("write an answer");
    }
    let (asked, folder) = (home.path("asked"), home.path("answers"));
    // Whatever comes first counts, as the first value of a setting does.
    let script = format!(
        "#!/bin/sh\necho \"$@\" >> {}\nfor name; do :; done\n\
         if [ -f {folder}/$name ]; then cat {folder}/$name; else echo hostname $name; fi\n\
         [ ! -f {folder}/$name.rc ] || exit 255\nprintf '{}'\n",
        asked.display(),
        USUAL.replace('\n', "\\n"),
        folder = folder.display(),
    );
    let program = home.path("bin/ssh");
    fs::write(&program, script).expect("write a program");
    fs::set_permissions(&program, PermissionsExt::from_mode(0o700)).expect("make it one");
    home
}

fn hopper(home: &Home, words: &[&str]) -> Ended {
    let mut command: Command = home.command(words);
    command.env("PATH", format!("{}:/usr/bin:/bin", home.path("bin").display()));
    home.start_command(&mut command).ended()
}

/// What the played `ssh` was asked, a line each time; sorted, since several are asked at a time.
fn asked(home: &Home) -> Vec<String> {
    let text = fs::read_to_string(home.path("asked")).unwrap_or_default();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// The words of a text, however its lines are folded.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

const FILE: &str = r#"{ "hopper": 1, "name": "way", "hosts": { "gate": {}, "web": { "ssh": false } },
    "links": ["local -> gate -> web"], "forwards": { "web": "auto -> web:80" } }"#;

#[test]
fn nobody_is_asked_unless_told_and_plan_says_so() {
    let home = home(&[("gate", "hostname gate.example.net\n")]);
    let file = home.file("way.json", FILE);
    for verb in [["plan"].as_slice(), &["check"], &["plan", "--json"], &["graph"], &["up", "--dry-run"]] {
        let ended = hopper(&home, &[verb, &[&file]].concat()).with(0);
        assert!(!ended.stdout.contains("gate.example.net"), "{}", ended.stdout);
    }
    let said = words(&hopper(&home, &["plan", &file]).with(0).stderr);
    assert!(said.contains("up also asks your ssh configuration about gate."), "{said}");
    assert!(said.contains(&format!("hopper plan --resolve {file}")), "{said}");
    assert_eq!(hopper(&home, &["plan", &file, "--json"]).json()["not_looked_up"][0], "gate");
    assert_eq!(asked(&home), Vec::<String>::new());
}

#[test]
fn a_plan_that_is_told_to_shows_what_up_would_do() {
    let answer = "hostname gate.example.net\nuser bob\nport 2222\nidentityfile ~/.ssh/work\n\
                  serveraliveinterval 30\nhostkeyalias gate-key\n";
    let home = home(&[("gate", answer)]);
    let file = home.file("way.json", FILE);
    let ended = hopper(&home, &["plan", &file, "--resolve"]).with(0);
    assert!(ended.stdout.contains("bob@gate.example.net:2222"), "{}", ended.stdout);
    let said = words(&ended.stderr);
    let wanted = "gate: HostName, User, Port, IdentityFile, HostKeyAlias, ServerAliveInterval from your ssh configuration";
    assert!(said.contains(wanted) && !said.contains("up also asks"), "{said}");
    let config = home.path("home/.ssh/config");
    let wanted = ["-G -F none -- hopper".to_owned(), format!("-G -F {} -- gate", config.display())];
    let mut wanted = wanted.to_vec();
    wanted.sort();
    assert_eq!(asked(&home), wanted);

    let plan = hopper(&home, &["plan", &file, "--resolve", "--json"]).json();
    assert_eq!(plan["not_looked_up"].as_array().map(Vec::len), Some(0));
    let settings = &plan["tunnels"][0]["settings"];
    assert_eq!(settings["identities"][0], "~/.ssh/work");
    assert_eq!(settings["keepalive"]["interval_ms"], 30000);

    let script = hopper(&home, &["plan", &file, "--resolve", "--ssh"]).with(0).stdout;
    for option in
        ["-F none", "-p 2222", "HostKeyAlias=gate-key", "ServerAliveInterval=30", "bob@gate.example.net"]
    {
        assert!(script.contains(option), "no {option} in {script}");
    }
    assert!(script.contains("-i '~/.ssh/work'") || script.contains("-i ~/.ssh/work"), "{script}");
}

#[test]
fn what_the_file_says_is_told_to_ssh_and_stays() {
    let home = home(&[("work-gate", "hostname gate.example.net\nuser bob\nport 2222\n")]);
    let file = FILE.replace("{}", r#"{ "user": "ann", "port": 7, "ssh_config": "work-gate" }"#);
    let file = home.file("way.json", file);
    let ended = hopper(&home, &["plan", &file, "--resolve"]).with(0);
    assert!(ended.stdout.contains("ann@gate.example.net:7"), "{}", ended.stdout);
    let is_it = |line: &String| line.ends_with("-l ann -p 7 -- work-gate");
    assert!(asked(&home).iter().any(is_it), "{:?}", asked(&home));
}

#[test]
fn whoever_is_switched_off_is_not_asked_for_and_neither_is_the_lab() {
    let home = home(&[("gate", "hostname gate.example.net\n")]);
    let off = home.file("off.json", FILE.replace("{}", r#"{ "ssh_config": false }"#));
    let ended = hopper(&home, &["plan", &off, "--resolve"]).with(0);
    assert!(ended.stdout.contains("gate:22") && !ended.stderr.contains("looked up"), "{}", ended.stderr);
    let file = home.file("way.json", FILE);
    hopper(&home, &["up", &file, "--lab", "-d"]).with(0);
    hopper(&home, &["down", "way"]).with(0);
    assert_eq!(asked(&home), Vec::<String>::new());
    hopper(&home, &["up", &file, "--lab", "--resolve"]).with(2);
}

#[test]
fn a_jump_becomes_a_route() {
    let home = home(&[
        ("db", "hostname db\nproxyjump bastion\n"),
        ("bastion", "hostname bastion.example.net\nuser bob\n"),
    ]);
    let file = r#"{ "hopper": 1, "name": "db", "hosts": { "db": {} },
                    "forwards": { "db": "auto -> db/127.0.0.1:5432" } }"#;
    let file = home.file("db.json", file);
    let without = hopper(&home, &["check", &file]).with(10);
    assert!(words(&without.stderr).contains("up also asks your ssh configuration"), "{}", without.stderr);
    hopper(&home, &["check", &file, "--resolve"]).with(0);
    let plan = hopper(&home, &["plan", &file, "--resolve", "--json"]).json();
    assert_eq!(plan["forwards"][0]["route"], serde_json::json!(["local", "bastion", "db"]));
    assert_eq!(plan["tunnels"][0]["address"], "bastion.example.net:22");
}

#[test]
fn a_host_that_only_a_command_reaches_is_refused_by_name() {
    let home = home(&[("gate", "hostname gate\nproxycommand nc -X connect -x me:secret@proxy:8080 %h %p\n")]);
    let file = home.file("way.json", FILE);
    for words_ in [["plan", &file, "--resolve"].as_slice(), &["up", &file], &["check", &file, "--resolve"]] {
        let ended = hopper(&home, words_).with(10);
        for word in ["H0312", "gate", "ProxyCommand", "nc", "ProxyJump", "\"ssh_config\": false"] {
            assert!(words(&ended.stderr).contains(word), "does not say {word}: {}", ended.stderr);
        }
        assert!(!ended.stderr.contains("secret"), "{}", ended.stderr);
    }
    let before =
        self::home(&[("gate", "hostname gate\nproxycommand PROXY_PASSWORD=secret nc proxy %h %p\n")]);
    let set_before = before.file("way.json", FILE);
    for words_ in [
        ["plan", &set_before, "--resolve"].as_slice(),
        &["plan", &set_before, "--resolve", "--json"],
        &["up", &set_before],
    ] {
        let ended = hopper(&before, words_).with(10);
        let all = format!("{}{}", ended.stdout, ended.stderr);
        assert!(words(&all).contains("nc …") && !all.contains("secret"), "{all}");
    }
    // Somebody else dials it: the command is how local would.
    let deeper = r#"{ "hopper": 1, "hosts": { "gate": {}, "outer": {} }, "links": ["local -> outer -> gate"],
                      "forwards": { "web": "auto -> gate/127.0.0.1:80" } }"#;
    let deeper = home.file("deeper.json", deeper);
    hopper(&home, &["plan", &deeper, "--resolve"]).with(0);
}

#[test]
fn a_configuration_that_ssh_cannot_read_is_told() {
    let home = home(&[("gate.rc", ""), ("gate", "")]);
    let file = home.file("way.json", FILE);
    let ended = hopper(&home, &["plan", &file, "--resolve", "--json"]).with(10);
    assert_eq!(ended.json()["code"], "H0311");
    let ended = hopper(&home, &["up", &file, "--progress", "plain"]).with(10);
    assert!(ended.stderr.contains("H0311") && ended.stderr.contains("ssh -G gate"), "{}", ended.stderr);
}

#[test]
fn an_answer_is_foreign_text() {
    let home = home(&[("gate", "hostname -oProxyCommand=id\nuser \u{1b}[2J\n")]);
    let file = home.file("way.json", FILE);
    let ended = hopper(&home, &["plan", &file, "--resolve"]).with(10);
    assert!(ended.stderr.contains("H0311") && !ended.stderr.contains('\u{1b}'), "{}", ended.stderr);
}

#[test]
fn jumps_in_a_circle_are_told() {
    let home = home(&[
        ("gate", "hostname gate\nproxyjump b\n"),
        ("b", "hostname b\nproxyjump c\n"),
        ("c", "hostname c\nproxyjump b\n"),
    ]);
    let file = home.file("way.json", FILE.replace("local -> gate -> web", "gate -> web"));
    let ended = hopper(&home, &["plan", &file, "--resolve"]).with(10);
    assert!(words(&ended.stderr).contains("go in a circle: b through c through b"), "{}", ended.stderr);
}

/// Runs hopper where no `ssh` can be found.
fn without_ssh(home: &Home, words: &[&str]) -> Ended {
    let mut command = home.command(words);
    command.env("PATH", home.path("nothing"));
    home.start_command(&mut command).ended()
}

#[test]
fn without_any_ssh_the_configuration_is_read_all_the_same() {
    let home = home(&[]);
    let config = "Match host nowhere exec false\n  User eve\nHost gate work\n  HostName gate.example.net\n  User bob\n  \
                  Port=2222\nInclude more\n";
    fs::write(home.path("home/.ssh/config"), config).expect("write a configuration");
    fs::write(home.path("home/.ssh/more"), "Host *\n  IdentityFile ~/.ssh/for_%h\n  ProxyJump none\n")
        .expect("write a configuration");
    let alias = FILE.replace("{}", r#"{ "ssh_config": "work" }"#);
    for (name, text) in [("way.json", FILE), ("alias.json", alias.as_str())] {
        let file = home.file(name, text);
        let ended = without_ssh(&home, &["plan", &file, "--resolve"]).with(0);
        assert!(ended.stdout.contains("bob@gate.example.net:2222"), "{}", ended.stdout);
        assert!(
            words(&ended.stderr).contains("hopper read your ssh configuration by itself"),
            "{}",
            ended.stderr
        );
        let plan = without_ssh(&home, &["plan", &file, "--resolve", "--json"]).json();
        let key = &plan["tunnels"][0]["settings"]["identities"][0];
        assert_eq!(key, "~/.ssh/for_gate.example.net");
    }
}

#[test]
fn without_any_ssh_what_cannot_be_read_as_ssh_does_is_refused_by_name() {
    let home = home(&[]);
    let config =
        "Match originalhost gate exec \"touch ran\"\n  HostName elsewhere.example.net\nHost *\n  User bob\n";
    fs::write(home.path("home/.ssh/config"), config).expect("write a configuration");
    let file = home.file("way.json", FILE);
    for words_ in [["plan", &file, "--resolve"].as_slice(), &["up", &file, "--progress", "plain"]] {
        let ended = without_ssh(&home, words_).with(10);
        let said = words(&ended.stderr);
        for word in
            ["H0311", "for gate", "config:2", "Match exec", "install OpenSSH", "\"ssh_config\": false"]
        {
            assert!(said.contains(word), "does not say {word}: {said}");
        }
    }
    assert!(!home.path("home/ran").exists() && !home.path("ran").exists(), "it ran");
    let off = home.file("off.json", FILE.replace("{}", r#"{ "ssh_config": false }"#));
    without_ssh(&home, &["plan", &off, "--resolve"]).with(0);
}
