//! What a page says after something was done: a word in the address chooses a sentence here, so that
//! no link can put words of its own on a page.

use axum::response::Redirect;

/// Something that was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// The digits of the own request were compared.
    Compared,
    /// A newcomer is in.
    Approved,
    /// A newcomer will be in once the keeper answers.
    ApprovalWaits,
    /// Signed; others have to sign.
    Signed,
    /// Signed, and in force.
    InForce,
    /// The signature waits for the keeper.
    SignatureWaits,
    /// Contact points were claimed.
    Claimed,
    /// The claim waits for the keeper.
    ClaimWaits,
    /// A claim was given back.
    Released,
    /// Giving a claim back waits for the keeper.
    ReleaseWaits,
    /// A claim was kept alive.
    Renewed,
    /// Keeping a claim alive waits for the keeper.
    RenewalWaits,
    /// A claim was cut into packets.
    Cut,
    /// Somebody has a packet, or nobody.
    Assigned,
    /// A packet is over.
    PacketDone,
    /// A phone bank was opened.
    BankOpened,
    /// A phone bank was closed.
    BankClosed,
    /// A plan was filed.
    Planned,
    /// A plan was taken back.
    PlanWithdrawn,
    /// What was said of a plan waits for the keeper.
    PlanWaits,
    /// A file was read.
    Imported,
    /// Shares were taken back; receipts are waited for before this organization goes.
    LeavingWaits,
    /// It was said that this organization leaves.
    Leaving,
    /// A removal was proposed or agreed with.
    RemovalSaid,
    /// This node is sent on its way back.
    Returning,
    /// A use of shared rows was announced.
    UseAnnounced,
    /// Announcing a use waits for the keeper.
    UseWaits,
    /// People were shared.
    Shared,
    /// A share waits for the keeper.
    ShareWaits,
    /// A count of what lists have in common was asked for.
    OverlapAsked,
    /// This organization takes part in a count.
    OverlapAgreed,
    /// A count was declined or stopped.
    OverlapStopped,
    /// What was said about a count waits for the keeper.
    OverlapWaits,
    /// Something was taken back.
    Revoked,
    /// Taking back waits for the keeper, or for the share itself.
    RevocationWaits,
    /// A person is not to be contacted.
    Suppressed,
    /// An own suppression was withdrawn.
    Unsuppressed,
}

