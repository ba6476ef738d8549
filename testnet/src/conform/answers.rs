//! Chapter: what holds of every answer, over all that the other chapters asked. It comes last.

use super::{peer::Peer, report::Report};

/// Reports what was remarked.
pub(super) fn run(peer: &Peer, report: &mut Report) {
    report.chapter("answers");
    let [signed, heads, problems] = peer.remarked();
    let says = "every answer to a readable signature is signed by the keeper and bound to the call";
    report.clause("identity.md 4.13", says, signed);
    let says = "every answer to a member shows a head, signed with the key for heads";
    report.clause("identity.md 4.8", says, heads);
    let says = "every refusal is a problem: type, title, status, code of the list, request_id";
    report.clause("problems.md", says, problems);
}
