//! Refusals that only one kind of entry has, and commits. Long because it is one flat table.

use super::{
    COMMIT,
    cases::{
        assertion, contact, genesis, inline, keyset, known, one, receipt, revoke, statement,
        vector, world,
    },
    world::{Actor, Inside, START, proposal},
};
use protocol::{
    channel::Channel,
    codec,
    entry::{
        Class, Entry,
        agreement::AgreementSign,
        claim::{ClaimRelease, ClaimRenew},
        contact_report::ContactReport,
        housekeeping::{Checkpoint, Tick},
        membership::JoinRequest,
        parting::{Leave, Remove, RemoveApprove},
        plan::{Place, Plan, PlanWithdraw},
        recall::{Dispute, DisputeCode, ExceptionKind, NoticeException},
        share::{ErasureResult, ErasureStatement, NoticeAck, Retained, RevokeKind, ShareReceived},
        suppression::{Suppress, SuppressWithdraw},
        use_notice::UseNotice,
    },
    id::{EntryId, Hash, NodeId},
    state::State,
    time::DAY,
    version::Versions,
};
use serde_json::Value;

pub(crate) fn exception(notice: EntryId) -> NoticeException {
    NoticeException {
        notice,
        kind: ExceptionKind::Disproportionate,
        reason: "only on a backup that is being destroyed".to_owned(),
        approver: "Ada Quill".to_owned(),
    }
}

/// The request of a node that has forgotten the first version.
fn by_a_newer_node() -> JoinRequest {
    let versions = Versions::new(2, 3).unwrap();
    let actor = Actor::speaking(4, versions);
    JoinRequest {
        token_hash: Hash::of(&[8]),
        node: actor.id,
        key_package: actor.key_package(),
        document: actor.document,
    }
}

pub(crate) fn dispute(share: EntryId, count: u64) -> Dispute {
    Dispute {
        share,
        code: DisputeCode::Overshare,
        count,
    }
}

pub(crate) fn remove(node: NodeId) -> Remove {
    Remove {
        node,
        reason: "it sold a list".to_owned(),
    }
}

/// A word for the proposal in the working state that is about a member.
pub(crate) fn approval(world: &super::world::World, node: usize) -> RemoveApprove {
    let open = world.state.removals.iter().next().unwrap().1;
    RemoveApprove {
        node: world.id(node),
        proposal: open.proposal,
    }
}

/// A use that begins some days after the vectors' now.
pub(crate) fn use_notice(share: EntryId, days: i64) -> UseNotice {
    UseNotice {
        share,
        from: START.plus(days * DAY),
    }
}

/// A statement that keeps a class on a ground.
fn keeps(statement: &mut ErasureStatement, ground: &str) {
    statement.result = ErasureResult::PartlyRetained;
    statement.retained = vec![Retained {
        class: "engagement".to_owned(),
        ground: ground.to_owned(),
        until: statement.completed_at.plus(DAY),
    }];
}

