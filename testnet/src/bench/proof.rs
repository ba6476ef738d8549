//! The log tree at size: how fast it grows, how large a proof is, how long it takes to check.

use super::measure::{percentile, rounded, time};
use anyhow::{Context, Result};
use protocol::{
    chain,
    id::{Hash, Lineage},
    merkle::{self, Tree},
    time::Moment,
};
use serde_json::{Map, Value, json};

/// Places that are proved.
const PROVED: u64 = 10;
/// How often each proof is checked, for a time that can be measured.
const CHECKS: u32 = 1_000;

/// Grows a log tree, proves some of its entries and checks the proofs.
///
/// # Errors
/// When a proof does not hold.
pub fn run(rows: u64) -> Result<Map<String, Value>> {
    let lineage = Lineage([1; 16]);
    let sealed = Hash::of(b"an envelope");
    let (leaves, hashed) = time(|| {
        (1..=rows)
            .map(|position| chain::leaf(lineage, position, Moment(0), sealed))
            .collect::<Vec<Hash>>()
    });
    let (tree, grown) = time(|| {
        let mut tree = Tree::default();
        leaves.iter().for_each(|leaf| tree.push(*leaf));
        tree
    });
    let root = tree.root();
    let mut microseconds = Vec::new();
    let mut hashes = 0;
    for n in 0..PROVED {
        let index = n * rows.saturating_sub(1) / PROVED;
        let proof = merkle::prove_inclusion(&leaves, index).context("there is no such leaf")?;
        let leaf = *leaves
            .get(usize::try_from(index)?)
            .context("there is no such leaf")?;
        let (held, took) = time(|| {
            (0..CHECKS).all(|_| merkle::verify_inclusion(leaf, index, rows, &proof, root).is_ok())
        });
        anyhow::ensure!(held, "the proof of leaf {index} does not hold");
        microseconds.push(took.cpu * 1e6 / f64::from(CHECKS));
        hashes = hashes.max(proof.hashes().len());
    }
    microseconds.sort_by(f64::total_cmp);
    let consistency = merkle::prove_consistency(&leaves, rows / 3).context("no such tree")?;
    let mut figures = Map::new();
    figures.insert("leaves".to_owned(), json!(rows));
    let rate = |seconds: f64| rounded(rows as f64 / seconds);
    figures.insert("leaf_hashes_per_second".to_owned(), rate(hashed.cpu));
    figures.insert("leaves_appended_per_second".to_owned(), rate(grown.cpu));
    figures.insert(
        "tree_bytes_kept".to_owned(),
        json!(protocol::codec::encode(&tree).len()),
    );
    figures.insert("inclusion_proof_bytes".to_owned(), json!(hashes * 32));
    figures.insert(
        "consistency_proof_bytes".to_owned(),
        json!(consistency.hashes().len() * 32),
    );
    figures.insert(
        "verify_p50_us".to_owned(),
        rounded(percentile(&microseconds, 0.5)),
    );
    figures.insert(
        "verify_p99_us".to_owned(),
        rounded(percentile(&microseconds, 0.99)),
    );
    Ok(figures)
}
