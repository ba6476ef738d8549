//! The canvass history of the organization that knocks and calls with VAN.

use jiff::ToSpan;
use jiff::civil::Date;

use super::draw::{Draw, Stream};
use super::lists::{OptOut, Row};
use super::profiles::Profile;
use super::{PersonId, World};

/// One attempt to reach somebody.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// VANID of whom; of nobody on the list where `person` is none.
    pub key: String,
    /// Who it is on the list.
    pub person: Option<PersonId>,
    /// Surname and given name.
    pub name: String,
    /// The result: the short name where a source confirms it, else the full name.
    pub result: &'static str,
    /// Contact type.
    pub contact_type: &'static str,
    /// Day of the attempt.
    pub day: Date,
    /// Hour and minute, where the file says.
    pub time: Option<(u32, u32)>,
    /// Days from the attempt until somebody typed it in.
    pub days_until_entered: u32,
    /// Whose attempt.
    pub committee: &'static str,
    /// Made by the organization whose file it is.
    pub own: bool,
}

/// All attempts in one exported file, oldest first.
#[derive(Clone, Debug)]
pub struct CommitteeHistory {
    /// The attempts.
    pub attempts: Vec<Attempt>,
}

/// The result that no table of codes knows.
pub(crate) const UNKNOWN_RESULT: &str = "Porch Chat";
const OTHER_COMMITTEE: &str = "Marlow County Party Committee";
const DAYS: u32 = 45;
const CALLED_OR_VISITED: u32 = 420;

/// Results of a visit and of a call with their share of a hundred.
const WALK: &[(&str, u32)] = &[
    ("Not Home", 52),
    ("CV", 26),
    ("Refused", 7),
    ("Inaccessible", 5),
    ("Moved", 4),
    ("XW", 3),
    ("DC", 1),
    (UNKNOWN_RESULT, 2),
];
const PHONE: &[(&str, u32)] = &[
    ("Not Home", 48),
    ("CV", 18),
    ("CB", 8),
    ("Wrong Number", 10),
    ("WX", 8),
    ("XC", 6),
    ("XT", 1),
    ("DC", 1),
];

impl Attempt {
    /// The opt-out that the result asserts about the person.
    #[must_use]
    pub fn opt_out(&self) -> Option<OptOut> {
        match self.result {
            "XW" => Some(OptOut::DoNotWalk),
            "XC" => Some(OptOut::DoNotCall),
            "XT" => Some(OptOut::DoNotText),
            "DC" => Some(OptOut::Deceased),
            _ => None,
        }
    }

    /// A visit, as against a call.
    #[must_use]
    pub fn at_the_door(&self) -> bool {
        self.contact_type == "Walk"
    }
}

pub(crate) fn draw(world: &World, profile: &Profile, rows: &[Row]) -> CommitteeHistory {
    let mut draw = Draw::new(world.seed, Stream::History);
    let mut attempts = Vec::new();
    for row in rows {
        if !draw.per_mille(CALLED_OR_VISITED) {
            continue;
        }
        for _ in 0..draw.between(1, 2) {
            if let Some(attempt) = attempt(world, profile, row, &mut draw) {
                attempts.push(attempt);
            }
        }
    }
    make_foreign(&mut attempts, &mut draw);
    attempts
        .sort_by(|a, b| (a.day, a.time, &a.key, a.result).cmp(&(b.day, b.time, &b.key, b.result)));
    CommitteeHistory { attempts }
}

/// One attempt on a contact point that the row really has.
fn attempt(world: &World, profile: &Profile, row: &Row, draw: &mut Draw) -> Option<Attempt> {
    let door = row
        .address
        .as_ref()
        .is_some_and(|address| address.key().is_some());
    let phone = row
        .mobile
        .or(row.landline)
        .is_some_and(|cell| cell.form.is_contact_point());
    let visit = match (door, phone) {
        (true, true) => draw.per_mille(650),
        (true, false) => true,
        (false, true) => false,
        (false, false) => return None,
    };
    let back = draw.between(1, DAYS);
    Some(Attempt {
        key: row.key.clone(),
        person: Some(row.person),
        name: format!("{}, {}", row.surname, row.given),
        result: result(if visit { WALK } else { PHONE }, draw),
        contact_type: if visit { "Walk" } else { "Phone" },
        day: world.as_of.saturating_sub(i64::from(back).days()),
        time: draw
            .per_mille(100)
            .then(|| (draw.between(10, 19), draw.between(0, 59))),
        // Nothing is typed in after the export.
        days_until_entered: if draw.per_mille(200) {
            draw.between(1, 4).min(back)
        } else {
            0
        },
        committee: profile.name,
        own: true,
    })
}

fn result(table: &[(&'static str, u32)], draw: &mut Draw) -> &'static str {
    let mut left = draw.below(table.iter().map(|(_, share)| share).sum());
    for (name, share) in table {
        if left < *share {
            return name;
        }
        left -= share;
    }
    "Not Home"
}

/// Gives some attempts to another committee, and makes some about people who are on no list. Only results that
/// assert nothing about a person are given away: the truth then does not hang on who may assert what.
fn make_foreign(attempts: &mut [Attempt], draw: &mut Draw) {
    for attempt in attempts {
        let harmless = matches!(attempt.result, "Not Home" | "CV");
        if harmless && draw.per_mille(90) {
            attempt.committee = OTHER_COMMITTEE;
            attempt.own = false;
        } else if harmless && draw.per_mille(20) {
            attempt.key = format!("9{}", attempt.key);
            attempt.person = None;
            attempt.name = "Nemo, Quill".to_owned();
        }
    }
}