/// Refusals that only one kind has: name, why, author, entry.
#[expect(clippy::too_many_lines, reason = "a table with a row per refusal")]
pub(crate) fn entries(working: &State) -> Vec<(String, Value)> {
    let w = world(working);
    let k = known(working);
    let unknown = EntryId([9; 16]);
    let claim = |change: &dyn Fn(&mut protocol::entry::claim::Claim)| {
        let mut claim = w.claim(Channel::Door, 24, 48, &[2, 3]);
        change(&mut claim);
        Entry::from(claim)
    };
    let plan = |change: &dyn Fn(&mut Plan)| {
        let mut plan = w.plan(24, 48, "ward 27");
        change(&mut plan);
        Entry::from(plan)
    };
    let share = |change: &dyn Fn(&mut protocol::entry::share::Share)| {
        let mut share = w.share(1, 3);
        change(&mut share);
        Entry::from(share)
    };
    let with = |change: &dyn Fn(&mut ErasureStatement)| {
        let mut said: ErasureStatement = codec::decode(&statement(&w, &k, 4)).unwrap();
        change(&mut said);
        codec::encode(&said)
    };
    let mut other_party = w.draft();
    other_party.parties.pop();
    let mut bad_terms = w.draft();
    bad_terms.terms = "nothing".to_owned();
    let mut both_sides = w.draft();
    both_sides.parties[0].facts.coordinated = vec!["us-oh-gov-2026".to_owned()];
    both_sides.parties[1].facts.independent = vec!["us-oh-gov-2026".to_owned()];
    let mut nowhere = w.draft();
    nowhere.parties[0].facts.jurisdiction = "unknown".to_owned();
    let mut old_version = w.draft();
    old_version.version = 1;
    let mut cut_package = w.request(8, 4);
    cut_package.key_package.pop();
    let me = w.id(2);
    let cases: Vec<(&str, &str, &str, &str, usize, Entry)> = vec![
        (
            "5.1",
            "empty",
            "foreign_document",
            "the document is another node's",
            1,
            genesis(&w.actors[0], "Riverside").into(),
        ),
        (
            "5.1",
            "empty",
            "hidden_name",
            "the name turns the text around",
            0,
            genesis(&w.actors[0], "River\u{202e}side").into(),
        ),
        (
            "5.1",
            "working",
            "second",
            "the log has its first entry",
            0,
            genesis(&w.actors[0], "Riverside").into(),
        ),
        (
            "5.1",
            "working",
            "long_life",
            "good for more than thirty days",
            1,
            w.invitation(9, 31).into(),
        ),
        (
            "5.1",
            "working",
            "known_token",
            "its token is another's",
            2,
            w.invitation(7, 3).into(),
        ),
        (
            "5.1",
            "working",
            "by_a_member",
            "only a keeper announces newcomers",
            1,
            w.request(8, 4).into(),
        ),
        (
            "5.1",
            "working",
            "unknown_token",
            "nobody made this invitation",
            0,
            w.request(99, 4).into(),
        ),
        (
            "5.1",
            "working",
            "spent_token",
            "another newcomer used the invitation",
            0,
            w.request(7, 4).into(),
        ),
        (
            "12",
            "working",
            "other_version",
            "it speaks no version that all members speak",
            0,
            by_a_newer_node().into(),
        ),
        (
            "5.1",
            "working",
            "cut_package",
            "the key package is cut off",
            0,
            cut_package.into(),
        ),
        (
            "5.2",
            "working",
            "old_version",
            "version 1 is in force already",
            0,
            proposal(&old_version).into(),
        ),
        (
            "5.2",
            "working",
            "missing_party",
            "a member is not named",
            0,
            proposal(&other_party).into(),
        ),
        (
            "5.2",
            "working",
            "bad_terms",
            "the terms cannot be read",
            0,
            proposal(&bad_terms).into(),
        ),
        (
            "5.2",
            "working",
            "both_sides",
            "two members stand on opposite sides of a race",
            0,
            proposal(&both_sides).into(),
        ),
        (
            "5.2",
            "working",
            "no_place",
            "it is not stated where a member is established",
            0,
            proposal(&nowhere).into(),
        ),
        (
            "5.2",
            "working",
            "unknown_draft",
            "nobody proposed it",
            1,
            AgreementSign {
                agreement: Hash::ZERO,
                signature: [0; 64],
            }
            .into(),
        ),
        (
            "5.2",
            "working",
            "bad_signature",
            "the signature is not over the draft",
            1,
            AgreementSign {
                agreement: k.draft,
                signature: [0; 64],
            }
            .into(),
        ),
        (
            "5.2",
            "working",
            "twice",
            "the signer has signed",
            2,
            w.signature(2, k.draft).into(),
        ),
        (
            "5.4",
            "working",
            "other_agreement",
            "filed under another agreement",
            2,
            plan(&|p| p.agreement = Hash::ZERO),
        ),
        (
            "5.4",
            "working",
            "over",
            "its window is over",
            2,
            plan(&|p| p.to = START),
        ),
        (
            "5.4",
            "working",
            "years_ahead",
            "begins in more than a year",
            2,
            plan(&|p| {
                p.from = p.from.plus(400 * DAY);
                p.to = p.from.plus(DAY);
            }),
        ),
        (
            "5.4",
            "working",
            "nowhere",
            "names no place",
            2,
            plan(&|p| p.places.clear()),
        ),
        (
            "5.4",
            "working",
            "other_spelling",
            "a place is spelled in another way",
            2,
            plan(&|p| p.places = vec![Place::Area("Ward 5".to_owned())]),
        ),
        (
            "5.4",
            "working",
            "too_fine",
            "a cell that could be one house",
            2,
            plan(&|p| p.places = vec![Place::Cell(0x8a2a_1072_b59f_ffff)]),
        ),
        (
            "5.4",
            "working",
            "of_nobody",
            "about no contact point",
            2,
            plan(&|p| p.volume = 0),
        ),
        (
            "5.4",
            "working",
            "hidden_label",
            "the label turns the text around",
            2,
            plan(&|p| p.label = "a\u{202e}b".to_owned()),
        ),
        (
            "5.4",
            "working",
            "unknown_purpose",
            "no word of the vocabulary",
            2,
            plan(&|p| p.purpose = "profit".to_owned()),
        ),
        (
            "5.4",
            "working",
            "in_place_of_anothers",
            "replaces another member's",
            2,
            plan(&|p| p.replaces = Some(k.plan)),
        ),
        (
            "5.4",
            "working",
            "by_another",
            "the plan is another's",
            2,
            PlanWithdraw { plan: k.plan }.into(),
        ),
        (
            "5.4",
            "working",
            "unknown",
            "there is no such plan",
            1,
            PlanWithdraw { plan: unknown }.into(),
        ),
        (
            "5.5",
            "working",
            "other_agreement",
            "made under another agreement",
            2,
            claim(&|c| c.agreement = Hash::ZERO),
        ),
        (
            "5.5",
            "working",
            "too_late",
            "ordered after grant_by",
            2,
            claim(&|c| c.grant_by = START),
        ),
        (
            "5.5",
            "working",
            "too_long",
            "longer than the agreement allows",
            2,
            claim(&|c| c.to = c.from.plus(15 * DAY)),
        ),
        (
            "5.5",
            "working",
            "rows_out_of_order",
            "the tokens fall",
            2,
            claim(&|c| c.tokens = inline(&[[3; 16], [2; 16]].concat())),
        ),
        (
            "5.5",
            "working",
            "by_another",
            "the claim is another's",
            2,
            ClaimRenew { claim: k.claim }.into(),
        ),
        (
            "5.5",
            "working",
            "unknown",
            "there is no such claim",
            1,
            ClaimRenew { claim: unknown }.into(),
        ),
        (
            "5.5",
            "working",
            "by_another",
            "the claim is another's",
            2,
            ClaimRelease {
                claim: k.claim,
                tokens: None,
            }
            .into(),
        ),
        (
            "5.5",
            "working",
            "unknown",
            "there is no such claim",
            1,
            ClaimRelease {
                claim: unknown,
                tokens: None,
            }
            .into(),
        ),
        (
            "5.6",
            "working",
            "future",
            "three days ahead of log time",
            2,
            contact(w.now.plus(3 * DAY)).into(),
        ),
        (
            "5.6",
            "working",
            "cut_row",
            "the last row is cut off",
            2,
            ContactReport {
                rows: inline(&[1; 24]),
                ..contact(w.now)
            }
            .into(),
        ),
        (
            "5.7",
            "working",
            "no_rows",
            "it says nothing",
            2,
            Suppress {
                generation: 1,
                rows: inline(&[]),
            }
            .into(),
        ),
        (
            "5.7",
            "working",
            "unknown_channel",
            "there is no fifth channel",
            2,
            Suppress {
                generation: 1,
                rows: assertion(0b1_0000),
            }
            .into(),
        ),
        (
            "5.7",
            "working",
            "no_rows",
            "it says nothing",
            2,
            SuppressWithdraw {
                generation: 1,
                rows: inline(&[]),
            }
            .into(),
        ),
        (
            "5.8",
            "working",
            "to_itself",
            "sender and recipient are one",
            2,
            share(&|s| s.to = me),
        ),
        (
            "5.8",
            "working",
            "fields_out_of_order",
            "the field classes fall",
            2,
            share(&|s| s.fields.reverse()),
        ),
        (
            "5.8",
            "working",
            "nobody",
            "it has no persons",
            2,
            share(&|s| s.count = 0),
        ),
        (
            "5.8",
            "working",
            "unknown_consideration",
            "what is given for it is no word of the vocabulary",
            2,
            share(&|s| s.consideration.kind = "favour".to_owned()),
        ),
        (
            "5.8",
            "working",
            "price_without_evidence",
            "a price is claimed and no id proves it",
            2,
            share(&|s| s.consideration.kind = "fmv_paid".to_owned()),
        ),
        (
            "5.8",
            "working",
            "long_evidence",
            "the id of the evidence is too long",
            2,
            share(&|s| s.consideration.evidence = Some("7".repeat(101))),
        ),
        (
            "5.8",
            "working",
            "by_the_sender",
            "only the recipient answers",
            1,
            ShareReceived {
                share: k.share,
                accepted: 1,
                dropped: 0,
            }
            .into(),
        ),
        (
            "5.8",
            "working",
            "more_than_sent",
            "more rows than were announced",
            2,
            ShareReceived {
                share: k.share,
                accepted: 10,
                dropped: 1,
            }
            .into(),
        ),
        (
            "5.9",
            "working",
            "by_the_recipient",
            "only the sender takes it back",
            2,
            revoke(k.share, 2).into(),
        ),
        (
            "5.9",
            "working",
            "more_than_shared",
            "more rows than were shared",
            1,
            revoke(k.share, 11).into(),
        ),
        (
            "5.9",
            "working",
            "by_the_sender",
            "only the recipient answers",
            1,
            NoticeAck { notice: k.notice }.into(),
        ),
        (
            "5.9",
            "working",
            "unknown",
            "there is no such notice",
            2,
            NoticeAck { notice: unknown }.into(),
        ),
        (
            "5.9",
            "working",
            "anothers_key",
            "signed by another member",
            2,
            receipt(&w, 1, statement(&w, &k, 4)).into(),
        ),
        (
            "5.9",
            "working",
            "more_than_taken_back",
            "more rows than the notice has",
            2,
            receipt(&w, 2, statement(&w, &k, 5)).into(),
        ),
        (
            "5.9",
            "working",
            "unknown_notice",
            "no notice before it has this id",
            2,
            receipt(&w, 2, with(&|s| s.notice = unknown)).into(),
        ),
        (
            "5.9",
            "working",
            "kept_without_ground",
            "a class is kept and no ground is named",
            2,
            receipt(&w, 2, with(&|s| keeps(s, ""))).into(),
        ),
        (
            "5.9",
            "working",
            "other_answer",
            "the rows were to be erased",
            2,
            receipt(&w, 2, with(&|s| s.result = ErasureResult::Restricted)).into(),
        ),
        (
            "5.9",
            "working",
            "partly",
            "a class is kept on a ground that is named",
            2,
            receipt(&w, 2, with(&|s| keeps(s, "accounts of gifts"))).into(),
        ),
        (
            "5.9",
            "working",
            "other_place",
            "it names another place of the notice",
            2,
            receipt(&w, 2, with(&|s| s.notice_position += 1)).into(),
        ),
        (
            "5.9",
            "working",
            "other_hash",
            "it names another hash of the notice",
            2,
            receipt(&w, 2, with(&|s| s.notice_hash.0[0] ^= 1)).into(),
        ),
        (
            "5.9",
            "working",
            "onward_of_another",
            "the onward notice is the sender's own",
            2,
            receipt(&w, 2, with(&|s| s.onward[0].notice = Some(k.notice))).into(),
        ),
        (
            "5.9",
            "working",
            "onward_to_another",
            "the onward notice went to somebody else",
            2,
            receipt(&w, 2, with(&|s| s.onward[0].to = w.id(1))).into(),
        ),
        (
            "5.9",
            "working",
            "onward_answer_made_up",
            "the onward notice has no answer yet",
            2,
            receipt(&w, 2, with(&|s| s.onward[0].receipt = Some(s.notice_hash))).into(),
        ),
        (
            "5.9",
            "working",
            "onward_twice",
            "an onward notice is listed twice",
            2,
            receipt(&w, 2, with(&|s| s.onward.push(s.onward[0]))).into(),
        ),
        (
            "5.9",
            "working",
            "onward_share_waits",
            "the share that passed the rows on is not announced yet",
            2,
            receipt(&w, 2, with(&|s| s.onward[0].notice = None)).into(),
        ),
        (
            "5.9",
            "working",
            "lift",
            "rows that may be used again",
            1,
            protocol::entry::share::Revoke {
                kind: RevokeKind::Lift,
                ..revoke(k.share, 2)
            }
            .into(),
        ),
        (
            "5.9",
            "working",
            "lifted_what_was_to_go",
            "the rows were to be erased",
            2,
            receipt(&w, 2, with(&|s| s.result = ErasureResult::Lifted)).into(),
        ),
        (
            "5.9",
            "working",
            "by_the_recipient",
            "only the sender excepts",
            2,
            exception(k.notice).into(),
        ),
        (
            "5.9",
            "working",
            "two_lines",
            "the reason has two lines",
            1,
            NoticeException {
                reason: "two\nlines".to_owned(),
                ..exception(k.notice)
            }
            .into(),
        ),
        (
            "5.9",
            "working",
            "nobody_approved",
            "it names nobody who answers for it",
            1,
            NoticeException {
                approver: String::new(),
                ..exception(k.notice)
            }
            .into(),
        ),
        (
            "5.9",
            "working",
            "by_the_sender",
            "only the recipient disputes",
            1,
            dispute(k.share, 3).into(),
        ),
        (
            "5.9",
            "working",
            "more_than_shared",
            "more rows than were shared",
            2,
            dispute(k.share, 11).into(),
        ),
        (
            "5.9",
            "working",
            "nothing_to_settle",
            "there is no such dispute",
            2,
            dispute(k.share, 0).into(),
        ),
        (
            "5.8",
            "working",
            "by_the_sender",
            "only the recipient uses a share",
            1,
            use_notice(k.share, 0).into(),
        ),
        (
            "5.8",
            "working",
            "unknown",
            "there is no such share",
            2,
            use_notice(EntryId([9; 16]), 0).into(),
        ),
        (
            "5.8",
            "working",
            "too_far_ahead",
            "it begins more than 90 days from now",
            2,
            use_notice(k.share, 91).into(),
        ),
        (
            "5.9",
            "working",
            "restriction",
            "rows that must not be used",
            1,
            protocol::entry::share::Revoke {
                kind: RevokeKind::Restriction,
                ..revoke(k.share, 2)
            }
            .into(),
        ),
        (
            "5.9",
            "working",
            "rectification",
            "rows to correct",
            1,
            protocol::entry::share::Revoke {
                kind: RevokeKind::Rectification,
                ..revoke(k.share, 2)
            }
            .into(),
        ),
        (
            "5.10",
            "working",
            "by_a_member",
            "only a keeper announces keys",
            1,
            keyset(2, w.id(0)).into(),
        ),
        (
            "5.10",
            "working",
            "generation_left_out",
            "generations follow one another",
            0,
            keyset(3, w.id(0)).into(),
        ),
        (
            "5.10",
            "working",
            "ahead",
            "its position is not behind",
            1,
            w.checkpoint(1, u64::MAX).into(),
        ),
        (
            "5.10",
            "working",
            "false_cosignature",
            "its cosignature is about another root",
            1,
            Checkpoint {
                root: Hash::ZERO,
                ..w.checkpoint(1, 3)
            }
            .into(),
        ),
        (
            "5.10",
            "working",
            "by_a_member",
            "only a keeper lets time pass",
            1,
            Tick {}.into(),
        ),
        (
            "5.11",
            "working",
            "only_keeper",
            "a log without a keeper would end",
            0,
            Leave {}.into(),
        ),
        (
            "5.11",
            "working",
            "only_keeper",
            "a log without a keeper would end",
            1,
            remove(w.id(0)).into(),
        ),
        (
            "5.11",
            "working",
            "oneself",
            "who wants to go leaves",
            1,
            remove(w.id(1)).into(),
        ),
        (
            "5.11",
            "working",
            "no_member",
            "it has never been a member",
            1,
            remove(w.id(4)).into(),
        ),
        (
            "5.11",
            "working",
            "open_proposal",
            "a proposal about this member is open",
            1,
            remove(w.id(2)).into(),
        ),
        (
            "5.11",
            "working",
            "two_lines",
            "its reason is more than one line",
            2,
            Remove {
                reason: "one\ntwo".to_owned(),
                ..remove(w.id(1))
            }
            .into(),
        ),
        (
            "5.11",
            "working",
            "own_removal",
            "nobody votes on its own removal",
            2,
            approval(&w, 2).into(),
        ),
        (
            "5.11",
            "working",
            "again",
            "its author has approved already",
            0,
            approval(&w, 2).into(),
        ),
        (
            "5.11",
            "working",
            "other_member",
            "the proposal is about another member",
            2,
            approval(&w, 1).into(),
        ),
    ];
    cases
        .into_iter()
        .map(|(section, start, name, why, author, entry)| {
            one(working, section, start, name, why, author, &entry)
        })
        .collect()
}

