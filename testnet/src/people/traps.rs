//! What makes real lists difficult, set into the synthetic ones on purpose and on record.

use std::collections::{BTreeMap, BTreeSet};

use super::draw::Draw;
use super::lists::{Birth, OptOut, Row, ZipForm, row_key};
use super::names::{decomposed, has_accent, without_accents};
use super::profiles::{OrganizationKind, Profile};
use super::{PersonId, PhoneCell, PhoneForm, World};

/// One kind of difficulty.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Trap {
    /// Two letters of the surname changed places.
    NameTypo,
    /// A letter of the name has an accent.
    AccentInName,
    /// The name lost its accents in this system.
    AccentDropped,
    /// Accents are combining marks (Unicode form D).
    AccentDecomposed,
    /// The name has an apostrophe.
    Apostrophe,
    /// The apostrophe is the typographic one, U+2019.
    CurlyApostrophe,
    /// A cell that a spreadsheet would run as a formula.
    FormulaCell,
    /// Two people at one door have the same name.
    Namesake,
    /// "North Maple Street" and not "N Maple St"; names the same door.
    StreetSpelledOut,
    /// Two letters of the street's name changed places; names another door.
    StreetMisspelled,
    /// The row holds a door at which the person does not live.
    MovedAway,
    /// The postal code stands only at the end of the whole address.
    ZipInAddressOnly,
    /// ZIP+4.
    ZipPlusFour,
    /// No postal code anywhere; names no door.
    ZipMissing,
    /// A post box; names no door.
    PostBox,
    /// Only the address as told by the person, none from the voter file.
    PrimaryAddressOnly,
    /// A country code, a trunk prefix or dots in the telephone number.
    PhoneFormatted,
    /// A telephone number with an extension; no contact point.
    PhoneWithExtension,
    /// A telephone number without its area code; no contact point.
    PhoneTooShort,
    /// The e-mail address has capital letters.
    EmailUpperCase,
    /// The e-mail address has a plus tag, which makes it another address.
    EmailPlusTag,
    /// Several people of the list share an e-mail address.
    EmailShared,
    /// A second row about the same person.
    DuplicateRow,
    /// The second row shows an opt-out that the first one does not.
    OptOutOnDuplicateOnly,
    /// A tag `party:...` on a charity's list.
    PartisanTag,
    /// 31 February.
    ImpossibleBirthDate,
    /// 1900-01-01.
    PlaceholderBirthDate,
    /// A quotation and a line break inside a cell.
    LineBreakInCell,
    /// A file line with too few cells.
    RaggedRow,
    /// A file line with more cells than there are headers.
    ExtraCells,
    /// Canvass result that no table knows.
    UnknownResult,
    /// Canvass row of another committee in the same file.
    OtherCommittee,
    /// Canvass row about somebody who is on no list.
    UnjoinedHistory,
    /// Canvass date with a time of day.
    DateWithTime,
    /// The person is marked as dead.
    Deceased,
    /// An opt-out of any kind.
    OptedOut,
}

use Trap as T;

/// Traps of every list and how many rows of a thousand have them.
const EVERYWHERE: &[(Trap, u32)] = &[
    (T::NameTypo, 14),
    (T::AccentDropped, 40),
    (T::CurlyApostrophe, 4),
    (T::FormulaCell, 2),
    (T::StreetMisspelled, 8),
    (T::MovedAway, 30),
    (T::ZipMissing, 6),
    (T::PostBox, 8),
    (T::PhoneFormatted, 60),
    (T::PhoneWithExtension, 4),
    (T::PhoneTooShort, 4),
    (T::EmailUpperCase, 40),
    (T::EmailPlusTag, 6),
];

const DUPLICATES: u32 = 15;
const OPT_OUTS_ON_DUPLICATES: u32 = 2;

fn own_traps(kind: OrganizationKind) -> &'static [(Trap, u32)] {
    match kind {
        OrganizationKind::C3 => &[
            (T::AccentDecomposed, 10),
            (T::PartisanTag, 15),
            (T::ZipPlusFour, 30),
        ],
        OrganizationKind::C4 => &[(T::ZipInAddressOnly, 60)],
        OrganizationKind::Union => &[(T::ImpossibleBirthDate, 3), (T::PlaceholderBirthDate, 8)],
        OrganizationKind::Pac => &[
            (T::ImpossibleBirthDate, 3),
            (T::PlaceholderBirthDate, 8),
            (T::LineBreakInCell, 10),
            (T::ZipPlusFour, 300),
            (T::PrimaryAddressOnly, 150),
        ],
    }
}

