//! Counting what the own list has in common with allies' lists, before anybody shares anything.
//!
//! Somebody chooses a list ([`list`]) and asks, or agrees to what an ally asks ([`say`]). From then on the
//! node works by itself ([`step`]): it raises lists, hands them on and counts. What came out is shown to
//! people ([`show`]) in whole cells; nobody learns which rows. Spec: `spec/protocol.md`, section 5.14.

pub mod list;
pub mod say;
pub mod show;
pub mod step;

pub use step::run;

use crate::{app::App, http::problem::Failure, shares::setting::Setting};
use policy::{PublicationKind, Purpose, ResultFacts, Verdict};
use protocol::{
    channel::Channel,
    id::{EntryId, NodeId},
    problem::ProblemKind,
    state::State,
    token::Kind,
};

/// So much of a count's id names it, if it names no other.
pub const ID_BEGINNING: usize = 6;

/// The count whose id begins so.
///
/// # Errors
/// [`Failure`] when none or several do.
pub fn find(state: &State, beginning: &str) -> Result<EntryId, Failure> {
    let beginning = beginning.trim().to_ascii_lowercase();
    if beginning.len() < ID_BEGINNING {
        return Err(Failure::input(
            "name a count by its id, or at least the first six characters of it",
        ));
    }
    let mut fits = state.overlaps.iter().map(|(id, _)| *id);
    let mut fits = fits
        .by_ref()
        .filter(|id| id.to_string().starts_with(&beginning));
    match (fits.next(), fits.next()) {
        (Some(id), None) => Ok(id),
        (Some(_), Some(_)) => Err(Failure::input(
            "several counts begin so; give more characters of the id",
        )),
        (None, _) => Err(Failure::not_found(
            "no such count in the last 30 days; `commonturf overlap list` shows them",
        )),
    }
}

/// Refuses a count whose result one of those who would read it may not see, by agreement, law or own policy.
///
/// The result is about the people of every party, so each party and who counts is asked about as its reader.
async fn allowed(
    app: &App,
    parties: &[NodeId],
    counter: Option<NodeId>,
    purpose: Purpose,
    kind: Kind,
) -> Result<(), Failure> {
    let setting = Setting::current(app).await?;
    let channel = crate::shares::setting::policy_channel(channel_of(kind));
    for author in parties {
        let id = author.to_string();
        let races = setting
            .gate
            .publication(&id, PublicationKind::Plan, purpose, channel)
            .races;
        let result = ResultFacts {
            author: id,
            races,
            purpose,
            channel,
            aggregated: true,
            // Whole cells are told, and nothing else.
            min_cell_met: true,
        };
        for reader in parties
            .iter()
            .chain(&counter)
            .filter(|node| *node != author)
        {
            let verdict = setting
                .gate
                .view_result(&result, &reader.to_string(), app.now().0);
            if !verdict.allowed {
                return Err(Failure::new(
                    ProblemKind::Conflict,
                    format!(
                        "{} may not learn what is counted about people of {}: {}",
                        setting.name(&reader.to_string()),
                        setting.name(&author.to_string()),
                        because(&verdict)
                    ),
                ));
            }
        }
    }
    Ok(())
}

/// The first rule that says no, with its source.
fn because(verdict: &Verdict) -> String {
    let rule = verdict.refused_by.first();
    rule.map_or_else(String::new, |rule| {
        let cite = rule.cite.as_deref().unwrap_or_default();
        let cite = cite.trim_end_matches('.');
        let source = if cite.is_empty() {
            rule.id.clone()
        } else {
            format!("{}, {cite}", rule.id)
        };
        format!("{} ({source})", rule.reason)
    })
}

/// The channel on which people of a kind of key are reached, for rules that read it.
fn channel_of(kind: Kind) -> Channel {
    match kind {
        Kind::Phone => Channel::Phone,
        Kind::Email => Channel::Email,
        Kind::Door | Kind::VoterId | Kind::NsDobPostal | Kind::NameDoor => Channel::Door,
    }
}

/// What is counted by a kind of key, in words.
#[must_use]
pub fn counted(kind: Kind) -> &'static str {
    match kind {
        Kind::Door => "doors",
        Kind::Phone => "phone numbers",
        Kind::Email => "e-mail addresses",
        Kind::VoterId => "people by voter id",
        Kind::NsDobPostal => "people by name, birth date and postal code",
        Kind::NameDoor => "people by name and door",
    }
}
