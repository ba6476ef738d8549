//! Published vectors, the definition of RFC 9162 written as it stands there, and what is refused.

use super::*;
use proptest::prelude::*;

/// The leaves of the vectors of Certificate Transparency.
const DATA: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];

/// The roots over the first 0, 1, 2, ... of them.
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn hash(text: &str) -> Hash {
    text.parse().unwrap()
}

fn published() -> Vec<Hash> {
    let data = DATA.map(|text| data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap());
    data.iter().map(|data| leaf(data)).collect()
}

fn numbered(count: u64) -> Vec<Hash> {
    (0..count).map(|n| leaf(&n.to_be_bytes())).collect()
}

/// Section 2.1.1, word by word.
fn defined_root(leaves: &[Hash]) -> Hash {
    match leaves.len() {
        0 => Hash::of(&[]),
        1 => leaves[0],
        n => {
            let k = 1 << (n - 1).ilog2();
            node(defined_root(&leaves[..k]), defined_root(&leaves[k..]))
        }
    }
}

/// Section 2.1.3.1, word by word.
fn defined_path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let k = 1 << (leaves.len() - 1).ilog2();
    let (mut path, other) = if m < k {
        (defined_path(m, &leaves[..k]), defined_root(&leaves[k..]))
    } else {
        (
            defined_path(m - k, &leaves[k..]),
            defined_root(&leaves[..k]),
        )
    };
    path.push(other);
    path
}

/// Section 2.1.4.1, word by word.
fn defined_subproof(m: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    if m == leaves.len() {
        return if whole {
            Vec::new()
        } else {
            vec![defined_root(leaves)]
        };
    }
    let k = 1 << (leaves.len() - 1).ilog2();
    let (mut proof, other) = if m <= k {
        (
            defined_subproof(m, &leaves[..k], whole),
            defined_root(&leaves[k..]),
        )
    } else {
        (
            defined_subproof(m - k, &leaves[k..], false),
            defined_root(&leaves[..k]),
        )
    };
    proof.push(other);
    proof
}

#[test]
fn the_published_trees_have_their_published_roots() {
    let leaves = published();
    for (size, root) in ROOTS.iter().enumerate() {
        assert_eq!(super::root(&leaves[..size]), hash(root), "{size} leaves");
    }
}

#[test]
fn the_published_proofs_are_the_ones_that_are_made() {
    let leaves = published();
    let path = prove_inclusion(&leaves, 0).unwrap();
    let expected = [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ];
    assert_eq!(path.hashes(), expected.map(hash));
    let expected = [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ];
    let proof = prove_consistency(&leaves, 6).unwrap();
    assert_eq!(proof.hashes(), expected.map(hash));
    let (from, to) = (hash(ROOTS[6]), hash(ROOTS[8]));
    assert_eq!(verify_consistency(6, from, 8, to, &proof), Ok(()));
}

#[test]
fn every_small_tree_proves_as_the_standard_defines() {
    for size in 1..=40_u64 {
        let leaves = numbered(size);
        let root = root(&leaves);
        assert_eq!(root, defined_root(&leaves));
        for at in 0..size {
            let proof = prove_inclusion(&leaves, at).unwrap();
            let n = usize::try_from(at).unwrap();
            assert_eq!(proof.hashes(), defined_path(n, &leaves));
            assert_eq!(verify_inclusion(leaves[n], at, size, &proof, root), Ok(()));
            let from = at + 1;
            let proof = prove_consistency(&leaves, from).unwrap();
            assert_eq!(proof.hashes(), defined_subproof(n + 1, &leaves, true));
            let old = super::root(&leaves[..=n]);
            assert_eq!(verify_consistency(from, old, size, root, &proof), Ok(()));
        }
    }
}

#[test]
fn a_proof_from_stored_subtrees_is_the_proof_from_the_leaves() {
    let leaves = numbered(100);
    let mut stored = std::collections::BTreeMap::new();
    let mut tree = Tree::default();
    for leaf in &leaves {
        tree.push_and_note(*leaf, |at, hash| {
            assert_eq!(stored.insert(at, hash), None, "each is complete once");
        });
    }
    let from_stored = |spans: Vec<std::ops::Range<u64>>| -> Vec<Hash> {
        let span = |span| {
            let parts: Vec<Hash> = subtrees(span).iter().map(|part| stored[part]).collect();
            join(&parts).unwrap()
        };
        spans.into_iter().map(span).collect()
    };
    for at in 0..100 {
        let proof = prove_inclusion(&leaves, at).unwrap();
        let spans = inclusion_spans(at, 100).unwrap();
        assert_eq!(from_stored(spans), proof.hashes());
        let proof = prove_consistency(&leaves, at).unwrap();
        let spans = consistency_spans(at, 100).unwrap();
        assert_eq!(from_stored(spans), proof.hashes());
    }
    for (at, hash) in tree.peaks() {
        assert_eq!(stored[&at], hash);
    }
}

#[test]
fn ten_million_leaves_are_proved_with_two_dozen_hashes() {
    let size = 10_000_000;
    for at in [0, 1, 4_999_999, 9_999_999] {
        assert!(inclusion_spans(at, size).unwrap().len() <= 24);
        assert!(consistency_spans(at, size).unwrap().len() <= 25);
    }
    let most = inclusion_spans(0, LEAVES).unwrap().len();
    let longest = consistency_spans(LEAVES - 1, LEAVES).unwrap().len();
    assert_eq!(most.max(longest), PROOF_HASHES);
}

