//! Finding members by what people call them.

use crate::http::problem::Failure;
use protocol::{id::NodeId, state::State};

/// A present member: its name, or the beginning of its node id.
///
/// # Errors
/// [`Failure`] that lists the members when none or several fit.
pub fn find(state: &State, who: &str) -> Result<NodeId, Failure> {
    let wanted = who.trim().to_lowercase();
    let fits: Vec<NodeId> = state
        .roster()
        .filter(|(node, member)| {
            member.name.to_lowercase() == wanted
                || (wanted.len() >= 4 && node.to_string().starts_with(&wanted))
        })
        .map(|(node, _)| *node)
        .collect();
    match fits.as_slice() {
        [node] => Ok(*node),
        [] => {
            let names: Vec<&str> = state
                .roster()
                .map(|(_, member)| member.name.as_str())
                .collect();
            Err(Failure::not_found(format!(
                "no member \"{who}\"; members: {}",
                names.join(", ")
            )))
        }
        _ => Err(Failure::input(
            "several members fit; use the beginning of the node id",
        )),
    }
}

/// What people call a member, past ones included.
#[must_use]
pub fn name(state: &State, node: NodeId) -> String {
    state
        .members
        .get(&node)
        .map_or_else(|| node.short(), |member| member.name.clone())
}
