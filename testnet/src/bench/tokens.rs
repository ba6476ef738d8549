//! Match tokens per second of processor time: the client's side and one evaluator's, for 2 of 3 keepers.

use super::measure::{rounded, time};
use anyhow::{Context, Result};
use protocol::{
    codec,
    id::{CoalitionId, NodeId},
    token::{
        Class, EVAL_POINTS, KeyShare, Keyset, TokenKey, blind,
        ceremony::{Participant, Plan, keyset},
        evaluate, normalize,
    },
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Blinds, evaluates, checks and finishes batches of phone numbers.
///
/// # Errors
/// When a batch does not verify: then there is nothing to measure.
pub fn run(rows: u64) -> Result<Map<String, Value>> {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let (member, coalition) = (NodeId([7; 32]), CoalitionId([1; 16]));
    let (shares, keyset) = ceremony(&mut rng)?;
    let quorum = keyset.quorum(&[1, 2])?;
    let (mut client, mut evaluator, mut bytes, mut tokens) = (0.0, 0.0, 0, 0_u64);
    let batches = rows.div_ceil(EVAL_POINTS as u64).max(1);
    for slot in 0..batches {
        let values = (0..EVAL_POINTS as u64)
            .map(|n| {
                normalize::phone(
                    &format!("+1313{:07}", 2_000_000 + slot * EVAL_POINTS as u64 + n),
                    "US",
                )
            })
            .collect::<Option<Vec<_>>>()
            .context("a synthetic phone number was not read")?;
        let (batch, took) =
            time(|| blind::prepare(&[3; 32], &coalition, &keyset, Class::Phone, slot, &values));
        let batch = batch?;
        client += took.cpu;
        let request = batch.request(&quorum);
        let mut replies = Vec::new();
        for share in shares.iter().take(quorum.ids().len()) {
            let (reply, took) =
                time(|| evaluate(share, &keyset, &coalition, &member, &request, &mut rng));
            evaluator += took.cpu;
            let reply = reply?;
            bytes += codec::encode(&request).len() + codec::encode(&reply).len();
            replies.push(reply);
        }
        let (finished, took) = time(|| -> Result<usize> {
            let verified = replies
                .iter()
                .map(|reply| batch.verify(&keyset, &member, &quorum, reply))
                .collect::<Result<Vec<_>, _>>()?;
            let points = batch.combine(verified)?.finalize();
            let key = TokenKey::ground(&coalition, 1, Class::Phone);
            Ok(points
                .iter()
                .map(|point| key.token(point))
                .collect::<std::collections::BTreeSet<_>>()
                .len())
        });
        client += took.cpu;
        tokens += finished? as u64;
    }
    let mut figures = Map::new();
    figures.insert("tokens".to_owned(), json!(tokens));
    figures.insert("threshold".to_owned(), json!(keyset.threshold()));
    figures.insert(
        "client_tokens_per_cpu_second".to_owned(),
        rounded(tokens as f64 / client),
    );
    figures.insert(
        "evaluator_tokens_per_cpu_second".to_owned(),
        rounded((tokens * u64::from(keyset.threshold())) as f64 / evaluator),
    );
    figures.insert(
        "bytes_per_token".to_owned(),
        rounded(bytes as f64 / tokens as f64),
    );
    Ok(figures)
}

/// The keys of three keepers, made by the ceremony.
fn ceremony(rng: &mut ChaCha20Rng) -> Result<(Vec<KeyShare>, Keyset)> {
    let nodes = [9, 10, 11].map(|n| NodeId([n; 32]));
    let plan = Plan::fresh(None, 0, &nodes).context("three keepers are a plan")?;
    let (mut participants, mut said) = (Vec::new(), BTreeMap::new());
    for keeper in &plan.keepers {
        let (participant, commitments) = Participant::commit(&plan, keeper.id, rng)?;
        said.insert(keeper.id, commitments.check(&plan, keeper.id)?);
        participants.push((keeper.id, participant));
    }
    let mut shares = Vec::new();
    for (own, participant) in &participants {
        let mut dealt = BTreeMap::new();
        for (from, other) in participants.iter().filter(|(from, _)| from != own) {
            let part = other.deal(&plan, &said)?.remove(own);
            dealt.insert(*from, part.context("a part for each keeper")?);
        }
        shares.push(participant.finish(&plan, &said, &dealt, None)?);
    }
    Ok((shares, keyset(&plan, &said, None)?))
}
