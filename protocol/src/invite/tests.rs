//! Invite codes: what people do to them on the way, and what is still read.

use super::*;
use crate::id::Lineage;
use proptest::prelude::*;

fn invite() -> Invite {
    Invite::from(InviteParts {
        coalition: CoalitionId([1; 16]),
        coalition_name: "Doors for Caf\u{e9} Workers".parse().unwrap(),
        inviter: NodeId([2; 32]),
        keeper: NodeId([3; 32]),
        keeper_url: "https://keeper.example:8443".parse().unwrap(),
        token: InviteToken([4; 16]),
        expires: Moment(1_700_000_000_000),
        log: LogPoint {
            lineage: Lineage([5; 16]),
            position: 17,
            chain: Hash([6; 32]),
        },
    })
}

#[test]
fn a_code_is_read_back_in_any_case_and_however_it_was_broken_up() {
    let (invite, code) = (invite(), invite().to_string());
    let wrapped: String = code
        .chars()
        .enumerate()
        .map(|(at, c)| {
            if at % 40 == 39 {
                format!("{c}\r\n  ")
            } else {
                c.to_string()
            }
        })
        .collect();
    for text in [
        code.clone(),
        code.to_uppercase(),
        format!("  {code}\n"),
        wrapped,
        code.replace('-', "\u{2013}"),
        code.replace('-', " "),
        code.replace('-', "- \u{200b}"),
    ] {
        assert_eq!(text.parse(), Ok(invite.clone()), "{text}");
    }
}

#[test]
fn groups_have_four_characters() {
    let code = invite().to_string();
    let groups: Vec<_> = code.split('-').skip(1).collect();
    let (last, others) = groups.split_last().unwrap();
    assert!(others.iter().all(|group| group.len() == 4) && (1..=4).contains(&last.len()));
}

#[test]
fn each_wrong_character_is_noticed() {
    let code = invite().to_string();
    for at in 4..code.len() {
        let mut changed = code.clone().into_bytes();
        if changed[at] == b'-' {
            continue;
        }
        changed[at] = if changed[at] == b'k' { b'm' } else { b'k' };
        let result = String::from_utf8(changed).unwrap().parse::<Invite>();
        assert!(result.is_err(), "character {at} was changed unnoticed");
        if at > 10 {
            assert_eq!(result, Err(InviteError::Typo), "character {at}");
        }
    }
}

#[test]
fn a_code_that_was_cut_off_says_so_wherever_it_was_cut() {
    let code = invite().to_string();
    for end in 3..code.len() {
        if code.as_bytes()[end - 1] != b'-' {
            let result = code[..end].parse::<Invite>();
            assert!(
                matches!(result, Err(InviteError::CutOff { .. })),
                "cut after {end}: {result:?}"
            );
        }
    }
}

#[test]
fn text_after_the_code_is_noticed() {
    let text = format!("{} thanks", invite());
    assert_eq!(
        text.parse::<Invite>(),
        Err(InviteError::Trailing { extra: 6 })
    );
}

#[test]
fn two_neighbours_in_the_wrong_order_are_noticed() {
    let code = invite().to_string();
    let mut swapped = 0;
    for at in 12..code.len() - 1 {
        let mut letters = code.clone().into_bytes();
        letters.swap(at, at + 1);
        let plain = |bytes: &[u8]| {
            bytes
                .iter()
                .filter(|b| **b != b'-')
                .copied()
                .collect::<Vec<_>>()
        };
        if plain(&letters) != plain(code.as_bytes()) {
            swapped += 1;
            assert_eq!(
                String::from_utf8(letters).unwrap().parse::<Invite>(),
                Err(InviteError::Typo)
            );
        }
    }
    assert!(swapped > 100);
}

#[test]
fn a_code_of_another_version_says_which() {
    let code = invite().to_string().replacen("ct1", "ct2", 1);
    assert_eq!(
        code.parse::<Invite>(),
        Err(InviteError::OtherVersion { found: 2 })
    );
    let mut future = invite();
    future.version = 9;
    assert_eq!(
        future.to_string().parse::<Invite>(),
        Err(InviteError::OtherVersion { found: 9 })
    );
}

#[test]
fn something_else_that_was_pasted_is_no_invite() {
    for text in [
        "",
        "hello",
        "ct",
        "ct-abcd",
        "ct1abcd",
        "https://keeper.example",
        "\u{e9}t1-aaaa",
    ] {
        assert_eq!(
            text.parse::<Invite>(),
            Err(InviteError::NotAnInvite),
            "{text:?}"
        );
    }
    assert_eq!(
        "a".repeat(9_000).parse::<Invite>(),
        Err(InviteError::TooLong)
    );
}

#[test]
fn a_digit_that_base32_lacks_is_pointed_at() {
    let code = format!("ct1-aaaa-a{}aaa", '0');
    assert_eq!(
        code.parse::<Invite>(),
        Err(InviteError::Character { position: 6 })
    );
    assert_eq!(
        "ct1-aa\u{e9}".parse::<Invite>(),
        Err(InviteError::Character { position: 3 })
    );
}

#[test]
fn the_token_shows_neither_in_debug_output_nor_in_its_hash() {
    let invite = invite();
    let shown = format!("{invite:?}");
    assert!(shown.contains("InviteToken(hidden)"));
    assert!(!shown.contains("4, 4, 4") && !shown.contains("04040404"));
    assert_ne!(invite.token_hash(), Hash::of(&invite.token.0));
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "(ct1-)?[a-zA-Z2-7 \\-0é\u{200b}]{0,80}") {
        prop_assert!(text.parse::<Invite>().is_err());
    }
}
