//! Fetches a secret from where the topology says it is kept. Hands no secret to a program: what is run
//! prints one. Never shows what it fetched, nor what a program said when it failed.

use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::fs::OFlags;
use tokio::io::AsyncReadExt;
use tokio::process::Command;

use super::secret::Secret;
use super::trust::expand;
use crate::topology::{SecretSource, escape};

/// How long a command may take. A person that it asks in turn has to be quick.
const COMMAND_LIMIT: Duration = Duration::from_secs(60);

/// The most that is read of a file, or of what a program prints, in bytes.
const LIMIT: u64 = 64 << 10;
/// The most that it usually is.
const ROOM: usize = 4 << 10;

/// Fetches the secret. `question` is what an askpass program shows; `home` is where `~/` leads; `hidden` are the
/// environment variables that no program gets.
/// [`SecretSource::Prompt`] is not for here: the person is asked elsewhere.
///
/// # Errors
/// Why it cannot be had; escaped, and without a word of the secret.
pub(super) async fn fetch(
    source: &SecretSource,
    question: &str,
    home: Option<&Path>,
    hidden: &[String],
) -> Result<Secret, String> {
    match source {
        SecretSource::Prompt => Err("it is in nobody's keeping but the person's".to_owned()),
        SecretSource::Command(words) => {
            let [program, arguments @ ..] = words.as_slice() else {
                return Err("its command names no program".to_owned());
            };
            let program = expand(program, home);
            printed(&program, arguments, hidden, COMMAND_LIMIT).await.map_err(|why| why.to_string())
        }
        SecretSource::File(path) => {
            let path = expand(path, home);
            on_a_thread(move || file(&path, true)).await
        }
        SecretSource::Env(name) => {
            std::env::var(name).map(Secret::new).map_err(|_| format!("{} is not set", escape(name)))
        }
        SecretSource::Credential(name) => {
            let folder = std::env::var_os("CREDENTIALS_DIRECTORY").ok_or_else(|| {
                "no CREDENTIALS_DIRECTORY: systemd passes credentials to services only".to_owned()
            })?;
            // systemd keeps it readable for the service only, whoever owns it.
            let path = PathBuf::from(folder).join(name);
            on_a_thread(move || file(&path, false)).await
        }
        SecretSource::Askpass => {
            let program = std::env::var_os("SSH_ASKPASS").filter(|program| !program.is_empty());
            let program = program.ok_or_else(|| "SSH_ASKPASS names no program".to_owned())?;
            // It asks a person, who may take as long as the server does.
            let limit = Duration::from_secs(3600);
            let printed = printed(Path::new(&program), &[question.to_owned()], hidden, limit).await;
            printed.map_err(|why| why.to_string())
        }
        SecretSource::Keyring(name) => {
            let words = ["lookup", "service", "hopper", "account", name].map(str::to_owned);
            // A locked keyring may ask the person in a window of its own.
            let printed = printed(Path::new("secret-tool"), &words, hidden, COMMAND_LIMIT).await;
            printed.map_err(|why| {
                let what = match why {
                    Unprinted::NotRun(..) => "install it (Debian: libsecret-tools), then store it",
                    _ => "no keyring is there and unlocked, or it has no such entry; store it",
                };
                let entry = escape(name);
                let store = format!("secret-tool store --label={entry} service hopper account {entry}");
                format!("{why}; {what}: {store}")
            })
        }
    }
}

async fn on_a_thread(
    read: impl FnOnce() -> Result<Secret, String> + Send + 'static,
) -> Result<Secret, String> {
    tokio::task::spawn_blocking(read).await.unwrap_or_else(|error| Err(error.to_string()))
}

/// Why a program printed no secret; its name is escaped.
#[derive(Debug, thiserror::Error)]
enum Unprinted {
    #[error("{0} cannot be run: {1}")]
    NotRun(String, std::io::Error),
    #[error("{0} did not end within {1} s")]
    TooLong(String, u64),
    #[error("{0}: {1}")]
    Broken(String, std::io::Error),
    #[error("{0} ended with {1}; run it by hand to see why")]
    Failed(String, std::process::ExitStatus),
    #[error("{0} printed nothing")]
    Nothing(String),
    #[error("{0} printed no text")]
    NoText(String),
}