#[expect(clippy::too_many_lines, reason = "a table with a row per change")]
pub(crate) fn commits(working: &State) -> Vec<(String, Value)> {
    type Change = fn(&mut super::world::World, &mut Vec<(NodeId, [u8; 32])>, &mut Vec<NodeId>);
    let cases: [(&str, &str, usize, Change); 7] = [
        (
            "",
            "the inviter adds the newcomer that waits",
            1,
            |_, _, _| (),
        ),
        ("by_another", "another member invited it", 0, |_, _, _| ()),
        (
            "other_key",
            "the added key is not the one in the newcomer's document",
            1,
            |_, added, _| added[0].1[0] ^= 1,
        ),
        (
            "nobody_asked",
            "the added node never asked",
            1,
            |w, added, _| added[0].0 = w.id(4),
        ),
        (
            "removal",
            "too few agree that this member must go",
            1,
            |w, added, removed| {
                added.clear();
                removed.push(w.id(2));
            },
        ),
        ("by_a_stranger", "its author is no member", 4, |_, _, _| ()),
        (
            "removal_of_the_only_keeper",
            "the only keeper stays",
            1,
            |w, added, removed| {
                added.clear();
                removed.push(w.id(0));
            },
        ),
    ];
    let mut vectors = Vec::new();
    for (name, why, author, change) in cases {
        let mut world = world(working);
        let Inside::Commit {
            mut added,
            mut removed,
            author_key,
            opens,
            ..
        } = world.adding(author, 3)
        else {
            unreachable!()
        };
        change(&mut world, &mut added, &mut removed);
        let id = EntryId([0xaa; 16]);
        let header = super::world::header(
            world.id(author),
            id,
            Class::Control,
            protocol::envelope::Form::Commit,
            Vec::new(),
        );
        let said = world.next(
            author,
            id,
            header,
            Inside::Commit {
                added,
                removed,
                author_key,
                opens,
                rejoin: false,
            },
        );
        vectors.push(vector(world, "5.1", "working", COMMIT, name, why, said));
    }
    vectors.extend(returns(working));
    vectors
}

/// Ways back into the group from outside.
fn returns(working: &State) -> Vec<(String, Value)> {
    let cases = [
        ("return", "a member takes its own leaf again", 2, false),
        ("return_of_a_stranger", "its author is no member", 4, false),
        (
            "return_with_another_key",
            "its key is not the one in its document",
            2,
            true,
        ),
    ];
    let mut vectors = Vec::new();
    for (name, why, author, other_key) in cases {
        let mut world = world(working);
        let mut inside = world.returning(author);
        if let Inside::Commit {
            author_key: Some(key),
            ..
        } = &mut inside
        {
            key[0] ^= u8::from(other_key);
        }
        let id = EntryId([0xaa; 16]);
        let form = protocol::envelope::Form::Commit;
        let author_id = world.id(author);
        let header = super::world::header(author_id, id, Class::Control, form, Vec::new());
        let said = world.next(author, id, header, inside);
        vectors.push(vector(world, "5.1", "working", COMMIT, name, why, said));
    }
    vectors
}
