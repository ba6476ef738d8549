//! The lists of the four organizations: who is on them, and how each row is written.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::draw::Draw;
use super::history::{self, CommitteeHistory};
use super::profiles::{OrganizationKind, Profile};
use super::traps::{self, Trap};
use super::{Door, Person, PersonId, Phone, PhoneForm, STATE, World, consent};

/// A mark by which a person, or the owner on the person's behalf, opted out of something.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum OptOut {
    /// No calls.
    DoNotCall,
    /// No visits.
    DoNotWalk,
    /// No texts.
    DoNotText,
    /// No e-mail.
    DoNotEmail,
    /// No contact on any channel, and never share.
    DoNotContact,
    /// Never share.
    DoNotTrade,
    /// Consent to the owner's e-mail withdrawn.
    Unsubscribed,
    /// Consent to the owner's texts withdrawn.
    TextUnsubscribed,
    /// Marked as dead.
    Deceased,
}

/// How a row gives the postal code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZipForm {
    /// `49981`
    Five,
    /// `49981-0123`
    PlusFour,
    /// The column is empty; the code stands at the end of the whole address.
    InAddressOnly,
    /// Nowhere: the row names no door.
    Missing,
}

/// An address as a row writes it.
#[derive(Clone, Debug)]
pub struct WrittenAddress {
    /// The door that is meant.
    pub door: Door,
    /// The street's name as written.
    pub street: String,
    /// Direction and suffix spelled out: "North Maple Street".
    pub spelled_out: bool,
    /// Label of the unit: "Apt ", "Unit ", "#".
    pub unit_label: &'static str,
    /// How the postal code is given.
    pub zip: ZipForm,
    /// The row has this post box in the place of the street.
    pub post_box: Option<u32>,
}

impl WrittenAddress {
    /// Number and street.
    #[must_use]
    pub fn street_line(&self) -> String {
        if let Some(number) = self.post_box {
            return format!("PO Box {number}");
        }
        let form = |word: &super::Word| {
            if self.spelled_out {
                word.long
            } else {
                word.short
            }
        };
        let direction = self
            .door
            .direction
            .map(|word| format!("{} ", form(word)))
            .unwrap_or_default();
        format!(
            "{} {direction}{} {}",
            self.door.number_text(),
            self.street,
            form(self.door.suffix)
        )
    }

    /// Label and unit, or nothing.
    #[must_use]
    pub fn unit_line(&self) -> String {
        match &self.door.unit {
            Some(unit) if self.post_box.is_none() => format!("{}{unit}", self.unit_label),
            _ => String::new(),
        }
    }

    /// Number, street and unit.
    #[must_use]
    pub fn one_line(&self) -> String {
        format!("{} {}", self.street_line(), self.unit_line())
            .trim_end()
            .to_owned()
    }

    /// The postal code's own column.
    #[must_use]
    pub fn zip_column(&self) -> String {
        match self.zip {
            ZipForm::Five => self.door.zip.to_owned(),
            ZipForm::PlusFour => format!("{}-{:04}", self.door.zip, 100 + self.door.number % 900),
            ZipForm::InAddressOnly | ZipForm::Missing => String::new(),
        }
    }

    /// Street, unit, town, state and, unless it is missing, the postal code.
    #[must_use]
    pub fn whole(&self) -> String {
        let zip = match self.zip {
            ZipForm::Missing => "",
            ZipForm::Five | ZipForm::PlusFour | ZipForm::InAddressOnly => self.door.zip,
        };
        format!("{}, {}, {STATE} {zip}", self.one_line(), self.door.city)
            .trim_end()
            .to_owned()
    }

    /// The door that the row names under exact normalization, if it names one.
    #[must_use]
    pub fn key(&self) -> Option<String> {
        let names_a_door = self.post_box.is_none() && self.zip != ZipForm::Missing;
        names_a_door.then(|| self.door.key_with_street(&self.street))
    }
}