#[test]
fn what_does_not_exist_has_no_proof() {
    let leaves = numbered(5);
    assert_eq!(prove_inclusion(&leaves, 5), None);
    assert_eq!(prove_inclusion(&[], 0), None);
    assert_eq!(prove_consistency(&leaves, 6), None);
    assert_eq!(inclusion_spans(0, LEAVES + 1), None);
    assert_eq!(consistency_spans(0, LEAVES + 1), None);
}

#[test]
fn a_wrong_place_size_or_root_is_refused() {
    let leaves = numbered(7);
    let root = root(&leaves);
    let proof = prove_inclusion(&leaves, 3).unwrap();
    let check = |index, size, proof: &Proof, root| {
        verify_inclusion(leaves[3], index, size, proof, root).unwrap_err()
    };
    assert_eq!(
        check(7, 7, &proof, root),
        ProofError::Index { index: 7, size: 7 }
    );
    assert_eq!(
        check(0, 0, &Proof::default(), root),
        ProofError::Index { index: 0, size: 0 }
    );
    for index in [0, 1, 2, 4, 5, 6] {
        check(index, 7, &proof, root);
    }
    assert_eq!(
        check(3, 2, &proof, root),
        ProofError::Index { index: 3, size: 2 }
    );
    assert_eq!(check(3, 4, &proof, root), ProofError::Length);
    assert_eq!(check(3, 9, &proof, root), ProofError::Length);
    assert_eq!(check(3, 7, &proof, leaves[0]), ProofError::Root);
    let proof = prove_consistency(&leaves, 3).unwrap();
    let old = super::root(&leaves[..3]);
    let check = |from, size, old, root, proof: &Proof| {
        verify_consistency(from, old, size, root, proof).unwrap_err()
    };
    let sizes = ProofError::Sizes { from: 8, size: 7 };
    assert_eq!(check(8, 7, old, root, &proof), sizes);
    assert_eq!(check(3, 7, leaves[0], root, &proof), ProofError::Root);
    assert_eq!(check(3, 7, old, leaves[0], &proof), ProofError::Root);
    assert_eq!(check(7, 7, old, root, &Proof::default()), ProofError::Root);
    assert_eq!(check(7, 7, root, root, &proof), ProofError::Length);
    assert_eq!(check(0, 7, old, root, &Proof::default()), ProofError::Root);
    assert_eq!(check(4, 7, old, root, &proof), ProofError::Length);
}

#[test]
fn a_proof_that_is_too_long_is_not_even_read() {
    let long = vec![Hash::ZERO; PROOF_HASHES + 1];
    let found = PROOF_HASHES + 1;
    assert_eq!(Proof::new(long.clone()), Err(ProofError::TooLong { found }));
    assert!(minicbor::decode::<Proof>(&crate::codec::encode(&long)).is_err());
    // A length that no memory holds.
    let claimed = [0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    assert!(minicbor::decode::<Proof>(&claimed).is_err());
    let most = Proof::new(vec![Hash::ZERO; PROOF_HASHES]).unwrap();
    let bytes = crate::codec::encode(&most);
    assert_eq!(minicbor::decode::<Proof>(&bytes).unwrap(), most);
}

#[test]
fn peaks_that_do_not_fit_the_size_are_no_tree() {
    let mut tree = Tree::default();
    for leaf in numbered(13) {
        tree.push(leaf);
    }
    let bytes = crate::codec::encode(&tree);
    assert_eq!(minicbor::decode::<Tree>(&bytes).unwrap(), tree);
    let peaks = tree.peak_bytes();
    assert_eq!(Tree::from_peak_bytes(13, &peaks), Ok(tree));
    assert!(Tree::from_peak_bytes(12, &peaks).is_err());
    assert!(Tree::from_peak_bytes(13, &peaks[..95]).is_err());
    assert!(Tree::from_peak_bytes(13, &peaks[..64]).is_err());
    assert_eq!(Tree::new(LEAVES + 1, Vec::new()), Err(TreeError::TooLarge));
}

proptest! {
    #[test]
    fn an_altered_cut_or_lengthened_proof_is_refused(
        size in 2_u64..200, at in any::<u64>(), bit in 0_usize..256, place in any::<usize>(),
    ) {
        let leaves = numbered(size);
        let root = root(&leaves);
        let at = at % size;
        let proof = prove_inclusion(&leaves, at).unwrap();
        let leaf = leaves[usize::try_from(at).unwrap()];
        let check = |hashes: Vec<Hash>| verify_inclusion(leaf, at, size, &Proof::new(hashes).unwrap(), root);
        let mut altered = proof.hashes().to_vec();
        let place = place % altered.len();
        altered[place].0[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(check(altered), Err(ProofError::Root));
        let mut cut = proof.hashes().to_vec();
        cut.remove(place);
        prop_assert!(check(cut).is_err());
        let mut longer = proof.hashes().to_vec();
        longer.insert(place, leaf);
        prop_assert!(check(longer).is_err());
    }

    #[test]
    fn an_older_tree_with_one_other_leaf_is_no_beginning(
        size in 2_u64..200, from in any::<u64>(), place in any::<u64>(),
    ) {
        let leaves = numbered(size);
        let from = 1 + from % (size - 1);
        let proof = prove_consistency(&leaves, from).unwrap();
        let mut older = leaves[..usize::try_from(from).unwrap()].to_vec();
        let root = root(&leaves);
        prop_assert_eq!(verify_consistency(from, super::root(&older), size, root, &proof), Ok(()));
        older[usize::try_from(place % from).unwrap()] = leaf(b"another");
        let other = super::root(&older);
        prop_assert_eq!(verify_consistency(from, other, size, root, &proof), Err(ProofError::Root));
    }
}
