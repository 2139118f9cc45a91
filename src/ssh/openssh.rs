//! The installed `ssh`, asked what it would do: `ssh -G` prints its whole configuration for a name and contacts
//! nobody. Knows how to ask; what the answer means is read elsewhere.
//!
//! As whenever `ssh` runs, a `Match exec` of the person's configuration runs the command it names.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::task::JoinSet;

use crate::topology::{Lookup, NotUnderstood, escape};

/// The configuration to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigFile {
    /// What `ssh` reads by itself: the person's and the machine's.
    Usual,
    /// This one alone.
    This(PathBuf),
    /// None.
    Nothing,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAnswer {
    /// There is no such program.
    Missing,
    /// It cannot be started; why.
    Unstartable(String),
    /// It gave up; what it said, escaped.
    Refused(String),
    /// It did not answer within the limit.
    TimedOut(Duration),
    /// There is no `ssh`, and a file cannot be read in its place; which and why, not escaped.
    Unreadable(String),
    /// There is no `ssh`, and hopper cannot do what a file says as `ssh` would.
    NotUnderstood(NotUnderstood),
}

/// The name, the user and the port that are asked for. Equal ones are asked for once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Question {
    name: String,
    user: Option<String>,
    port: Option<u16>,
}

/// The installed `ssh`, with what it answered so far.
#[derive(Debug)]
pub struct OpenSsh {
    program: PathBuf,
    config: ConfigFile,
    limit: Duration,
    answers: HashMap<Question, Result<String, NoAnswer>>,
}

/// How long one answer may take.
const LIMIT: Duration = Duration::from_secs(5);
/// How many are asked for at a time.
const AT_A_TIME: usize = 8;
/// The most of an answer that is read, in bytes; one has about 5 KiB.
const LONGEST: u64 = 256 << 10;

impl OpenSsh {
    /// The `ssh` of the person's `PATH`, with this configuration.
    pub fn new(config: ConfigFile) -> Self {
        OpenSsh { program: PathBuf::from("ssh"), config, limit: LIMIT, answers: HashMap::new() }
    }

    /// The configuration it reads.
    pub fn config(&self) -> &ConfigFile {
        &self.config
    }

    /// What it answers without any configuration.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn without_configuration(&self) -> Result<String, NoAnswer> {
        let any = Question { name: "hopper".to_owned(), user: None, port: None };
        ask(self.command(&ConfigFile::Nothing, &any), self.limit).await
    }

    /// What it answers for each name; in the same order.
    pub async fn ask(&mut self, lookups: &[Lookup]) -> Vec<Result<String, NoAnswer>> {
        let questions: Vec<Question> = lookups.iter().map(question).collect();
        let mut asked = HashSet::new();
        let unknown = questions.iter().filter(|one| !self.answers.contains_key(one) && asked.insert(*one));
        let mut unknown = unknown.cloned().collect::<Vec<_>>().into_iter();
        let mut asking = JoinSet::new();
        loop {
            while asking.len() < AT_A_TIME
                && let Some(question) = unknown.next()
            {
                let (command, limit) = (self.command(&self.config, &question), self.limit);
                asking.spawn(async move { (question, ask(command, limit).await) });
            }
            match asking.join_next().await {
                Some(Ok((question, answer))) => drop(self.answers.insert(question, answer)),
                Some(Err(error)) => tracing::error!(%error, "asking ssh broke"),
                None => break,
            }
        }
        let broke = || Err(NoAnswer::Unstartable("hopper itself broke".to_owned()));
        questions.iter().map(|one| self.answers.get(one).cloned().unwrap_or_else(broke)).collect()
    }

    /// Argument by argument, never through a shell; the name cannot be taken for an option.
    fn command(&self, config: &ConfigFile, question: &Question) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("-G");
        match config {
            ConfigFile::Usual => {}
            ConfigFile::This(file) => drop(command.arg("-F").arg(file)),
            ConfigFile::Nothing => drop(command.args(["-F", "none"])),
        }
        if let Some(user) = &question.user {
            command.arg("-l").arg(user);
        }
        if let Some(port) = question.port {
            command.arg("-p").arg(port.to_string());
        }
        command.arg("--").arg(&question.name);
        command
    }
}

