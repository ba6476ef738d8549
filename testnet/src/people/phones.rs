//! Telephone numbers that are valid by plan but, as far as can be arranged, belong to nobody.
//!
//! The hundred lines reserved for fiction (555-0100 to 555-0199) are too few for a county. Every number here
//! has the exchange 555 of a real area code: that exchange was kept for directory services, and its lines are
//! not given to subscribers; the two lines known to have been in service, 555-1212 and 555-4334, are left out.
//! This is care, not proof: never dial or text a generated number.

/// Area codes in groups of twelve; the first group is the one a county of up to 119,976 numbers uses.
pub(crate) const AREA_CODES: &[[u16; 12]] = &[
    [313, 734, 248, 517, 586, 616, 810, 906, 947, 989, 231, 269],
    [216, 330, 419, 440, 513, 614, 740, 937, 567, 234, 380, 220],
    [312, 773, 708, 847, 630, 815, 217, 309, 618, 224, 331, 779],
    [212, 315, 347, 516, 518, 585, 607, 631, 646, 716, 718, 845],
    [213, 310, 323, 408, 415, 510, 530, 559, 562, 619, 626, 650],
    [210, 214, 254, 281, 325, 361, 409, 432, 469, 512, 682, 713],
    [215, 267, 412, 484, 570, 610, 717, 724, 814, 878, 272, 445],
    [404, 470, 478, 678, 706, 762, 770, 912, 229, 704, 336, 919],
    [262, 414, 534, 608, 715, 920, 218, 320, 507, 612, 651, 763],
    [206, 253, 360, 425, 509, 503, 541, 971, 208, 406, 307, 801],
];

const EXCHANGE: u16 = 555;
const IN_SERVICE: [u16; 2] = [1_212, 4_334];
const LINES: u32 = 9_998;
/// Prime to `LINES`, so that neighbours in the count are not neighbours in the number.
const STRIDE: u32 = 7_919;

/// A ten-digit number of the North American plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Phone {
    /// The area code.
    pub area: u16,
    /// The last four digits.
    pub line: u16,
}

/// How a number is written in a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneForm {
    /// `3135550123`
    Digits,
    /// `(313) 555-0123`
    Brackets,
    /// `313-555-0123`
    Dashes,
    /// `+1 313 555 0123`
    International,
    /// `1-313-555-0123`
    TrunkPrefix,
    /// `313.555.0123`
    Dots,
    /// `313-555-0123 x12`: names a person behind a switchboard, so it is no contact point.
    Extension,
    /// `555-0123`: the area code is missing, so it is no contact point.
    TooShort,
}

impl Phone {
    /// The number at a place in the count; repeats after `Phone::CAPACITY`.
    pub(crate) fn nth(index: u64) -> Self {
        let index = index % Self::CAPACITY;
        let per_group = u64::from(LINES) * 12;
        let group =
            &AREA_CODES[usize::try_from(index / per_group).expect("below the number of groups")];
        let within = index % per_group;
        let area = group[usize::try_from(within % 12).expect("below 12")];
        let step = u32::try_from(within / 12).expect("below the lines of an exchange");
        let mut line = u16::try_from(step * STRIDE % LINES).expect("below 10,000");
        for taken in IN_SERVICE {
            line += u16::from(line >= taken);
        }
        Self { area, line }
    }

    /// How many different numbers there are.
    pub const CAPACITY: u64 = AREA_CODES.len() as u64 * 12 * LINES as u64;

    /// The number in E.164.
    #[must_use]
    pub fn e164(self) -> String {
        format!("+1{}{EXCHANGE}{:04}", self.area, self.line)
    }

    /// The number as a cell shows it.
    #[must_use]
    pub fn written(self, form: PhoneForm) -> String {
        let Self { area, line } = self;
        match form {
            PhoneForm::Digits => format!("{area}{EXCHANGE}{line:04}"),
            PhoneForm::Brackets => format!("({area}) {EXCHANGE}-{line:04}"),
            PhoneForm::Dashes => format!("{area}-{EXCHANGE}-{line:04}"),
            PhoneForm::International => format!("+1 {area} {EXCHANGE} {line:04}"),
            PhoneForm::TrunkPrefix => format!("1-{area}-{EXCHANGE}-{line:04}"),
            PhoneForm::Dots => format!("{area}.{EXCHANGE}.{line:04}"),
            PhoneForm::Extension => format!("{area}-{EXCHANGE}-{line:04} x12"),
            PhoneForm::TooShort => format!("{EXCHANGE}-{line:04}"),
        }
    }
}

impl PhoneForm {
    /// Whether the cell still names one telephone.
    #[must_use]
    pub fn is_contact_point(self) -> bool {
        !matches!(self, Self::Extension | Self::TooShort)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_one_group_are_all_different() {
        let all: std::collections::BTreeSet<_> =
            (0..12 * u64::from(LINES)).map(Phone::nth).collect();
        assert_eq!(all.len(), 12 * LINES as usize);
        assert!(all.iter().all(|phone| !IN_SERVICE.contains(&phone.line)));
    }

    #[test]
    fn the_phone_library_accepts_every_area_code() {
        for area in AREA_CODES.iter().flatten() {
            let phone = Phone {
                area: *area,
                line: 7_346,
            };
            let parsed = phonenumber::parse(
                Some(phonenumber::country::US),
                phone.written(PhoneForm::Brackets),
            );
            let parsed = parsed.expect("a number of this form parses");
            assert!(phonenumber::is_valid(&parsed), "{area}");
            assert_eq!(
                parsed.format().mode(phonenumber::Mode::E164).to_string(),
                phone.e164()
            );
        }
    }
}
