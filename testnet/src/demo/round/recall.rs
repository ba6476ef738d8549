//! Somebody changes their mind while the recipient's node is down.

use super::super::observed::NoticeSeen;
use super::super::report::Revocation;
use super::{LIST, PATIENCE, Table};
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// How many people are asked after before the demo gives up finding one whom an ally holds.
const ASKED: usize = 300;

/// Letters that most names have one of.
const VOWELS: [&str; 6] = ["a", "e", "i", "o", "u", "y"];

/// A person to take back.
struct Chosen {
    /// A reference that the sender's node understands.
    person: String,
    /// Who holds the row: places at the table.
    holders: Vec<usize>,
    /// E-mail addresses and telephones that only the sender and the share have.
    gone: BTreeMap<usize, (BTreeSet<String>, BTreeSet<String>)>,
}

impl Table<'_> {
    /// The first organization takes back a person; one holder is down and comes back afterwards.
    pub(super) async fn recall(&mut self) -> Result<()> {
        let Some(chosen) = self.choose().await? else {
            return Ok(());
        };
        let down = *chosen.holders.first().context("somebody holds the row")?;
        self.parties[down].node.stop().await?;
        let sender = &self.parties[0];
        let revoked = sender
            .node
            .run(&["revoke", "--person", &chosen.person])
            .await;
        let revoked = revoked.with_context(|| sender.cannot("take back", &chosen.person))?;
        let notices = revoked["notices"].as_array().map_or(0, Vec::len);
        self.done(&format!(
            "{} took a person back while {} was down",
            self.parties[0].bring.name, self.parties[down].bring.name
        ));
        self.parties[down].node.start().await?;
        let receipts = self.receipts(notices).await?;
        for (slug, there) in &receipts {
            let to = self
                .parties
                .iter()
                .position(|party| party.bring.slug == *slug);
            let gone = to
                .and_then(|to| chosen.gone.get(&to))
                .cloned()
                .unwrap_or_default();
            self.observed.notices.push(NoticeSeen {
                from: self.parties[0].bring.slug.clone(),
                to: slug.clone(),
                receipt: *there,
                gone,
            });
            let from = &self.parties[0].bring.slug;
            let of_pair = |share: &&mut super::super::observed::ShareSeen| {
                share.from == *from && share.to == *slug
            };
            if let Some(share) = self.observed.shares.iter_mut().find(of_pair) {
                share.taken_back += usize::from(*there);
            }
        }
        let named = receipts
            .iter()
            .map(|(slug, there)| (self.name_of(slug), *there));
        self.report.revocation = Some(Revocation {
            by: self.parties[0].bring.name.clone(),
            receipts: named.collect(),
            was_down: self.parties[down].bring.name.clone(),
        });
        self.done("every holder erased the row and signed for it");
        Ok(())
    }

    /// Waits for the receipts; who has not signed in time stands there as such.
    async fn receipts(&self, notices: usize) -> Result<BTreeMap<String, bool>> {
        let sender = &self.parties[0].node;
        let all = |answer: &Value| {
            let items = answer["items"].as_array()?;
            let signed = items.iter().all(|item| !item["receipt_at"].is_null());
            (items.len() >= notices && signed).then_some(())
        };
        let patience = PATIENCE / 5;
        let waited = sender
            .until("all receipts are there", patience, &["receipts"], all)
            .await;
        let answer = sender.run(&["receipts"]).await?;
        let items = answer["items"].as_array().into_iter().flatten();
        let receipts = items.map(|item| {
            let slug = self.slug_of(item["name"].as_str().unwrap_or_default());
            (slug, !item["receipt_at"].is_null())
        });
        let receipts: BTreeMap<String, bool> = receipts.collect();
        if receipts.is_empty() {
            waited?;
        }
        Ok(receipts)
    }

    fn name_of(&self, slug: &str) -> String {
        let party = self.parties.iter().find(|party| party.bring.slug == slug);
        party
            .map(|party| party.bring.name.clone())
            .unwrap_or_default()
    }

    /// Somebody whom an ally holds: with the generator's knowledge one who is on no holder's own list,
    /// so that every trace must go; without it, the first one found.
    async fn choose(&self) -> Result<Option<Chosen>> {
        let sender = &self.parties[0];
        let candidates = match &self.known {
            Some(known) => self.strangers_to_allies(known),
            None => self.somebody_by_name().await?,
        };
        for person in candidates.into_iter().take(ASKED) {
            let held = sender.node.run(&["who-has", "--person", &person]).await?;
            let holders: BTreeSet<usize> = held["holders"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|holder| {
                    self.parties
                        .iter()
                        .position(|party| holder["name"] == party.bring.name)
                })
                .collect();
            if !holders.is_empty() {
                let gone = self
                    .known
                    .as_ref()
                    .map(|known| self.gone(known, &person))
                    .unwrap_or_default();
                let holders = holders.into_iter().collect();
                return Ok(Some(Chosen {
                    person,
                    holders,
                    gone,
                }));
            }
        }
        Ok(None)
    }

    /// Some people of the sender's list, by what names have in common.
    async fn somebody_by_name(&self) -> Result<Vec<String>> {
        let mut found = BTreeSet::new();
        for letter in VOWELS {
            let words = ["people", "search", "--list", LIST, letter];
            let answer = self.parties[0].node.run(&words).await?;
            let people = answer.as_array().into_iter().flatten();
            found.extend(people.filter_map(|row| row["person_id"].as_str().map(str::to_owned)));
        }
        Ok(found.into_iter().collect())
    }

    /// Keys of people whom the sender alone has on its list, and who have a telephone.
    fn strangers_to_allies(&self, known: &super::Known) -> Vec<String> {
        let Some(own) = known.lists.get(&self.parties[0].bring.slug) else {
            return Vec::new();
        };
        let others = known
            .lists
            .iter()
            .filter(|(slug, _)| **slug != self.parties[0].bring.slug);
        let known_to_others: BTreeSet<_> = others
            .flat_map(|(_, list)| list.rows.iter().map(|row| row.person))
            .collect();
        let alone = own
            .rows
            .iter()
            .filter(|row| !known_to_others.contains(&row.person) && !row.phones.is_empty());
        alone.map(|row| format!("van:{}", row.key)).collect()
    }

    /// What must be gone from each holder's files: contact points of the person that neither the
    /// holder's own list nor anybody else whom it may hold has.
    fn gone(
        &self,
        known: &super::Known,
        person: &str,
    ) -> BTreeMap<usize, (BTreeSet<String>, BTreeSet<String>)> {
        let own = known.lists.get(&self.parties[0].bring.slug);
        let rows = own.map(|list| list.rows.as_slice()).unwrap_or_default();
        let is_person = |row: &&super::super::known::KnownRow| format!("van:{}", row.key) == person;
        let Some(row) = rows.iter().find(is_person) else {
            return BTreeMap::new();
        };
        let mut phones: BTreeSet<String> = row.phones.iter().cloned().collect();
        let everybody = known.lists.values().flat_map(|list| &list.rows);
        for other in everybody.filter(|other| other.person != row.person) {
            for phone in &other.phones {
                phones.remove(phone);
            }
        }
        let emails: BTreeSet<String> = row.email.iter().cloned().collect();
        (1..self.parties.len())
            .map(|place| (place, (emails.clone(), phones.clone())))
            .collect()
    }
}