fn question(lookup: &Lookup) -> Question {
    Question { name: lookup.name.clone(), user: lookup.user.clone(), port: lookup.port }
}

async fn ask(mut command: Command, limit: Duration) -> Result<String, NoAnswer> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => NoAnswer::Missing,
        _ => NoAnswer::Unstartable(error.to_string()),
    })?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let answering = async {
        // Both at once: whoever is not read from waits for ever.
        let (out, err) = tokio::join!(text(out), text(err));
        (child.wait().await, out, err)
    };
    match tokio::time::timeout(limit, answering).await {
        Err(_) => Err(NoAnswer::TimedOut(limit)),
        Ok((Ok(status), out, _)) if status.success() => Ok(out),
        Ok((Ok(_), _, err)) => Err(NoAnswer::Refused(escape(err.trim()))),
        Ok((Err(error), ..)) => Err(NoAnswer::Unstartable(error.to_string())),
    }
}

/// What comes from a pipe, up to the limit. What is cut off or cannot be read is missing there, and read as such.
async fn text(pipe: Option<impl AsyncRead + Unpin>) -> String {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe
        && let Err(error) = pipe.take(LONGEST).read_to_end(&mut bytes).await
    {
        tracing::debug!(%error, "what ssh says cannot be read");
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::HostId;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    /// An `ssh` of the test's own: a script that notes its arguments, a line each run.
    fn played(folder: &Path, script: &str) -> OpenSsh {
        let program = folder.join("ssh");
        let notes = folder.join("asked");
        std::fs::write(&program, format!("#!/bin/sh\necho \"$@\" >> {}\n{script}\n", notes.display()))
            .unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
        OpenSsh { program, ..OpenSsh::new(ConfigFile::This("/my/config".into())) }
    }

    fn lookup(name: &str) -> Lookup {
        Lookup { host: HostId::new("h"), name: name.to_owned(), user: Some("ann".to_owned()), port: Some(7) }
    }

    #[tokio::test]
    async fn each_name_is_asked_for_once_argument_by_argument() {
        let folder = tempfile::tempdir().unwrap();
        let mut ssh = played(folder.path(), "echo hostname x");
        for _ in 0..2 {
            let answers = ssh.ask(&[lookup("gate"), lookup("gate")]).await;
            assert_eq!(answers, [Ok("hostname x\n".to_owned()), Ok("hostname x\n".to_owned())]);
        }
        ssh.without_configuration().await.unwrap();
        let asked = std::fs::read_to_string(folder.path().join("asked")).unwrap();
        assert_eq!(asked, "-G -F /my/config -l ann -p 7 -- gate\n-G -F none -- hopper\n");
    }

    #[tokio::test]
    async fn what_it_says_when_it_gives_up_is_told_escaped() {
        let folder = tempfile::tempdir().unwrap();
        let mut ssh = played(folder.path(), "printf 'bad \\033[2J line' >&2; exit 255");
        let refused = NoAnswer::Refused("bad \\u{1b}[2J line".to_owned());
        assert_eq!(ssh.ask(&[lookup("gate")]).await, [Err(refused)]);
    }

    #[tokio::test]
    async fn one_that_never_answers_is_given_up_and_killed() {
        let folder = tempfile::tempdir().unwrap();
        let limit = Duration::from_millis(200);
        let mut ssh = OpenSsh { limit, ..played(folder.path(), "exec sleep 600") };
        assert_eq!(ssh.ask(&[lookup("gate")]).await, [Err(NoAnswer::TimedOut(limit))]);
    }

    #[tokio::test]
    async fn one_that_never_stops_talking_is_cut_short() {
        let folder = tempfile::tempdir().unwrap();
        let mut ssh = OpenSsh { limit: Duration::from_secs(60), ..played(folder.path(), "exec yes") };
        // Its pipe closes; it dies of that.
        assert!(matches!(ssh.ask(&[lookup("gate")]).await[0], Err(NoAnswer::Refused(_))));
    }

    #[tokio::test]
    async fn none_at_all_is_told_as_such() {
        let program = PathBuf::from("/nowhere/ssh");
        let mut ssh = OpenSsh { program, ..OpenSsh::new(ConfigFile::Usual) };
        assert_eq!(ssh.ask(&[lookup("gate")]).await, [Err(NoAnswer::Missing)]);
    }
}