/// The opt-outs that a format can show in the list itself; VAN shows them in the contact history.
fn own_opt_outs(kind: OrganizationKind) -> &'static [(OptOut, u32)] {
    match kind {
        OrganizationKind::C3 => &[(OptOut::Unsubscribed, 60), (OptOut::TextUnsubscribed, 25)],
        OrganizationKind::C4 => &[],
        OrganizationKind::Union => &[
            (OptOut::DoNotTrade, 25),
            (OptOut::DoNotCall, 20),
            (OptOut::DoNotEmail, 15),
            (OptOut::DoNotText, 10),
            (OptOut::Unsubscribed, 30),
            (OptOut::Deceased, 4),
        ],
        OrganizationKind::Pac => &[
            (OptOut::DoNotContact, 15),
            (OptOut::DoNotCall, 25),
            (OptOut::Unsubscribed, 40),
            (OptOut::Deceased, 5),
        ],
    }
}

/// Sets all traps of an organization into its rows, and adds the doubled rows.
pub(crate) fn set(world: &World, profile: &Profile, rows: &mut Vec<Row>, draw: &mut Draw) {
    for (trap, rate) in EVERYWHERE.iter().chain(own_traps(profile.kind)) {
        some_rows(rows, *rate, draw, |row, draw| {
            let done = apply(*trap, row, world, draw);
            if done {
                row.traps.insert(*trap);
            }
            done
        });
    }
    for (opt_out, rate) in own_opt_outs(profile.kind) {
        some_rows(rows, *rate, draw, |row, _| row.opt_outs.insert(*opt_out));
    }
    double(profile.kind, rows, draw);
    for row in rows.iter_mut() {
        note_natural(world, row);
    }
    note_shared_emails(rows);
}

/// Runs a change on so many of a thousand rows (on one at least), passing over the rows that refuse it.
fn some_rows(
    rows: &mut [Row],
    rate: u32,
    draw: &mut Draw,
    mut change: impl FnMut(&mut Row, &mut Draw) -> bool,
) {
    let mut wanted = (rows.len() * rate as usize / 1_000).max(1);
    let mut order: Vec<usize> = (0..rows.len()).collect();
    draw.shuffle(&mut order);
    for place in order {
        if wanted == 0 {
            return;
        }
        if change(&mut rows[place], draw) {
            wanted -= 1;
        }
    }
}

/// Sets one trap; false if the row has no place for it.
fn apply(trap: Trap, row: &mut Row, world: &World, draw: &mut Draw) -> bool {
    match trap {
        T::NameTypo => swap_letters(&mut row.surname),
        T::AccentDropped => rewrite_name(row, has_accent, without_accents),
        T::AccentDecomposed => rewrite_name(row, has_accent, decomposed),
        T::CurlyApostrophe => rewrite_name(
            row,
            |name| name.contains('\''),
            |name| name.replace('\'', "\u{2019}"),
        ),
        T::FormulaCell => make_formula(row, draw),
        T::StreetMisspelled
        | T::MovedAway
        | T::ZipInAddressOnly
        | T::ZipPlusFour
        | T::ZipMissing
        | T::PostBox
        | T::PrimaryAddressOnly => change_address(trap, row, world, draw),
        T::PhoneFormatted => {
            let form = *draw.pick(&[
                PhoneForm::International,
                PhoneForm::TrunkPrefix,
                PhoneForm::Dots,
            ]);
            reform_phone(row, form)
        }
        T::PhoneWithExtension => reform_phone(row, PhoneForm::Extension),
        T::PhoneTooShort => reform_phone(row, PhoneForm::TooShort),
        T::EmailUpperCase => change_email(row, |email| {
            email[..1].to_uppercase() + &email[1..].replace("example", "Example")
        }),
        T::EmailPlusTag => change_email(row, |email| email.replace('@', "+list@")),
        T::PartisanTag => {
            let party = draw.pick(&["party:democratic", "party:republican", "party:green"]);
            row.tags.push((*party).to_owned());
            true
        }
        T::ImpossibleBirthDate => replace_birth(row, Birth::Impossible),
        T::PlaceholderBirthDate => replace_birth(row, Birth::Placeholder),
        T::LineBreakInCell => {
            row.note = Some("Said \"call after six\",\nthen closed the door".to_owned());
            true
        }
        // These come about elsewhere: by chance, in the writers, in the history.
        _ => false,
    }
}

/// Exchanges the first two different neighbours after the first letter.
fn swap_letters(text: &mut String) -> bool {
    let mut letters: Vec<char> = text.chars().collect();
    let place = (1..letters.len().saturating_sub(1)).find(|&i| {
        let pair = (letters[i], letters[i + 1]);
        pair.0 != pair.1 && pair.0.is_ascii_lowercase() && pair.1.is_ascii_lowercase()
    });
    let Some(place) = place else { return false };
    letters.swap(place, place + 1);
    *text = letters.into_iter().collect();
    true
}

fn rewrite_name(
    row: &mut Row,
    concerns: impl Fn(&str) -> bool,
    rewrite: impl Fn(&str) -> String,
) -> bool {
    if !concerns(&row.given) && !concerns(&row.surname) {
        return false;
    }
    row.given = rewrite(&row.given);
    row.surname = rewrite(&row.surname);
    true
}

fn make_formula(row: &mut Row, draw: &mut Draw) -> bool {
    row.surname = match draw.below(3) {
        0 => format!("@SUM(1+1)*{}", row.surname),
        1 => format!("+{}", row.surname),
        _ => format!("=HYPERLINK(\"https://example.org/\",\"{}\")", row.surname),
    };
    true
}

