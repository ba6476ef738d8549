//! The trees and proofs of this crate against an implementation by others.
#![cfg(test)]

use ct_merkle::{ConsistencyProof, InclusionProof, RootHash, mem_backed_tree::MemoryBackedTree};
use proptest::prelude::*;
use protocol::{
    id::Hash,
    merkle::{self, Proof},
};
use sha2_next::Sha256;

fn both(data: &[Vec<u8>]) -> (Vec<Hash>, MemoryBackedTree<Sha256, Vec<u8>>) {
    let mut theirs = MemoryBackedTree::new();
    for leaf in data {
        theirs.push(leaf.clone());
    }
    (data.iter().map(|leaf| merkle::leaf(leaf)).collect(), theirs)
}

fn bytes(proof: &Proof) -> Vec<u8> {
    proof.hashes().iter().flat_map(|hash| hash.0).collect()
}

fn root_hash(root: Hash, size: usize) -> RootHash<Sha256> {
    RootHash::new(root.0.into(), size as u64)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn roots_and_proofs_are_the_same_and_hold_at_both(
        data in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..120),
        at in any::<prop::sample::Index>(),
    ) {
        let (leaves, theirs) = both(&data);
        let root = merkle::root(&leaves);
        let their_root = theirs.root();
        prop_assert_eq!(root.0.as_slice(), their_root.as_bytes().as_slice());

        let n = at.index(data.len());
        let ours = merkle::prove_inclusion(&leaves, n as u64).unwrap();
        let their_proof = theirs.prove_inclusion(n);
        prop_assert_eq!(bytes(&ours), their_proof.as_bytes());
        let read = InclusionProof::<Sha256>::try_from_bytes(bytes(&ours)).unwrap();
        prop_assert!(root_hash(root, data.len()).verify_inclusion(&data[n], n as u64, &read).is_ok());

        let from = n + 1;
        let ours = merkle::prove_consistency(&leaves, from as u64).unwrap();
        let their_proof = theirs.prove_consistency(data.len() - from);
        prop_assert_eq!(bytes(&ours), their_proof.as_bytes());
        let read = ConsistencyProof::<Sha256>::try_from_bytes(bytes(&ours)).unwrap();
        let old = root_hash(merkle::root(&leaves[..from]), from);
        prop_assert!(root_hash(root, data.len()).verify_consistency(&old, &read).is_ok());
    }
}
