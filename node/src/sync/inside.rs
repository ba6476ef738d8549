//! What an item of the log turned out to be, before the fold has judged it: its seal is opened and
//! held against the header that came with it. Spec: mls.md, section 3.

use super::{
    fold::{Lost, Stop},
    outbox::COMMIT,
};
use crate::{app::App, store::outbox::Outgoing};
use protocol::{
    codec,
    entry::Entry,
    envelope::{Envelope, Form, Header},
    fold::Void,
    id::NodeId,
    mls::{Group, Leaf, OpenError, Opened, Staged},
};

/// What an item turned out to be, before the fold has judged it.
pub(super) enum Inside {
    Entry {
        author: NodeId,
        entry: Entry,
    },
    Commit {
        author: NodeId,
        added: Vec<Leaf>,
        removed: Vec<NodeId>,
        author_key: Option<[u8; 32]>,
        opens: u64,
        rejoin: bool,
        staged: Option<Box<Staged>>,
    },
    Void(Void),
}

impl Inside {
    pub(super) fn author(&self, me: NodeId) -> NodeId {
        match self {
            Self::Entry { author, .. } | Self::Commit { author, .. } => *author,
            Self::Void(_) => me,
        }
    }

    /// The entry whose hash the header shows: it can be proved to outsiders.
    pub(super) fn shown(&self, header: &Header) -> Option<Vec<u8>> {
        match self {
            Self::Entry { entry, .. } if header.evidence.is_some() => Some(codec::encode(entry)),
            _ => None,
        }
    }

    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Entry { entry, .. } => entry.kind(),
            Self::Commit { .. } => COMMIT,
            Self::Void(_) => "unreadable",
        }
    }
}

/// Opens the seal. Only what every member sees alike is void; anything else stops this node.
pub(super) fn open(
    app: &App,
    group: &mut Group,
    envelope: &Envelope,
    own: Option<&Outgoing>,
) -> anyhow::Result<Inside> {
    let header = &envelope.header;
    let opened = match group.open(&envelope.sealed) {
        Ok(opened) => opened,
        Err(OpenError::StaleEpoch { .. }) if header.form == Form::Commit => {
            return Ok(Inside::Void(Void::LostRace));
        }
        Err(OpenError::StaleEpoch { .. }) => return Ok(Inside::Void(Void::OldEpoch)),
        Err(error) if error.is_void() => return Ok(Inside::Void(Void::Seal(error.to_string()))),
        Err(error @ OpenError::CannotFollow(_)) => return Err(Lost(error.to_string()).into()),
        Err(error) => return Err(Stop(error.to_string()).into()),
    };
    look_inside(app, header, own, opened)
}

/// Holds what was opened against the header that came with it.
fn look_inside(
    app: &App,
    header: &Header,
    own: Option<&Outgoing>,
    opened: Opened,
) -> anyhow::Result<Inside> {
    let (form, aad) = match &opened {
        Opened::Application { aad, .. } => (Form::Application, Some(aad)),
        Opened::Commit { aad, .. } | Opened::OwnCommit { aad, .. } => (Form::Commit, Some(aad)),
        // What stands in the outbox was sent with this very header.
        Opened::OwnApplication { .. } => (Form::Application, None),
    };
    if form != header.form || aad.is_some_and(|aad| *aad != header.authenticated()) {
        return Ok(Inside::Void(Void::Header));
    }
    let signed = match &opened {
        Opened::Application { author, .. } | Opened::Commit { author, .. } => *author,
        Opened::OwnApplication { .. } | Opened::OwnCommit { .. } => app.me,
    };
    if signed != header.author {
        return Ok(Inside::Void(Void::Header));
    }
    match opened {
        Opened::Application {
            author, plaintext, ..
        } => Ok(match codec::decode(&plaintext) {
            Ok(entry) => Inside::Entry { author, entry },
            Err(error) => Inside::Void(Void::Entry(error.to_string())),
        }),
        Opened::OwnApplication { .. } => own_entry(app, own),
        // Only this node itself takes its leaf: it did so on a later day than that of this copy.
        Opened::Commit {
            rejoin: true,
            author,
            ..
        } if author == app.me => Err(Lost(FORGOTTEN.to_owned()).into()),
        Opened::Commit {
            author,
            epoch,
            added,
            removed,
            author_key,
            rejoin,
            staged,
            ..
        } => Ok(Inside::Commit {
            author,
            added,
            removed,
            author_key: Some(author_key),
            opens: epoch + 1,
            rejoin,
            staged: Some(staged),
        }),
        Opened::OwnCommit {
            epoch,
            added,
            removed,
            author_key,
            ..
        } => Ok(Inside::Commit {
            author: app.me,
            added,
            removed,
            author_key: Some(author_key),
            opens: epoch + 1,
            rejoin: false,
            staged: None,
        }),
    }
}

/// Why a node comes back that meets an entry of its own which it does not know.
const FORGOTTEN: &str = "the log holds an entry of this node that it does not know: it was restored \
                         from a backup; it comes back into the group before it speaks";

/// MLS cannot open one's own message: what it says waits in the outbox.
fn own_entry(app: &App, own: Option<&Outgoing>) -> anyhow::Result<Inside> {
    let own = own.ok_or_else(|| Lost(FORGOTTEN.to_owned()))?;
    Ok(Inside::Entry {
        author: app.me,
        entry: super::outbox::plain(app, own)?,
    })
}
