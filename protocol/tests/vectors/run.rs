//! Runs one vector.

use super::{
    file::{bytes, state, variant},
    world::header,
};
use protocol::{
    blob::BlobId,
    chain::LogItem,
    codec,
    entry::{Class, Entry},
    envelope::Form,
    fold::{self, At, Content, Outcome},
    id::{EntryId, Hash, NodeId},
    time::Moment,
};
use serde_json::Value;

/// Reads an entry; gives its kind and class.
pub(crate) fn entry(vector: &Value) -> Result<String, String> {
    let read: Entry = codec::decode(&bytes(&vector["entry"])).map_err(|error| variant(&error))?;
    assert_eq!(read.kind(), vector["kind"].as_str().unwrap());
    Ok(format!("{} {}", read.kind(), class_name(read.class())))
}

fn class_name(class: Class) -> &'static str {
    match class {
        Class::Control => "control",
        Class::Claims => "claims",
        Class::Data => "data",
    }
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value)
        .try_into()
        .expect("an array of the right length")
}

fn node(value: &Value) -> NodeId {
    value.as_str().unwrap().parse().unwrap()
}

/// Folds an entry or commit into a state; gives what it did and the hash of the state after it.
pub(crate) fn fold(vector: &Value) -> Result<String, String> {
    let mut state = state(vector["state"].as_str().unwrap());
    let item = LogItem {
        position: state.meta().head.position + 1,
        log_time: Moment(vector["log_time"].as_i64().unwrap()),
        sealed: bytes(&vector["sealed"]),
    };
    let at = At {
        position: item.position,
        time: item.log_time,
        author: node(&vector["author"]),
        entry: EntryId(array(&vector["entry_id"])),
    };
    let class = [Class::Control, Class::Claims, Class::Data]
        .into_iter()
        .find(|class| class_name(*class) == vector["class"].as_str().unwrap())
        .unwrap();
    let blobs = vector["blobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|blob| BlobId(Hash(array(blob))))
        .collect();
    fold::advance(&mut state, &item).unwrap();
    let advanced = state.clone();
    let outcome = if vector["commit"].is_null() {
        let evidence = &vector["evidence"];
        let evidence = (!evidence.is_null()).then(|| Hash(array(evidence)));
        let header =
            header(at.author, at.entry, class, Form::Application, blobs).with_evidence(evidence);
        let entry: Entry = codec::decode(&bytes(&vector["entry"])).unwrap();
        let rows = (!vector["rows"].is_null()).then(|| bytes(&vector["rows"]));
        fold::apply(
            &mut state,
            at,
            &header,
            Content::Entry(&entry, rows.as_deref()),
        )
    } else {
        let header = header(at.author, at.entry, class, Form::Commit, blobs);
        let commit = &vector["commit"];
        let list = |field: &str| commit[field].as_array().unwrap().clone();
        let added: Vec<_> = list("added")
            .iter()
            .map(|one| (node(&one[0]), array(&one[1])))
            .collect();
        let removed: Vec<_> = list("removed").iter().map(node).collect();
        let content = Content::Commit {
            added: &added,
            removed: &removed,
            author_key: Some(array(&commit["author_key"])),
            opens: commit["opens"].as_u64().unwrap(),
            rejoin: commit["rejoin"].as_bool().unwrap(),
        };
        fold::apply(&mut state, at, &header, content)
    };
    match outcome {
        Ok(outcome) => Ok(format!("{}; state {}", words(&outcome), state.hash())),
        Err(void) => {
            assert_eq!(state, advanced, "what is void changes nothing");
            Err(variant(&void))
        }
    }
}

fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done => "done".to_owned(),
        Outcome::Claim(decision) => {
            format!(
                "granted {}, refused {}",
                decision.granted.len(),
                decision.refused.len()
            )
        }
        Outcome::AgreementInForce(hash) => format!("agreement {hash} in force"),
        Outcome::Parted(claims) => format!("parted, claims ended {}", claims.len()),
    }
}
