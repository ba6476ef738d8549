//! Match tokens per second of processor time: the client's side and the evaluator's.

use super::measure::{rounded, time};
use anyhow::{Context, Result};
use protocol::{
    codec,
    id::{CoalitionId, NodeId},
    token::{Class, EVAL_POINTS, KeyShare, TokenKey, blind, evaluate, normalize},
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use serde_json::{Map, Value, json};

/// Blinds, evaluates, checks and finishes batches of phone numbers, one keeper.
///
/// # Errors
/// When a batch does not verify: then there is nothing to measure.
pub fn run(rows: u64) -> Result<Map<String, Value>> {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let (member, coalition) = (NodeId([7; 32]), CoalitionId([1; 16]));
    let (share, keyset) = KeyShare::found(1, NodeId([9; 32]), &mut rng);
    let quorum = keyset.quorum(&[1])?;
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
        let (reply, took) =
            time(|| evaluate(&share, &keyset, &coalition, &member, &request, &mut rng));
        let reply = reply?;
        evaluator += took.cpu;
        bytes += codec::encode(&request).len() + codec::encode(&reply).len();
        let (finished, took) = time(|| -> Result<usize> {
            let verified = batch.verify(&keyset, &member, &quorum, &reply)?;
            let points = batch.combine(vec![verified])?.finalize();
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
        rounded(tokens as f64 / evaluator),
    );
    figures.insert(
        "bytes_per_token".to_owned(),
        rounded(bytes as f64 / tokens as f64),
    );
    Ok(figures)
}