/// A telephone number and how its cell is written.
#[derive(Clone, Copy, Debug)]
pub struct PhoneCell {
    /// The number.
    pub phone: Phone,
    /// Its form.
    pub form: PhoneForm,
}

/// The content of a birth date cell.
#[derive(Clone, Copy, Debug)]
pub enum Birth {
    /// A date.
    Date(Date),
    /// `1900-01-01`: stands for "not known".
    Placeholder,
    /// The 31st of February.
    Impossible,
}

/// One row of one list.
#[derive(Clone, Debug)]
pub struct Row {
    /// The organization's own id of the row.
    pub key: String,
    /// Who it is about.
    pub person: PersonId,
    /// Given name as written.
    pub given: String,
    /// Surname as written.
    pub surname: String,
    /// `Jr`, in formats with a column for it.
    pub suffix: Option<&'static str>,
    /// Address.
    pub address: Option<WrittenAddress>,
    /// The person's telephone.
    pub mobile: Option<PhoneCell>,
    /// The household's telephone.
    pub landline: Option<PhoneCell>,
    /// E-mail address as written.
    pub email: Option<String>,
    /// Birth date.
    pub birth: Option<Birth>,
    /// The state's voter id.
    pub voter_id: Option<String>,
    /// Labels; `party:...` marks a partisan one.
    pub tags: Vec<String>,
    /// Free text with a quotation and a line break.
    pub note: Option<String>,
    /// Opt-outs that the row itself shows.
    pub opt_outs: BTreeSet<OptOut>,
    /// The version of the consent form that the person signed.
    pub form: Option<&'static str>,
    /// What is difficult about the row.
    pub traps: BTreeSet<Trap>,
}

/// Key of the file line that breaks off after the name. It holds no contact point, so no count of contact points
/// hangs on how a reader treats it.
pub const RAGGED_KEY: &str = "900000001";
/// Key of the file line with two cells more than there are headers; it holds no contact point either.
pub const EXTRA_CELLS_KEY: &str = "900000002";

/// The list of one organization.
#[derive(Clone, Debug)]
pub struct List {
    /// Whose.
    pub profile: &'static Profile,
    /// The well-formed rows, in file order.
    pub rows: Vec<Row>,
    /// Canvass history, where the organization exports one.
    pub history: Option<CommitteeHistory>,
}

/// Four organizations with overlapping lists.
#[derive(Clone, Debug)]
pub struct Organizations {
    /// In the order of [`OrganizationKind::ALL`].
    pub lists: Vec<List>,
}

impl Organizations {
    /// Draws four lists of this many people each (or the whole world, if it is smaller); some rows are doubled.
    #[must_use]
    pub fn draw(world: &World, size: usize) -> Self {
        Self {
            lists: OrganizationKind::ALL
                .map(|kind| draw_list(world, kind.profile(), size))
                .into(),
        }
    }

    /// The list of one organization.
    ///
    /// # Panics
    ///
    /// Never: all four kinds are drawn.
    #[must_use]
    pub fn list(&self, kind: OrganizationKind) -> &List {
        self.lists
            .iter()
            .find(|list| list.profile.kind == kind)
            .expect("all four kinds are drawn")
    }
}

fn draw_list(world: &World, profile: &'static Profile, size: usize) -> List {
    let mut draw = Draw::new(world.seed, profile.stream());
    let people = choose(world, size, &mut draw);
    let mut rows = Vec::with_capacity(people.len());
    for (place, id) in people.into_iter().enumerate() {
        let key = row_key(profile.kind, place, &mut draw);
        rows.push(first_row(profile, world.person(id), key, &mut draw));
    }
    consent::sign(profile.kind, &mut rows, &mut draw);
    traps::set(world, profile, &mut rows, &mut draw);
    let history =
        (profile.kind == OrganizationKind::C4).then(|| history::draw(world, profile, &rows));
    List {
        profile,
        rows,
        history,
    }
}

