//! The words of the gate: every closed set of values that a rule may read, with stable names.
//!
//! A name is what people type, what JSON carries and what the rules compare. Names never change
//! meaning; a new one is added at the end of its list, here and in `schema.cedarschema` alike.

use std::fmt;

/// A word that is not in its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no {what}; use one of: {}", known.join(", "))]
pub struct UnknownName {
    /// What was expected, in words.
    pub what: &'static str,
    /// Every name of the list.
    pub known: &'static [&'static str],
}

macro_rules! names {
    ($(#[$doc:meta])* $name:ident: $what:literal {
        $($(#[$case_doc:meta])* $case:ident = $text:literal,)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$case_doc])* $case,)*
        }

        impl $name {
            /// Every value, in the order of the specification.
            pub const ALL: &'static [Self] = &[$(Self::$case,)*];
            /// The name of every value, in the same order.
            pub const NAMES: &'static [&'static str] = &[$($text,)*];

            /// The stable name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$case => $text,)*
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::facts::UnknownName;
            fn from_str(text: &str) -> Result<Self, $crate::facts::UnknownName> {
                Self::ALL
                    .iter()
                    .copied()
                    .find(|value| value.name() == text)
                    .ok_or($crate::facts::UnknownName { what: $what, known: Self::NAMES })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.name())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use names;

names! {
    /// What kind of legal body an organization is.
    OrgKind: "kind of organization" {
        /// A charity under 26 USC 501(c)(3).
        C3 = "c3",
        /// A social welfare organization under 26 USC 501(c)(4).
        C4 = "c4",
        /// A labor union.
        Union = "union",
        /// A political action committee that gives to candidates.
        Pac = "pac",
        /// A committee that makes independent expenditures only.
        SuperPac = "super_pac",
        /// A candidate's committee.
        Candidate = "candidate",
        /// A party committee.
        Party = "party",
        /// A company that works for the others.
        Vendor = "vendor",
        /// The office of somebody who was elected: a council member, a member of parliament.
        PublicOffice = "public_office",
        /// A charity, association or campaign group that is none of the above, as outside the
        /// United States.
        Nonprofit = "nonprofit",
    }
}

names! {
    /// What a share is for.
    Purpose: "purpose" {
        /// Getting people to vote.
        Gotv = "gotv",
        /// Winning people for a candidate or a side.
        Persuasion = "persuasion",
        /// Asking for money.
        Fundraising = "fundraising",
        /// Arguing for a cause.
        IssueAdvocacy = "issue_advocacy",
        /// Helping people to register.
        VoterRegistration = "voter_registration",
        /// Inviting to an event.
        Event = "event",
        /// Collecting signatures.
        Petition = "petition",
        /// Winning or serving members.
        Membership = "membership",
        /// Advertising on line.
        OnlineAds = "online_ads",
        /// Helping a person with a concern that the person brought.
        ConstituentService = "constituent_service",
    }
}

names! {
    /// A group of fields of a person's row; the unit in which rows are withheld.
    FieldClass: "class of fields" {
        /// Name, birth date, identifiers.
        Identity = "identity",
        /// Postal address.
        Postal = "postal",
        /// E-mail addresses.
        Email = "email",
        /// Phone numbers.
        Phone = "phone",
        /// Opinions, support scores, party.
        Political = "political",
        /// Attendance, volunteering, gifts.
        Engagement = "engagement",
    }
}

names! {
    /// How the recipient will contact the person; finer than the four channels of a claim.
    PolicyChannel: "channel of a share" {
        /// A knock on the door.
        Door = "door",
        /// A letter.
        Mail = "mail",
        /// An e-mail.
        Email = "email",
        /// A call dialed by hand.
        CallManual = "call_manual",
        /// A call dialed by a machine, or with a recorded voice.
        CallAuto = "call_auto",
        /// A text message sent by a person.
        SmsP2p = "sms_p2p",
        /// A text message sent by a machine.
        SmsAuto = "sms_auto",
    }
}

names! {
    /// Where a row came from.
    Source: "source" {
        /// The person signed up.
        OwnSignup = "own_signup",
        /// Own canvassing.
        OwnCanvass = "own_canvass",
        /// A state's voter file.
        VoterFile = "voter_file",
        /// Reports to the Federal Election Commission.
        FecReports = "fec_reports",
        /// A bought list.
        Purchased = "purchased",
        /// Another organization.
        Partner = "partner",
        /// A petition.
        Petition = "petition",
        /// A union's roll of members.
        UnionRoll = "union_roll",
    }
}

names! {
    /// The ground on which a row may move.
    Basis: "basis" {
        /// The person's consent.
        Consent = "consent",
        /// The person's explicit consent to the use of political opinions.
        ExplicitConsent = "explicit_consent",
        /// A public record whose terms allow it.
        PublicRecord = "public_record",
        /// Membership, GDPR art. 9(2)(d); such rows stay inside.
        Membership = "membership_9_2_d",
        /// A legitimate interest.
        LegitimateInterest = "legitimate_interest",
    }
}

names! {
    /// What the recipient gives for a share.
    Consideration: "consideration" {
        /// Nothing.
        None = "none",
        /// The usual price.
        FmvPaid = "fmv_paid",
        /// Reported as a contribution in kind.
        InKindReported = "in_kind_reported",
        /// Rows of its own.
        Exchange = "exchange",
    }
}

names! {
    /// What a person's consent amounts to now.
    ConsentState: "state of consent" {
        /// Given and not taken back.
        Given = "given",
        /// Taken back.
        Withdrawn = "withdrawn",
        /// Given for a time that is over.
        Expired = "expired",
        /// Asked for and refused.
        Refused = "refused",
        /// Anything else; never treated as given.
        Unknown = "unknown",
    }
}

/// The classes of fields of one row that may flow.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FieldMask(u8);

impl FieldMask {
    /// Nothing may flow.
    pub const EMPTY: Self = Self(0);

    fn bit(field: FieldClass) -> u8 {
        1 << (field as u8)
    }

    /// From bits in the order of the classes; further bits are dropped.
    pub(crate) fn from_bits(bits: u8) -> Self {
        Self(bits & ((1 << FieldClass::ALL.len()) - 1))
    }

    /// Lets one more class flow.
    pub fn insert(&mut self, field: FieldClass) {
        self.0 |= Self::bit(field);
    }

    /// The classes that are in both masks.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether this class may flow.
    #[must_use]
    pub fn contains(self, field: FieldClass) -> bool {
        self.0 & Self::bit(field) != 0
    }

    /// Whether nothing may flow.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether every class of this mask is also in the other.
    #[must_use]
    pub fn is_subset_of(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether a person can be reached by what flows: a row without is not worth sending.
    #[must_use]
    pub fn has_contact_point(self) -> bool {
        [FieldClass::Postal, FieldClass::Email, FieldClass::Phone]
            .into_iter()
            .any(|field| self.contains(field))
    }

    /// The classes that may flow, in their order.
    pub fn iter(self) -> impl Iterator<Item = FieldClass> {
        FieldClass::ALL
            .iter()
            .copied()
            .filter(move |field| self.contains(*field))
    }
}

impl FromIterator<FieldClass> for FieldMask {
    fn from_iter<I: IntoIterator<Item = FieldClass>>(fields: I) -> Self {
        let mut mask = Self::EMPTY;
        fields.into_iter().for_each(|field| mask.insert(field));
        mask
    }
}

impl fmt::Debug for FieldMask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_as_its_value() {
        for purpose in Purpose::ALL {
            assert_eq!(purpose.name().parse(), Ok(*purpose));
        }
        for kind in OrgKind::ALL {
            assert_eq!(kind.name().parse(), Ok(*kind));
        }
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_list() {
        let error = "robocall".parse::<PolicyChannel>().unwrap_err();
        assert!(error.to_string().contains("call_auto"));
        assert!(
            !error.to_string().contains("robocall"),
            "input is not repeated"
        );
        assert!(serde_json::from_str::<Basis>("\"CONSENT\"").is_err());
    }

    #[test]
    fn a_mask_holds_what_was_put_in() {
        let mask: FieldMask = [FieldClass::Phone, FieldClass::Identity]
            .into_iter()
            .collect();
        assert!(mask.contains(FieldClass::Phone) && !mask.contains(FieldClass::Email));
        assert_eq!(
            mask.iter().collect::<Vec<_>>(),
            [FieldClass::Identity, FieldClass::Phone]
        );
        assert!(mask.has_contact_point() && FieldMask::EMPTY.is_subset_of(mask));
        assert!(!mask.is_subset_of(FieldMask::EMPTY));
    }
}