impl Done {
    const ALL: [Self; 37] = [
        Self::Compared,
        Self::Approved,
        Self::ApprovalWaits,
        Self::Signed,
        Self::InForce,
        Self::SignatureWaits,
        Self::Claimed,
        Self::ClaimWaits,
        Self::Released,
        Self::ReleaseWaits,
        Self::Renewed,
        Self::RenewalWaits,
        Self::Cut,
        Self::Assigned,
        Self::PacketDone,
        Self::BankOpened,
        Self::BankClosed,
        Self::Planned,
        Self::PlanWithdrawn,
        Self::PlanWaits,
        Self::Imported,
        Self::LeavingWaits,
        Self::Leaving,
        Self::RemovalSaid,
        Self::Returning,
        Self::UseAnnounced,
        Self::UseWaits,
        Self::Shared,
        Self::ShareWaits,
        Self::OverlapAsked,
        Self::OverlapAgreed,
        Self::OverlapStopped,
        Self::OverlapWaits,
        Self::Revoked,
        Self::RevocationWaits,
        Self::Suppressed,
        Self::Unsuppressed,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Compared => "compared",
            Self::Approved => "approved",
            Self::ApprovalWaits => "approval-waits",
            Self::Signed => "signed",
            Self::InForce => "in-force",
            Self::SignatureWaits => "signature-waits",
            Self::Claimed => "claimed",
            Self::ClaimWaits => "claim-waits",
            Self::Released => "released",
            Self::ReleaseWaits => "release-waits",
            Self::Renewed => "renewed",
            Self::RenewalWaits => "renewal-waits",
            Self::Cut => "cut",
            Self::Assigned => "assigned",
            Self::PacketDone => "packet-done",
            Self::BankOpened => "bank-opened",
            Self::BankClosed => "bank-closed",
            Self::Planned => "planned",
            Self::PlanWithdrawn => "plan-withdrawn",
            Self::PlanWaits => "plan-waits",
            Self::Imported => "imported",
            Self::LeavingWaits => "leaving-waits",
            Self::Leaving => "leaving",
            Self::RemovalSaid => "removal-said",
            Self::Returning => "returning",
            Self::UseAnnounced => "use-announced",
            Self::UseWaits => "use-waits",
            Self::Shared => "shared",
            Self::ShareWaits => "share-waits",
            Self::OverlapAsked => "overlap-asked",
            Self::OverlapAgreed => "overlap-agreed",
            Self::OverlapStopped => "overlap-stopped",
            Self::OverlapWaits => "overlap-waits",
            Self::Revoked => "revoked",
            Self::RevocationWaits => "revocation-waits",
            Self::Suppressed => "suppressed",
            Self::Unsuppressed => "unsuppressed",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::Compared => "Compared. This node comes in by itself once it is approved.",
            Self::Approved => {
                "Approved. The agreement waits for everybody's signature again, with the newcomer in it."
            }
            Self::ApprovalWaits => "Approved. It takes effect once the keeper answers.",
            Self::Signed => "Signed. The agreement comes into force once all have signed.",
            Self::InForce => "Signed. All members have signed: the agreement is in force.",
            Self::SignatureWaits => "Signed. The signature waits for the keeper.",
            Self::Claimed => "Claimed. What was free is yours for the time you chose.",
            Self::ClaimWaits => "Asked. Nothing is granted until the keeper answers.",
            Self::Released => "Released. Allies can take it now.",
            Self::ReleaseWaits => "The release waits for the keeper.",
            Self::Renewed => "Renewed. It lasts until the next renewal is due.",
            Self::RenewalWaits => "The renewal waits for the keeper.",
            Self::Cut => "Cut. Say who walks each packet, or print them.",
            Self::Assigned => "Saved.",
            Self::PacketDone => "Done. What nobody reached goes back to allies.",
            Self::BankOpened => {
                "Open. Callers find their first number behind Call, once it is claimed."
            }
            Self::BankClosed => "Closed. What was not called goes back to allies.",
            Self::Planned => "Filed. All members see it now.",
            Self::PlanWithdrawn => "Withdrawn. Allies see it no more.",
            Self::PlanWaits => "It waits for the keeper.",
            Self::Imported => "The file was read. Its counts are below.",
            Self::LeavingWaits => {
                "Your shares are taken back. Come here again and leave once the receipts are in."
            }
            Self::Leaving => {
                "The coalition was told that you leave. Another member ends your membership."
            }
            Self::RemovalSaid => "Said to all members. It takes effect once enough of them agree.",
            Self::Returning => "This node is on its way back into the group.",
            Self::UseAnnounced => {
                "Announced to all members. When the use begins you can download the rows."
            }
            Self::UseWaits => "Announcing the use waits for the keeper.",
            Self::Shared => "Shared. Below you see what each recipient took.",
            Self::ShareWaits => "Decided. The share goes out once the keeper answers.",
            Self::OverlapAsked => "Asked. The count begins once all have agreed.",
            Self::OverlapAgreed => {
                "Agreed. The nodes count by themselves; the result appears below."
            }
            Self::OverlapStopped => "Ended. Nothing more of your list moves.",
            Self::OverlapWaits => "It waits for the keeper.",
            Self::Revoked => {
                "Taken back. Every holder is told; their signed receipts appear under Shares."
            }
            Self::RevocationWaits => "Taken back here. Holders are told once the keeper answers.",
            Self::Suppressed => {
                "Noted. All members are told as soon as they can tell who is meant."
            }
            Self::Unsuppressed => "Withdrawn. All members are told.",
        }
    }

    /// Goes to a page that then says so.
    pub fn at(self, path: &str) -> Redirect {
        let joint = if path.contains('?') { '&' } else { '?' };
        Redirect::to(&format!("{path}{joint}done={}", self.word()))
    }
}

/// The sentence that an address asks for, if it is one of ours.
#[must_use]
pub fn sentence(query: Option<&str>) -> Option<&'static str> {
    let word = query?
        .split('&')
        .find_map(|pair| pair.strip_prefix("done="))?;
    Done::ALL
        .into_iter()
        .find(|done| done.word() == word)
        .map(Done::sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_leads_to_its_sentence() {
        for done in Done::ALL {
            let query = format!("page=2&done={}", done.word());
            assert_eq!(sentence(Some(&query)), Some(done.sentence()));
        }
    }

    #[test]
    fn words_of_others_say_nothing() {
        for query in [
            "done=<b>paid</b>",
            "done=",
            "other=approved",
            "xdone=approved",
        ] {
            assert_eq!(sentence(Some(query)), None, "{query}");
        }
        assert_eq!(sentence(None), None);
    }
}
