//! Vectors of identity documents that follow one another.

use super::{
    cases::{one, world},
    world::World,
};
use protocol::{
    codec,
    entry::membership::Identity,
    identity::{IdentityDocument, KeyUse, NodeSecrets, Particulars, SignedDocument, Skip},
    state::State,
    time::DAY,
};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use serde_json::Value;

fn known(world: &World, n: usize) -> SignedDocument {
    codec::decode(&world.state.members.get(&world.id(n)).unwrap().document).unwrap()
}

/// A document after another one, with a fresh key for what is sealed to the node.
fn after(
    world: &World,
    secrets: &NodeSecrets,
    before: &SignedDocument,
    change: impl FnOnce(&mut Particulars),
) -> Identity {
    let document: IdentityDocument = codec::decode(&known(world, 1).document).unwrap();
    let mut particulars = Particulars {
        organization: document.organization,
        kind: document.kind,
        endpoints: document.endpoints,
        capabilities: document.capabilities,
        valid_until: world.now.plus(390 * DAY),
    };
    change(&mut particulars);
    let secrets = secrets.rotated(&[KeyUse::Age], &mut ChaCha8Rng::seed_from_u64(77));
    Identity {
        document: codec::encode(
            &secrets
                .document(particulars, Some((before, Skip(0))))
                .unwrap(),
        ),
    }
}

/// The next document of member 1.
pub(crate) fn next(world: &World) -> Identity {
    after(world, &world.actors[1].secrets, &known(world, 1), |_| ())
}

pub(crate) fn refused(working: &State) -> Vec<(String, Value)> {
    let w = world(working);
    let own = &w.actors[1].secrets;
    let second: SignedDocument = codec::decode(&next(&w).document).unwrap();
    let cases = [
        (
            "number_left_out",
            "the document before it never stood in the log",
            after(&w, own, &second, |_| ()),
        ),
        (
            "predecessor_of_another",
            "it follows the document of another member",
            after(&w, own, &known(&w, 2), |_| ()),
        ),
        (
            "other_root",
            "its root is that of a node that is no member",
            after(&w, &w.actors[4].secrets, &known(&w, 1), |_| ()),
        ),
        (
            "other_name",
            "a document does not rename its organization",
            after(&w, own, &known(&w, 1), |now| {
                now.organization = "Maple".parse().unwrap();
            }),
        ),
        (
            "run_out",
            "it has run out itself",
            after(&w, own, &known(&w, 1), |now| {
                now.valid_until = w.now.plus(-1)
            }),
        ),
    ];
    cases
        .into_iter()
        .map(|(name, why, entry)| one(working, "5.14", "working", name, why, 1, &entry.into()))
        .collect()
}
