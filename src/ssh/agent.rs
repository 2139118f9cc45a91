//! An ssh-agent: which keys and certificates it holds, each connection bound to one session. Never
//! trusts it to answer.

use std::path::Path;
use std::time::Duration;

use russh::keys::agent::client::{AgentClient, AgentStream};
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
    bind(&mut agent, binding, false).await?;
    Ok(agent)
}

/// Connects to the agent for what the session's server asks of it, and tells it so: it then signs for hosts behind
/// that server, with the keys that may be used there.
///
/// # Errors
/// Why it cannot be reached.
pub(super) async fn connect_for_others(
    socket: &Path,
    binding: Option<&AgentSessionBinding>,
) -> Result<UnixStream, String> {
    let connecting = tokio::time::timeout(LIMIT, UnixStream::connect(socket));
    let mut stream = connecting.await.map_err(|_| SILENT)?.map_err(|error| error.to_string())?;
    bind(&mut AgentClient::connect(&mut stream), binding, true).await?;
    Ok(stream)
}

async fn bind(
    agent: &mut AgentClient<impl AgentStream + Send + Unpin>,
    binding: Option<&AgentSessionBinding>,
    forwarding: bool,
) -> Result<(), String> {
    let Some(binding) = binding else { return Ok(()) };
    match tokio::time::timeout(LIMIT, agent.bind_session(binding, forwarding)).await {
        Ok(Ok(())) => Ok(()),
        // Other agents than OpenSSH's do not know it, and hold no keys that need it.
        Ok(Err(russh::keys::Error::AgentFailure)) => {
            tracing::debug!("the agent binds no sessions");
            Ok(())
        }
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(SILENT.to_owned()),
    }
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