fn change_address(trap: Trap, row: &mut Row, world: &World, draw: &mut Draw) -> bool {
    let plain = !row.traps.iter().any(|set| {
        matches!(
            set,
            T::StreetMisspelled | T::MovedAway | T::ZipMissing | T::PostBox
        )
    });
    let Some(address) = row
        .address
        .as_mut()
        .filter(|address| plain && address.zip == ZipForm::Five)
    else {
        return false;
    };
    match trap {
        T::StreetMisspelled => return swap_letters(&mut address.street),
        T::MovedAway => {
            let elsewhere = &world.people[draw.index(world.people.len())].door;
            if *elsewhere == address.door {
                return false;
            }
            address.door = elsewhere.clone();
            address.street = elsewhere.street.to_owned();
        }
        T::ZipInAddressOnly => address.zip = ZipForm::InAddressOnly,
        T::ZipPlusFour => address.zip = ZipForm::PlusFour,
        T::ZipMissing => address.zip = ZipForm::Missing,
        T::PostBox => address.post_box = Some(draw.between(10, 990)),
        // The writer leaves the other block empty; nothing to change here.
        _ => {}
    }
    true
}

fn reform_phone(row: &mut Row, form: PhoneForm) -> bool {
    let plain = |cell: &&mut PhoneCell| {
        matches!(
            cell.form,
            PhoneForm::Digits | PhoneForm::Brackets | PhoneForm::Dashes
        )
    };
    let Some(cell) = row.mobile.as_mut().or(row.landline.as_mut()).filter(plain) else {
        return false;
    };
    cell.form = form;
    true
}

fn change_email(row: &mut Row, change: impl Fn(&str) -> String) -> bool {
    let Some(email) = &row.email else {
        return false;
    };
    row.email = Some(change(email));
    true
}

fn replace_birth(row: &mut Row, birth: Birth) -> bool {
    if !matches!(row.birth, Some(Birth::Date(_))) {
        return false;
    }
    row.birth = Some(birth);
    true
}

/// Adds second rows about people whom e-mail or telephone identifies, each written a little differently.
fn double(kind: OrganizationKind, rows: &mut Vec<Row>, draw: &mut Draw) {
    let mut copies = Vec::new();
    let mut place = rows.len();
    some_rows(rows, DUPLICATES, draw, |row, draw| {
        let by_phone = row.mobile.is_some_and(|cell| cell.form.is_contact_point());
        if !row.opt_outs.is_empty() || !(by_phone || row.email.is_some()) {
            return false;
        }
        let mut copy = row.clone();
        copy.key = row_key(kind, place, draw);
        place += 1;
        copy.traps.insert(T::DuplicateRow);
        copy.given = copy.given.to_uppercase();
        if let Some(address) = &mut copy.address {
            address.spelled_out = !address.spelled_out;
        }
        if let Some(email) = &mut copy.email {
            *email = email.to_uppercase().replace("EXAMPLE", "example");
        }
        copies.push(copy);
        true
    });
    if let Some((opt_out, _)) = own_opt_outs(kind).first() {
        some_rows(
            &mut copies,
            OPT_OUTS_ON_DUPLICATES * 1_000 / DUPLICATES,
            draw,
            |copy, _| {
                copy.traps.insert(T::OptOutOnDuplicateOnly);
                copy.opt_outs.insert(*opt_out)
            },
        );
    }
    for copy in copies {
        let at = draw.index(rows.len() + 1);
        rows.insert(at, copy);
    }
}

/// Records what is difficult about a row without anybody's doing.
fn note_natural(world: &World, row: &mut Row) {
    let name = format!("{}{}", row.given, row.surname);
    let natural = [
        (
            T::AccentInName,
            has_accent(&name) && !name.contains('\u{2019}'),
        ),
        (T::Apostrophe, name.contains('\'')),
        (T::Namesake, world.person(row.person).suffix.is_some()),
        (
            T::StreetSpelledOut,
            row.address
                .as_ref()
                .is_some_and(|address| address.spelled_out),
        ),
        (T::Deceased, row.opt_outs.contains(&OptOut::Deceased)),
        (T::OptedOut, !row.opt_outs.is_empty()),
    ];
    row.traps.extend(
        natural
            .into_iter()
            .filter(|(_, is)| *is)
            .map(|(trap, _)| trap),
    );
}

fn note_shared_emails(rows: &mut [Row]) {
    let mut owners: BTreeMap<String, BTreeSet<PersonId>> = BTreeMap::new();
    for row in rows.iter() {
        if let Some(email) = &row.email {
            owners
                .entry(email.to_lowercase())
                .or_default()
                .insert(row.person);
        }
    }
    for row in rows {
        if row
            .email
            .as_ref()
            .is_some_and(|email| owners[&email.to_lowercase()].len() > 1)
        {
            row.traps.insert(T::EmailShared);
        }
    }
}