/// Draws people without returning them; the engaged ones have three tickets each.
fn choose(world: &World, size: usize, draw: &mut Draw) -> Vec<PersonId> {
    let mut tickets: Vec<(u64, PersonId)> = Vec::with_capacity(world.people.len());
    for person in &world.people {
        let count = if person.engaged { 3 } else { 1 };
        let best = (0..count).map(|_| draw.word()).min().unwrap_or(u64::MAX);
        tickets.push((best, person.id));
    }
    tickets.sort_unstable();
    tickets.truncate(size);
    let mut chosen: Vec<_> = tickets.into_iter().map(|(_, id)| id).collect();
    draw.shuffle(&mut chosen);
    chosen
}

/// An id as the organization's system gives it; `place` makes it unique.
pub(crate) fn row_key(kind: OrganizationKind, place: usize, draw: &mut Draw) -> String {
    match kind {
        OrganizationKind::C3 => {
            let (high, low) = (draw.word(), draw.word());
            let (a, b, c) = (high >> 32, (high >> 16) & 0xffff, high & 0xfff);
            format!(
                "{a:08x}-{b:04x}-4{c:03x}-a{:03x}-{:012x}",
                low >> 52,
                (low << 32 >> 16) | (place as u64 & 0xffff)
            )
        }
        OrganizationKind::C4 => (100_200_300 + place * 17).to_string(),
        OrganizationKind::Union => (1_001 + place).to_string(),
        OrganizationKind::Pac => (70_001 + place * 3).to_string(),
    }
}

pub(crate) fn first_row(profile: &Profile, person: &Person, key: String, draw: &mut Draw) -> Row {
    const PLAIN_FORMS: &[PhoneForm] = &[
        PhoneForm::Digits,
        PhoneForm::Digits,
        PhoneForm::Brackets,
        PhoneForm::Dashes,
    ];
    const UNIT_LABELS: &[&str] = &["Apt ", "Apt ", "Unit ", "#"];
    let mut cell = |phone: Option<Phone>, rate: u32| {
        phone
            .filter(|_| draw.per_mille(rate))
            .map(|phone| PhoneCell {
                phone,
                form: *draw.pick(PLAIN_FORMS),
            })
    };
    let mobile = cell(person.mobile, profile.mobile);
    let mut landline = cell(person.landline, profile.landline);
    if profile.one_phone && mobile.is_some() {
        landline = None;
    }
    Row {
        key,
        person: person.id,
        given: person.given.to_owned(),
        surname: person.surname.to_owned(),
        suffix: person.suffix,
        address: draw.per_mille(profile.address).then(|| WrittenAddress {
            door: person.door.clone(),
            street: person.door.street.to_owned(),
            spelled_out: draw.per_mille(150),
            unit_label: UNIT_LABELS[draw.index(UNIT_LABELS.len())],
            zip: ZipForm::Five,
            post_box: None,
        }),
        mobile,
        landline,
        email: person
            .email
            .clone()
            .filter(|_| draw.per_mille(profile.email)),
        birth: profile.birth.then_some(Birth::Date(person.birth)),
        voter_id: profile.voter_id.then(|| person.voter_id.clone()),
        tags: tags(profile.kind, draw),
        note: None,
        opt_outs: BTreeSet::new(),
        form: None,
        traps: BTreeSet::new(),
    }
}

fn tags(kind: OrganizationKind, draw: &mut Draw) -> Vec<String> {
    const TAGS: &[&str] = &[
        "newsletter",
        "volunteer",
        "housing-forum",
        "phone-bank",
        "petition-transit",
        "donor-small",
    ];
    if !matches!(kind, OrganizationKind::C3 | OrganizationKind::Pac) {
        return Vec::new();
    }
    TAGS.iter()
        .filter(|_| draw.per_mille(220))
        .map(|tag| (*tag).to_owned())
        .collect()
}
