//! Everybody offers their people to everybody else; the gate decides who goes where.

use super::super::observed::ShareSeen;
use super::super::report::{Share, Withheld};
use super::lists::number;
use super::{LIST, PATIENCE, Table};
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const PURPOSE: &str = "issue_advocacy";
/// What the keeper's organization passes on, and what the others do.
const FIELDS: [&[&str]; 2] = [&["identity", "postal", "phone"], &["identity", "postal"]];

impl Table<'_> {
    /// Every organization shares with all others in one command.
    pub(super) async fn shares(&mut self) -> Result<()> {
        let names: Vec<String> = self
            .parties
            .iter()
            .map(|party| party.bring.name.clone())
            .collect();
        for seat in 0..self.parties.len() {
            let party = &self.parties[seat];
            let fields = FIELDS[usize::from(seat > 0)];
            let joined = fields.join(",");
            let mut words = vec![
                "share",
                "send",
                "--list",
                LIST,
                "--purpose",
                PURPOSE,
                "--fields",
                &joined,
            ];
            words.push("--to");
            words.extend(
                names
                    .iter()
                    .filter(|name| **name != party.bring.name)
                    .map(String::as_str),
            );
            let answer = party
                .node
                .run(&words)
                .await
                .with_context(|| party.cannot("share", LIST))?;
            for recipient in answer["recipients"].as_array().into_iter().flatten() {
                self.note_share(seat, fields, recipient);
            }
        }
        self.done("people who agreed are shared");
        self.await_answers().await?;
        self.done("every recipient has taken what it may have");
        Ok(())
    }

    fn note_share(&mut self, seat: usize, fields: &[&str], recipient: &Value) {
        let to = recipient["name"].as_str().unwrap_or_default().to_owned();
        let sent = if recipient["share"].is_null() {
            0
        } else {
            number(recipient, "flow")
        };
        let withheld = recipient["withheld"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|rule| Withheld {
                rule: rule["rule"].as_str().unwrap_or_default().to_owned(),
                reason: rule["reason"].as_str().unwrap_or_default().to_owned(),
                people: number(rule, "people"),
            });
        let fields: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
        self.observed.shares.push(ShareSeen {
            from: self.parties[seat].bring.slug.clone(),
            to: self.slug_of(&to),
            fields: fields.iter().cloned().collect::<BTreeSet<_>>(),
            sent: usize::try_from(sent).unwrap_or(usize::MAX),
            dropped: 0,
            taken_back: 0,
            rows: Vec::new(),
        });
        self.parties[seat].about.shares.push(Share {
            to,
            purpose: PURPOSE.to_owned(),
            fields,
            of: number(recipient, "people"),
            sent,
            accepted: 0,
            dropped: BTreeMap::new(),
            withheld: withheld.filter(|rule| rule.people > 0).collect(),
        });
    }

    /// Waits until each recipient has said how many it took.
    async fn await_answers(&mut self) -> Result<()> {
        for party in &mut self.parties {
            let answered = |answer: &Value| {
                let shares = answer["items"].as_array()?;
                let all = shares.iter().all(|share| !share["accepted"].is_null());
                all.then(|| shares.clone())
            };
            let words = ["share", "list"];
            let shares = party
                .node
                .until("all shares are answered", PATIENCE, &words, answered)
                .await?;
            for share in &shares {
                let of_share =
                    |given: &&mut Share| given.to == share["name"].as_str().unwrap_or_default();
                if let Some(given) = party.about.shares.iter_mut().find(of_share) {
                    given.accepted = number(share, "accepted");
                }
            }
        }
        self.why_dropped().await
    }

    /// What each recipient's own gate had against rows that were sent to it: the recipient knows, its
    /// answer tells the sender whole cells.
    async fn why_dropped(&mut self) -> Result<()> {
        let mut dropped = Vec::new();
        for seat in 0..self.parties.len() {
            let party = &self.parties[seat];
            let (to, slug) = (party.bring.name.clone(), party.bring.slug.clone());
            let received = party.node.run(&["received", "list"]).await?;
            for share in received["items"].as_array().into_iter().flatten() {
                let from = share["name"].as_str().unwrap_or_default().to_owned();
                let count = number(share, "announced") - number(share, "accepted");
                dropped.push((from, slug.clone(), count));
                let sender = self
                    .parties
                    .iter_mut()
                    .find(|party| share["name"] == party.bring.name);
                let given = sender
                    .and_then(|sender| sender.about.shares.iter_mut().find(|given| given.to == to));
                let Some(given) = given else { continue };
                for (rule, count) in share["dropped"]["people"].as_object().into_iter().flatten() {
                    given
                        .dropped
                        .insert(rule.clone(), count.as_u64().unwrap_or(0));
                }
            }
        }
        for (name, to, count) in dropped {
            let from = self.slug_of(&name);
            let of_pair = |share: &&mut ShareSeen| share.from == from && share.to == to;
            if let Some(share) = self.observed.shares.iter_mut().find(of_pair) {
                share.dropped = usize::try_from(count)?;
            }
        }
        Ok(())
    }
}
