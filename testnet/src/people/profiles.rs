//! The four organizations: who they are, which system they use, how full their lists are.

use super::draw::Stream;

/// What kind of legal body an organization is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum OrganizationKind {
    /// A charity, barred from partisan work.
    C3,
    /// A social welfare organization.
    C4,
    /// A labor union.
    Union,
    /// A state-level political action committee.
    Pac,
}

impl OrganizationKind {
    /// All four, in the order in which they are drawn and written.
    pub const ALL: [Self; 4] = [Self::C3, Self::C4, Self::Union, Self::Pac];

    /// Who this is and what its list looks like.
    #[must_use]
    pub fn profile(self) -> &'static Profile {
        match self {
            Self::C3 => &C3,
            Self::C4 => &C4,
            Self::Union => &UNION,
            Self::Pac => &PAC,
        }
    }
}

/// One organization and its list. Rates are per thousand people on it.
#[derive(Debug)]
pub struct Profile {
    /// Kind of body.
    pub kind: OrganizationKind,
    /// Name of its folder and its id in consent forms and the truth.
    pub slug: &'static str,
    /// Full name.
    pub name: &'static str,
    /// The list's export format.
    pub format: &'static str,
    /// The list's file, without its ending.
    pub stem: &'static str,
    /// The column that holds a row's key.
    pub key_column: &'static str,
    /// Rows with an address.
    pub(crate) address: u32,
    /// Rows with the person's own telephone, if there is one.
    pub(crate) mobile: u32,
    /// Rows with the household's telephone, if there is one.
    pub(crate) landline: u32,
    /// Rows with an e-mail address, if there is one.
    pub(crate) email: u32,
    /// The format has one telephone column only.
    pub(crate) one_phone: bool,
    /// The list holds birth dates.
    pub(crate) birth: bool,
    /// The list holds voter ids.
    pub(crate) voter_id: bool,
}

const C3: Profile = Profile {
    kind: OrganizationKind::C3,
    slug: "marlow-votes",
    name: "Marlow Votes Education Fund",
    format: "action_network",
    stem: "activists",
    key_column: "uuid",
    address: 640,
    mobile: 620,
    landline: 0,
    email: 930,
    one_phone: true,
    birth: false,
    voter_id: false,
};

const C4: Profile = Profile {
    kind: OrganizationKind::C4,
    slug: "tenants-united",
    name: "Tenants United",
    format: "van_saved_list",
    stem: "saved_list",
    key_column: "VanID",
    address: 985,
    mobile: 640,
    landline: 560,
    email: 360,
    one_phone: false,
    birth: false,
    voter_id: false,
};

const UNION: Profile = Profile {
    kind: OrganizationKind::Union,
    slug: "care-workers-local-88",
    name: "Care Workers Local 88",
    format: "civicrm",
    stem: "contacts",
    key_column: "Contact ID",
    address: 880,
    mobile: 700,
    landline: 300,
    email: 780,
    one_phone: true,
    birth: true,
    voter_id: false,
};

const PAC: Profile = Profile {
    kind: OrganizationKind::Pac,
    slug: "lakes-future-pac",
    name: "Lakes Future State PAC",
    format: "nationbuilder",
    stem: "people",
    key_column: "nationbuilder_id",
    address: 990,
    mobile: 480,
    landline: 420,
    email: 310,
    one_phone: false,
    birth: true,
    voter_id: true,
};

impl Profile {
    pub(crate) fn stream(&self) -> Stream {
        match self.kind {
            OrganizationKind::C3 => Stream::C3,
            OrganizationKind::C4 => Stream::C4,
            OrganizationKind::Union => Stream::Union,
            OrganizationKind::Pac => Stream::Pac,
        }
    }

    /// The name of the list's file.
    #[must_use]
    pub fn list_file(&self) -> String {
        format!("{}.csv", self.stem)
    }

    /// The name of the file with only the rows that one consent form covers.
    #[must_use]
    pub fn covered_file(&self, form_version: &str) -> String {
        format!("{}-form-{form_version}.csv", self.stem)
    }
}
