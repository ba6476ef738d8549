//! A synthetic county: households behind doors, with names, telephones, e-mail addresses and voter ids.
//!
//! Everything follows from a seed, and no clock is read. [`World`] holds the people, [`Organizations`] the
//! overlapping lists that four allied organizations have of them, [`Truth`] what a correct coalition must find.

pub mod consent;
mod draw;
mod history;
mod lists;
mod names;
mod phones;
mod places;
mod profiles;
mod traps;
mod truth;

#[cfg(test)]
mod tests;

pub use history::{Attempt, CommitteeHistory};
pub use lists::{
    Birth, EXTRA_CELLS_KEY, List, OptOut, Organizations, PhoneCell, RAGGED_KEY, Row,
    WrittenAddress, ZipForm,
};
pub use phones::{Phone, PhoneForm};
pub use places::{COUNTY, Door, STATE, Word};
pub use profiles::{OrganizationKind, Profile};
pub use traps::Trap;
pub use truth::{
    ConsentTruth, HistoryTruth, NeverFlow, NeverReason, OptedOut, OrganizationTruth, PairOverlap,
    SharedPerson, Truth,
};

pub(crate) use draw::{Draw, Stream};
pub(crate) use lists::{first_row, row_key};
pub(crate) use names::without_accents;

use jiff::civil::{Date, date};

/// The number of a person in the world: the truth's identity, on no list.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct PersonId(pub u32);

/// Somebody who lives in the county.
#[derive(Clone, Debug)]
pub struct Person {
    /// Who.
    pub id: PersonId,
    /// Given name.
    pub given: &'static str,
    /// Surname.
    pub surname: &'static str,
    /// `Jr` where a parent at the same door has the same name.
    pub suffix: Option<&'static str>,
    /// Birth date.
    pub birth: Date,
    /// Where the person lives.
    pub door: Door,
    /// Own telephone.
    pub mobile: Option<Phone>,
    /// The household's telephone.
    pub landline: Option<Phone>,
    /// E-mail address, sometimes shared by the household.
    pub email: Option<String>,
    /// The state's voter id: twelve digits, leading zeros included.
    pub voter_id: String,
    /// Signs up with several organizations more readily than others do.
    pub(crate) engaged: bool,
}

/// The synthetic county.
#[derive(Clone, Debug)]
pub struct World {
    /// What everything follows from.
    pub seed: u64,
    /// The day on which the lists are exported; canvass history ends the day before.
    pub as_of: Date,
    /// The people; a person's id is the place in this list.
    pub people: Vec<Person>,
}

impl World {
    /// The export day when none is given.
    pub const AS_OF: Date = date(2026, 9, 15);

    /// A county of exactly this many people.
    #[must_use]
    pub fn generate(seed: u64, population: u32) -> Self {
        Self::generate_as_of(seed, population, Self::AS_OF)
    }

    /// A county whose lists are exported on this day, so that a demo's canvass history is recent.
    #[must_use]
    pub fn generate_as_of(seed: u64, population: u32, as_of: Date) -> Self {
        let people = County::new(Draw::new(seed, Stream::County))
            .take(population as usize)
            .collect();
        Self {
            seed,
            as_of,
            people,
        }
    }

    /// The person with this id.
    ///
    /// # Panics
    ///
    /// If the id is of another, larger world.
    #[must_use]
    pub fn person(&self, id: PersonId) -> &Person {
        &self.people[id.0 as usize]
    }
}

/// The people of the county in the order of their doors, without an end.
pub(crate) struct County {
    draw: Draw,
    doors: places::Doors,
    next_person: u32,
    next_phone: u64,
    /// The rest of the household, last one first.
    waiting: Vec<Person>,
}

const DOMAINS: &[&str] = &["example.org", "example.com", "example.net"];
/// One to five people at a door, weighted as households are.
const HOUSEHOLD_SIZES: &[u32] = &[1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 4, 4, 5];

impl County {
    pub(crate) fn new(draw: Draw) -> Self {
        Self {
            draw,
            doors: places::Doors::new(),
            next_person: 0,
            next_phone: 0,
            waiting: Vec::new(),
        }
    }

    fn phone(&mut self) -> Phone {
        self.next_phone += 1;
        Phone::nth(self.next_phone - 1)
    }

    fn household(&mut self) -> Vec<Person> {
        let door = self.doors.next(&mut self.draw);
        let size = *self.draw.pick(HOUSEHOLD_SIZES);
        let landline = if self.draw.per_mille(380) {
            Some(self.phone())
        } else {
            None
        };
        let surname = *self.draw.pick(names::SURNAMES);
        let mut members = Vec::new();
        for place in 0..size {
            let surname = if place > 0 && self.draw.per_mille(180) {
                *self.draw.pick(names::SURNAMES)
            } else {
                surname
            };
            let member = self.person(place, surname, &door, landline);
            members.push(member);
        }
        self.share(&mut members);
        members
    }

    fn person(
        &mut self,
        place: u32,
        surname: &'static str,
        door: &Door,
        landline: Option<Phone>,
    ) -> Person {
        let id = self.next_person;
        self.next_person += 1;
        let given = *self.draw.pick(names::GIVEN);
        // The first two are of any age, the others young adults.
        let year = if place < 2 {
            self.draw.between(1_936, 2_004)
        } else {
            self.draw.between(1_996, 2_008)
        };
        let month = i8::try_from(self.draw.between(1, 12)).expect("a month");
        let day = i8::try_from(self.draw.between(2, 28)).expect("a day of every month");
        Person {
            id: PersonId(id),
            given,
            surname,
            suffix: None,
            birth: date(i16::try_from(year).expect("a year"), month, day),
            door: door.clone(),
            mobile: if self.draw.per_mille(860) {
                Some(self.phone())
            } else {
                None
            },
            landline,
            email: if self.draw.per_mille(740) {
                Some(self.email(id, given, surname))
            } else {
                None
            },
            voter_id: format!("{:012}", u64::from(id) * 48_271 + 31_337),
            engaged: self.draw.per_mille(250),
        }
    }

    /// The number in the address is the person's own, so no two people get the same one by accident.
    fn email(&mut self, id: u32, given: &str, surname: &str) -> String {
        let plain = |name: &str| -> String {
            without_accents(name)
                .chars()
                .filter(char::is_ascii_alphanumeric)
                .collect::<String>()
                .to_lowercase()
        };
        let (given, surname) = (plain(given), plain(surname));
        let initial = given.chars().next().unwrap_or('x');
        let local = match self.draw.below(3) {
            0 => format!("{given}.{surname}{id}"),
            1 => format!("{initial}{surname}{id}"),
            _ => format!("{surname}.{given}{id}"),
        };
        format!("{local}@{}", self.draw.pick(DOMAINS))
    }

    /// Lets some households share an e-mail address, and some children have a parent's whole name.
    fn share(&mut self, members: &mut [Person]) {
        let email_is_shared = self.draw.per_mille(60);
        let name_is_shared = self.draw.per_mille(25);
        let Some((first, others)) = members.split_first_mut() else {
            return;
        };
        if email_is_shared && first.email.is_some() {
            for other in others.iter_mut() {
                other.email.clone_from(&first.email);
            }
        }
        if name_is_shared && let Some(child) = others.get_mut(1) {
            (child.given, child.surname, child.suffix) = (first.given, first.surname, Some("Jr"));
        }
    }
}

impl Iterator for County {
    type Item = Person;

    fn next(&mut self) -> Option<Person> {
        if self.waiting.is_empty() {
            self.waiting = self.household();
            self.waiting.reverse();
        }
        self.waiting.pop()
    }
}
