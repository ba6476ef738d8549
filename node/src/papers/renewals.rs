//! Whose consent ends soon, so that somebody can ask again while it still holds.

use crate::{app::App, http::problem::Failure, store};
use policy::ConsentState;
use protocol::time::DAY;
use serde::Serialize;

/// The farthest that people look ahead, in days.
pub const DAYS_MAX: u32 = 3_650;
/// The most people that the list names; the counts are whole.
pub const ROWS: usize = 10_000;
/// Records read at once.
const PAGE: i64 = 1_000;

/// The list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Renewals {
    /// How far it looks ahead.
    pub days: u32,
    /// Records that end within that time.
    pub ending: u64,
    /// Records that have ended and were neither renewed nor taken back.
    pub ended: u64,
    /// Those who are named, the first to end first; those who have ended come first of all.
    pub people: Vec<Renewal>,
}

/// One record that ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Renewal {
    /// When, in milliseconds since 1970; absent for what has ended.
    pub ends: Option<i64>,
    /// The person.
    pub person: String,
    /// The person's name.
    pub name: String,
    /// The record.
    pub record: String,
    /// The form that was signed.
    pub form: String,
}

/// Looks through all consent records.
///
/// # Errors
/// [`Failure`] when the time is out of bounds or the database fails.
pub async fn renewals(app: &App, days: u32) -> Result<Renewals, Failure> {
    if days == 0 || days > DAYS_MAX {
        return Err(Failure::input(format!(
            "days: look 1 to {DAYS_MAX} days ahead"
        )));
    }
    let now = app.now().0;
    let until = now.saturating_add(i64::from(days) * DAY);
    let mut list = Renewals {
        days,
        ..Renewals::default()
    };
    let mut after = String::new();
    loop {
        let mut db = app.store.read("looking whose consent ends").await?;
        let page = store::consent::page(&mut db, &after, PAGE).await?;
        let Some(last) = page.last() else {
            break;
        };
        last.record_id.clone_into(&mut after);
        for consent in page {
            let ends = match (
                consent.record.standing(now).state,
                consent.record.first_end(now),
            ) {
                (ConsentState::Expired, _) => None,
                (_, Some(end)) if end <= now => None,
                (_, Some(end)) if end <= until => Some(end),
                _ => continue,
            };
            *(if ends.is_some() {
                &mut list.ending
            } else {
                &mut list.ended
            }) += 1;
            if list.people.len() < ROWS {
                let person = store::person::find(&mut db, &consent.person_id).await?;
                list.people.push(Renewal {
                    ends,
                    name: person.map(|person| person.name()).unwrap_or_default(),
                    person: consent.person_id,
                    record: consent.record_id,
                    form: consent.form,
                });
            }
        }
    }
    list.people
        .sort_by(|a, b| (a.ends, &a.person).cmp(&(b.ends, &b.person)));
    Ok(list)
}