/// The first line that a program prints. What it says on standard error goes nowhere: it could be
/// anything, and the terminal is in use.
async fn printed(
    program: &Path,
    arguments: &[String],
    hidden: &[String],
    limit: Duration,
) -> Result<Secret, Unprinted> {
    let name = escape(&program.to_string_lossy());
    let mut command = Command::new(program);
    for name in hidden {
        command.env_remove(name);
    }
    let child = command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => return Err(Unprinted::NotRun(name, error)),
    };
    let running = async {
        // Room enough from the beginning: one that grows leaves copies behind that nobody wipes.
        let mut said = Vec::with_capacity(ROOM);
        if let Some(out) = child.stdout.take() {
            // A program that says more is left to write into a closed pipe.
            out.take(LIMIT).read_to_end(&mut said).await?;
        }
        Ok::<_, std::io::Error>((child.wait().await?, said))
    };
    let (status, said) = match tokio::time::timeout(limit, running).await {
        Err(_) => return Err(Unprinted::TooLong(name, limit.as_secs())),
        Ok(Err(error)) => return Err(Unprinted::Broken(name, error)),
        Ok(Ok(ended)) => ended,
    };
    match Secret::first_line(said) {
        _ if !status.success() => Err(Unprinted::Failed(name, status)),
        Some(secret) if !secret.expose().is_empty() => Ok(secret),
        Some(_) => Err(Unprinted::Nothing(name)),
        None => Err(Unprinted::NoText(name)),
    }
}

/// The first line of a file. With `own`, it must be the person's own and nobody else's to read.
fn file(path: &Path, own: bool) -> Result<Secret, String> {
    let name = escape(&path.to_string_lossy());
    // A pipe would keep us waiting for its other end.
    let flags = OFlags::NONBLOCK.bits() as i32;
    let file = std::fs::File::options().read(true).custom_flags(flags).open(path);
    let file = file.map_err(|error| format!("{name}: {error}"))?;
    let metadata = file.metadata().map_err(|error| format!("{name}: {error}"))?;
    if !metadata.is_file() {
        return Err(format!("{name} is no regular file"));
    }
    let mode = metadata.mode() & 0o777;
    if own && metadata.uid() != rustix::process::getuid().as_raw() {
        return Err(format!("{name} belongs to somebody else (uid {})", metadata.uid()));
    }
    if own && mode & 0o077 != 0 {
        return Err(format!("others can read {name} (mode {mode:04o}); chmod 600 it"));
    }
    let mut bytes = Vec::with_capacity(ROOM);
    file.take(LIMIT).read_to_end(&mut bytes).map_err(|error| format!("{name}: {error}"))?;
    match Secret::first_line(bytes) {
        Some(secret) if !secret.expose().is_empty() => Ok(secret),
        Some(_) => Err(format!("{name} is empty")),
        None => Err(format!("{name} is no text")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    async fn of(source: SecretSource) -> Result<String, String> {
        fetch(&source, "what?", None, &["HOPPER_TEST_UNSET".to_owned()])
            .await
            .map(|secret| secret.expose().to_owned())
    }

    fn command(words: &[&str]) -> SecretSource {
        SecretSource::Command(words.iter().map(|&word| word.to_owned()).collect())
    }

    #[tokio::test]
    async fn a_command_gives_its_first_line_and_no_shell_reads_it() {
        assert_eq!(of(command(&["printf", "%s\\nmore\\n", "$HOME; id"])).await.unwrap(), "$HOME; id");
    }

    #[tokio::test]
    async fn a_command_that_fails_is_told_without_what_it_said() {
        for (words, said) in [
            (&["sh", "-c", "echo hunter2; echo hunter2 >&2; exit 3"][..], "exit status: 3"),
            (&["true"], "printed nothing"),
            (&["no-such-program"], "cannot be run"),
            (&["printf", "\\377"], "no text"),
        ] {
            let error = of(command(words)).await.unwrap_err();
            assert!(error.contains(said) && !error.contains("hunter2"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_file_must_be_ones_own_and_closed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let source = || SecretSource::File(path.to_str().unwrap().to_owned());
        assert!(of(source()).await.unwrap_err().contains("No such file"));
        std::fs::write(&path, "hunter2\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let exposed = of(source()).await.unwrap_err();
        assert!(exposed.contains("0640") && exposed.contains("chmod 600"), "{exposed}");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(of(source()).await.unwrap(), "hunter2");
        let folder = SecretSource::File(folder.path().to_str().unwrap().to_owned());
        assert!(of(folder).await.unwrap_err().contains("no regular file"));
    }

    #[tokio::test]
    async fn what_is_not_there_is_named() {
        let unset = of(SecretSource::Env("HOPPER_TEST_UNSET".to_owned())).await.unwrap_err();
        assert_eq!(unset, "HOPPER_TEST_UNSET is not set");
    }
}
