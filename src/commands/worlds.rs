//! In which world a run is built: the person's own, or the lab. Made anew for each plan that the run obeys.

use std::sync::Arc;

use super::asker::{self, Asker};
use super::{person, trouble};
use crate::engine::{Exit, Failure, Phase, World};
use crate::lab::Lab;
use crate::plan::{self, Plan, PlanOptions};
use crate::ssh::{Login, RealNetwork, Trust};
use crate::topology::{HostId, Topology, escape};

/// What every world of one run is made of.
pub struct Worlds {
    /// Who plays the hosts; `None` is nobody.
    pub lab: Option<Arc<Lab>>,
    /// Whether a person may be asked.
    pub ask: bool,
    /// How.
    pub asker: Asker,
}

impl Worlds {
    /// The world for a plan of this topology.
    ///
    /// # Errors
    /// H0301 when nobody knows the name to log in as.
    pub fn world(&self, topology: &Topology, plan: &Plan) -> Result<World, Failure> {
        if let Some(lab) = &self.lab {
            return Ok(played(lab, topology));
        }
        let asker = Asker { hops: asker::hops(plan), ..self.asker.clone() };
        let notice = asker.notice();
        let login =
            person::login(topology, plan, if self.ask { asker.ask() } else { asker::nobody() }, notice)?;
        Ok(World { network: Arc::new(RealNetwork), trust: person::trust(), login })
    }
}

fn played(lab: &Arc<Lab>, topology: &Topology) -> World {
    lab.renew(topology);
    let hosts = topology.hosts.iter().map(|host| host.id.clone());
    let pin = |id: HostId| lab.fingerprint(&id).map(|fingerprint| (id, fingerprint));
    let trust = Trust::pinned(hosts.filter_map(pin));
    // The lab's hosts let anybody in who holds its key, by whatever name.
    let login = Login::with_key("lab".to_owned(), lab.client_key());
    World { network: lab.clone(), trust, login }
}

/// The lab plays hosts and the commands that they run, but nobody who runs hopper there.
///
/// # Errors
/// H0309.
pub fn refuse_others_in_lab(topology: &Topology, options: &PlanOptions) -> Result<(), Failure> {
    let whole = plan::plan(topology, &PlanOptions { at: None, ..options.clone() });
    let hosts = whole.iter().flat_map(Plan::others).map(|host| escape(host.as_str()));
    let hosts: Vec<String> = hosts.collect();
    if hosts.is_empty() {
        return Ok(());
    }
    let message = format!("the lab plays nobody who would run hopper on {}", hosts.join(", "));
    let help = "try it with \"client\": \"exec\" there, or with --strategy nested";
    Err(trouble("H0309", Exit::Usage, Phase::Plan, message, help))
}
