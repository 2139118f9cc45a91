//! Passwords and PAM of one host, laid over the machine's own for its sshd alone: `ip netns exec` gives
//! each program a view of the file system of its own, which is gone when the program ends, however it
//! ends. So nothing on the machine changes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::bed::Bed;
use super::command::{argv, must};

/// The key of everybody's one-time codes, in hexadecimal digits.
const CODES: &str = "3132333435363738393031323334353637383930";

impl Bed {
    /// A program on a host, which finds in `/etc` what the test put there for this host.
    pub fn with_own_accounts(&self, host: usize, program: &str) -> Command {
        let own = self.path(&format!("host{host}/etc"));
        if !own.exists() {
            return self.on(host, program);
        }
        let script =
            "for one in \"$0\"/*; do mount --bind \"$one\" \"/etc/${one##*/}\" || exit 1; done; exec \"$@\"";
        let mut command = self.on(host, "sh");
        command.arg("-c").arg(script).arg(own).arg(program);
        command
    }

    fn own(&self, host: usize, file: &str, text: &str) {
        let path = self.path(&format!("host{host}/etc/{file}"));
        fs::create_dir_all(path.parent().expect("a folder")).expect("make a folder");
        fs::write(&path, text).expect("write a file of /etc");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("close it");
    }

    /// Gives root of this host a password. Counts from the next start of its sshd.
    pub fn set_password(&self, host: usize, password: &str) {
        let script = "print crypt($ARGV[0], q($6$pepper$))";
        let hash = must(argv(&["perl", "-e", script]).arg(password));
        let shadow = fs::read_to_string("/etc/shadow").expect("read the accounts");
        let others = shadow.lines().filter(|line| !line.starts_with("root:"));
        let lines: Vec<_> =
            others.map(str::to_owned).chain([format!("root:{hash}:19000:0:99999:7:::")]).collect();
        self.own(host, "shadow", &(lines.join("\n") + "\n"));
    }

    /// Has PAM ask for the password, and then for a one-time code, as far as the words say so. Returns the
    /// code that is right now.
    pub fn ask_by_pam(&self, host: usize, password: bool, code: bool) -> String {
        let users = self.path(&format!("host{host}/codes"));
        fs::write(&users, format!("HOTP/T30/6 root - {CODES}\n")).expect("write the keys of codes");
        fs::set_permissions(&users, fs::Permissions::from_mode(0o600)).expect("close it");
        let mut stack = String::new();
        if password {
            stack += "auth requisite pam_unix.so\n";
        }
        if code {
            stack +=
                &format!("auth requisite pam_oath.so usersfile={} window=20 digits=6\n", users.display());
        }
        stack +=
            "auth required pam_permit.so\naccount required pam_permit.so\nsession required pam_permit.so\n";
        self.own(host, "pam.d/sshd", &stack);
        must(&mut argv(&["oathtool", "--totp", CODES])).trim().to_owned()
    }
}

/// Every file below a folder that holds this text.
pub fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let found = argv(&["grep", "-rlF", "--devices=skip", "-e", text]).arg(folder).output();
    let found = found.expect("run grep");
    String::from_utf8_lossy(&found.stdout).lines().map(str::to_owned).collect()
}
