//! An ssh-agent: which keys and certificates it holds, each connection bound to one session. Never
//! trusts it to answer.

use std::path::Path;
use std::time::Duration;

use russh::keys::agent::client::AgentClient;
use russh::keys::agent::{AgentIdentity, AgentSessionBinding};
use tokio::net::UnixStream;

/// How long an agent may take to answer what it need ask nobody for.
const LIMIT: Duration = Duration::from_secs(5);

/// Connects to the agent, and tells it for which session: it then signs for this one only, and shows the
/// keys that are good for no other server (session-bind@openssh.com, PROTOCOL.agent of OpenSSH, section 1).
///
/// # Errors
/// Why it cannot be reached.
pub(super) async fn connect(
    socket: &Path,
    binding: Option<&AgentSessionBinding>,
) -> Result<AgentClient<UnixStream>, String> {
    let mut agent = within(AgentClient::connect_uds(socket)).await?;
    if let Some(binding) = binding {
        match tokio::time::timeout(LIMIT, agent.bind_session(binding, false)).await {
            Ok(Ok(())) => {}
            // Other agents than OpenSSH's do not know it, and hold no keys that need it.
            Ok(Err(russh::keys::Error::AgentFailure)) => tracing::debug!("the agent binds no sessions"),
            Ok(Err(error)) => return Err(error.to_string()),
            Err(_) => return Err(SILENT.to_owned()),
        }
    }
    Ok(agent)
}

/// The keys and certificates it holds for this session.
///
/// # Errors
/// Why it does not say.
pub(super) async fn list(
    socket: &Path,
    binding: Option<&AgentSessionBinding>,
) -> Result<Vec<AgentIdentity>, String> {
    let mut agent = connect(socket, binding).await?;
    within(agent.request_identities()).await
}

const SILENT: &str = "it does not answer";

async fn within<T>(asking: impl Future<Output = Result<T, russh::keys::Error>>) -> Result<T, String> {
    match tokio::time::timeout(LIMIT, asking).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(SILENT.to_owned()),
    }
}
