//! Sealing: who can open, and everything that is refused.

use super::*;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

fn identity(seed: u64) -> AgeIdentity {
    AgeIdentity::generate(&mut ChaCha20Rng::seed_from_u64(seed))
}

#[test]
fn each_recipient_opens_what_was_sealed_to_several() {
    let (a, b) = (identity(1), identity(2));
    let sealed = seal(b"forty doors", &[a.recipient(), b.recipient()]).unwrap();
    for one in [&a, &b] {
        assert_eq!(open(&sealed, one, 64).unwrap(), b"forty doors");
    }
}

#[test]
fn a_stranger_cannot_open() {
    let sealed = seal(b"x", &[identity(1).recipient()]).unwrap();
    assert_eq!(open(&sealed, &identity(2), 64), Err(SealError::NotForMe));
}

#[test]
fn nothing_of_the_plaintext_shows_in_the_sealed_bytes() {
    let sealed = seal(b"canary-name-5551234", &[identity(1).recipient()]).unwrap();
    assert!(!sealed.windows(6).any(|window| window == b"canary"));
}

#[test]
fn no_bit_can_be_flipped() {
    let me = identity(1);
    let sealed = seal(b"a short secret", &[me.recipient()]).unwrap();
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(
            open(&changed, &me, 64).is_err(),
            "bit {bit} was flipped unnoticed"
        );
    }
}

#[test]
fn bytes_that_were_cut_off_anywhere_are_refused() {
    let me = identity(1);
    let sealed = seal(&[7; 70_000], &[me.recipient()]).unwrap(); // two of age's chunks
    for end in (0..sealed.len()).step_by(997).chain([sealed.len() - 1]) {
        assert!(
            open(&sealed[..end], &me, 100_000).is_err(),
            "cut after {end}"
        );
    }
}

#[test]
fn more_plaintext_than_the_limit_is_refused_at_the_limit() {
    let me = identity(1);
    let sealed = seal(&[7; 1_000], &[me.recipient()]).unwrap();
    assert_eq!(open(&sealed, &me, 1_000).unwrap().len(), 1_000);
    assert_eq!(
        open(&sealed, &me, 999),
        Err(SealError::TooLarge { limit: 999 })
    );
}

#[test]
fn a_header_without_end_is_refused_before_it_is_parsed() {
    let mut endless = b"age-encryption.org/v1\n".to_vec();
    while endless.len() < 2 * SEAL_HEADER_BYTES {
        endless.extend_from_slice(b"-> grease\n\n");
    }
    endless.extend_from_slice(b"--- ");
    assert_eq!(open(&endless, &identity(1), 64), Err(SealError::Damaged));
}

#[test]
fn the_largest_coalition_fits_and_one_more_does_not() {
    let all: Vec<_> = (0..=MEMBERS_MAX as u64)
        .map(|seed| identity(seed).recipient())
        .collect();
    let sealed = seal(b"x", &all[1..]).unwrap();
    assert_eq!(
        open(&sealed, &identity(MEMBERS_MAX as u64), 1).unwrap(),
        b"x"
    );
    assert_eq!(
        seal(b"x", &all),
        Err(SealError::TooManyRecipients {
            found: MEMBERS_MAX + 1
        })
    );
    assert_eq!(seal(b"x", &[]), Err(SealError::NoRecipient));
}

/// The points of small order on Curve25519 and its twist, in every spelling (RFC 7748, section 6.1).
#[test]
fn a_recipient_that_protects_nothing_is_refused() {
    let p_and_neighbours = [0xec_u8, 0xed, 0xee].map(|first| {
        let mut bytes = [0xff; 32];
        bytes[0] = first;
        bytes[31] = 0x7f;
        bytes
    });
    let mut one = [0; 32];
    one[0] = 1;
    let order_eight = [
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    ]
    .map(|hex| {
        data_encoding::HEXLOWER
            .decode(hex.as_bytes())
            .unwrap()
            .try_into()
            .unwrap()
    });
    for bytes in p_and_neighbours
        .into_iter()
        .chain([[0; 32], one])
        .chain(order_eight)
    {
        assert_eq!(
            AgeRecipient::from_bytes(bytes),
            Err(SealError::WeakRecipient)
        );
    }
}

#[test]
fn identities_and_recipients_survive_printing_and_agree_with_age() {
    let me = identity(1);
    let text = me.to_secret_text();
    assert!(text.starts_with("AGE-SECRET-KEY-1"));
    let again = AgeIdentity::from_secret_text(&text).unwrap();
    assert_eq!(again.to_bytes(), me.to_bytes());
    assert_eq!(
        me.to_age().to_public().to_string(),
        me.recipient().to_string()
    );
    assert_eq!(me.recipient().to_string().parse(), Ok(me.recipient()));
}

#[test]
fn a_recipient_is_no_identity_and_a_typing_error_is_noticed() {
    let me = identity(1);
    let recipient = me.recipient().to_string();
    let error = SealError::Text { what: "identity" };
    assert!(AgeIdentity::from_secret_text(&recipient).is_err_and(|found| found == error));
    let secret = me.to_secret_text();
    assert_eq!(
        secret.parse::<AgeRecipient>(),
        Err(SealError::Text { what: "recipient" })
    );
    let end = if recipient.ends_with('q') { "p" } else { "q" };
    let mistyped = format!("{}{end}", &recipient[..recipient.len() - 1]);
    assert_eq!(
        mistyped.parse::<AgeRecipient>(),
        Err(SealError::Text { what: "recipient" })
    );
}
