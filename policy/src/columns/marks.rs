//! The yes-or-no facts of a row, as bits.

use crate::flow::RowFacts;

/// Yes-or-no facts of a row; what is not marked does not hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Marks(u8);

impl Marks {
    /// None holds.
    pub const NONE: Self = Self(0);
    /// The person is or may be a minor.
    pub const MINOR: Self = Self(1);
    /// The row is confidential, or marked never to be shared.
    pub const CONFIDENTIAL: Self = Self(1 << 1);
    /// The row says which side the person is on.
    pub const PARTISAN: Self = Self(1 << 2);
    /// It was derived from an organization's private plans.
    pub const NONPUBLIC: Self = Self(1 << 3);
    /// The terms of the source allow passing it on.
    pub const TERMS_ALLOW: Self = Self(1 << 4);
    /// The person asked not to be contacted.
    pub const SUPPRESSED: Self = Self(1 << 5);
    /// The row was revoked or erased.
    pub const TOMBSTONED: Self = Self(1 << 6);
    /// The recontact window of the agreement is still running.
    pub const RECENT_CONTACT: Self = Self(1 << 7);

    /// The marks of a row, apart from what its consent record says.
    #[must_use]
    pub fn of(facts: &RowFacts) -> Self {
        [
            (facts.minor, Self::MINOR),
            (facts.confidential || facts.never_share, Self::CONFIDENTIAL),
            (facts.partisan, Self::PARTISAN),
            (facts.nonpublic, Self::NONPUBLIC),
            (facts.terms_allow, Self::TERMS_ALLOW),
            (facts.suppressed, Self::SUPPRESSED),
            (facts.tombstoned, Self::TOMBSTONED),
            (facts.recent_contact, Self::RECENT_CONTACT),
        ]
        .into_iter()
        .filter(|(holds, _)| *holds)
        .fold(Self::NONE, |marks, (_, mark)| marks.with(mark))
    }

    /// These marks and the other ones.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of the other marks are among these.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The marks that are in both.
    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// As a code of a column.
    pub(crate) const fn code(self) -> u32 {
        self.0 as u32
    }

    /// From a code of a column.
    pub(crate) const fn from_code(code: u32) -> Self {
        Self(code as u8)
    }
}
