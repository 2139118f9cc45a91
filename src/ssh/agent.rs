//! The person's agent: which keys it holds. Never trusts it to answer.

use std::path::Path;
use std::time::Duration;

use russh::keys::PublicKey;
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use tokio::net::UnixStream;

/// How long an agent may take to list its keys. Signing may wait for a person and has login's limit.
const LIMIT: Duration = Duration::from_secs(5);

/// Connects to the agent.
///
/// # Errors
/// Why it cannot be reached.
pub(super) async fn connect(socket: &Path) -> Result<AgentClient<UnixStream>, String> {
    match tokio::time::timeout(LIMIT, AgentClient::connect_uds(socket)).await {
        Ok(Ok(agent)) => Ok(agent),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("it does not answer".to_owned()),
    }
}

/// The plain keys it holds.
///
/// # Errors
/// Why it does not say.
pub(super) async fn list(socket: &Path) -> Result<Vec<PublicKey>, String> {
    let mut agent = connect(socket).await?;
    let identities = match tokio::time::timeout(LIMIT, agent.request_identities()).await {
        Ok(Ok(identities)) => identities,
        Ok(Err(error)) => return Err(error.to_string()),
        Err(_) => return Err("it does not answer".to_owned()),
    };
    Ok(identities
        .into_iter()
        .filter_map(|identity| match identity {
            AgentIdentity::PublicKey { key, .. } => Some(key),
            AgentIdentity::Certificate { .. } => None,
        })
        .collect())
}
