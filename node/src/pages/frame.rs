//! What every page shows around its content: where one is, how the coalition stands.

use super::when::Calendar;
use crate::{app::App, keys, store::coalition::Phase};
use axum::http::Uri;
use protocol::{agreement::Agreement, time::Moment};
use std::fmt;

/// The pages of the menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// How the coalition stands and what waits.
    Home,
    /// The agreement in force and the drafts.
    Agreement,
    /// The organization's lists and imports.
    Lists,
    /// Its people.
    People,
    /// What members intend.
    Plans,
    /// Who contacts whom, when.
    Claims,
    /// What was given and received.
    Shares,
    /// Who vouches for the log, and whose books differ.
    Audit,
}

impl Section {
    const ALL: [Self; 8] = [
        Self::Home,
        Self::Agreement,
        Self::Lists,
        Self::People,
        Self::Plans,
        Self::Claims,
        Self::Shares,
        Self::Audit,
    ];

    /// Name in the menu.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Home => "Home",
            Self::Agreement => "Agreement",
            Self::Lists => "Lists",
            Self::People => "People",
            Self::Plans => "Plans",
            Self::Claims => "Claims",
            Self::Shares => "Shares",
            Self::Audit => "Audit",
        }
    }

    /// Address.
    #[must_use]
    pub fn href(self) -> &'static str {
        match self {
            Self::Home => "/",
            Self::Agreement => "/agreement",
            Self::Lists => "/lists",
            Self::People => "/people",
            Self::Plans => "/plans",
            Self::Claims => "/claims",
            Self::Shares => "/shares",
            Self::Audit => "/audit",
        }
    }

    /// Icon.
    #[must_use]
    pub fn icon(self) -> Icon {
        Icon(match self {
            Self::Home => "home-2",
            Self::Agreement => "scale",
            Self::Lists => "list-details",
            Self::People => "users",
            Self::Plans => "calendar-event",
            Self::Claims => "map-pin-check",
            Self::Shares => "transfer",
            Self::Audit => "lock",
        })
    }
}

/// A picture of the sprite; it says nothing that is not said in words beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Icon(pub &'static str);

impl fmt::Display for Icon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "<svg class=\"icon\" aria-hidden=\"true\" focusable=\"false\"><use href=\"{}#{}\"></use></svg>",
            super::assets::url("vendor/icons.svg"),
            self.0
        )
    }
}

// Made of names that this program holds.
impl askama::filters::HtmlSafe for Icon {}

/// Something about the node as a whole that everybody should know first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Banner {
    /// Whether work stands still because of it.
    pub grave: bool,
    /// In a few words.
    pub title: String,
    /// What it means and what to do.
    pub detail: String,
}

/// The surroundings of one page.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The organization.
    pub organization: String,
    /// The coalition, if the node is in one or on its way.
    pub coalition: Option<String>,
    /// How far the node has come with it.
    pub phase: Option<Phase>,
    /// Which page this is.
    pub here: Section,
    /// What everybody should know first.
    pub banners: Vec<Banner>,
    /// What was just done.
    pub done: Option<&'static str>,
    /// How times are shown.
    pub calendar: Calendar,
}

impl Frame {
    /// Reads the surroundings of a page.
    pub async fn read(app: &App, here: Section, uri: &Uri) -> Self {
        let guard = app.coalition.read().await;
        let zone = guard
            .as_ref()
            .and_then(|coalition| zone(&coalition.state.agreement()?.1));
        let calendar = Calendar::new(zone.as_deref(), app.now());
        let mut frame = Self {
            organization: app.name.clone(),
            coalition: guard.as_ref().map(|coalition| coalition.row.name.clone()),
            phase: guard.as_ref().map(|coalition| coalition.row.phase),
            here,
            banners: Vec::new(),
            done: super::done::sentence(uri.query()),
            calendar,
        };
        let because = guard
            .as_ref()
            .and_then(|coalition| coalition.row.stopped_because.clone());
        let log_time = guard
            .as_ref()
            .map_or(Moment(0), |coalition| coalition.state.meta().head.log_time);
        drop(guard);
        let banner = frame
            .phase
            .and_then(|phase| Banner::of(phase, because.unwrap_or_default()));
        frame.banners.extend(banner);
        frame.banners.extend(frame.keeper_banner(app));
        let document = keys::standing::of(app, log_time);
        frame.banners.extend(frame.document_banner(app, &document));
        frame
    }

    fn keeper_banner(&self, app: &App) -> Option<Banner> {
        self.coalition.as_ref().filter(|_| !self.is_gone())?;
        let contact = app.wake.contact.borrow().clone();
        if let Some(why) = app.kept.refused() {
            return Some(Banner {
                grave: true,
                title: "This keeper is in repair after a restore".to_owned(),
                detail: why,
            });
        }
        let error = contact.error?;
        if contact.in_repair {
            return Some(Banner {
                grave: true,
                title: "The coalition's only keeper is in repair after a restore".to_owned(),
                detail: "Nothing is ordered and nothing is granted meanwhile. This node hands back to it what it \
                         holds of the log; what you do here waits and goes out by itself."
                    .to_owned(),
            });
        }
        let last = match contact.answered_at {
            Some(at) => format!("It last answered {}.", self.calendar.distance(at)),
            None => "It has not answered since this node was started.".to_owned(),
        };
        Some(Banner {
            grave: false,
            title: "The keeper is not reached".to_owned(),
            detail: format!(
                "{last} What you do here waits and nothing is lost, but no claim is granted meanwhile. ({error})"
            ),
        })
    }

    /// The own identity document, where a person must look after it.
    fn document_banner(&self, app: &App, document: &keys::standing::Standing) -> Option<Banner> {
        let until = self.calendar.moment(document.valid_until);
        let title = if document.ended {
            format!("This node's identity document ran out {until}")
        } else if document.ends_soon {
            format!("This node's identity document runs out {until} and was not renewed by itself")
        } else {
            return None;
        };
        Some(Banner {
            grave: document.ended,
            title,
            detail: format!(
                "A day after its end allies take nothing more from this organization than what protects people. \
                 Whoever looks after the node renews it: {}",
                command(app, "identity rotate --keep-keys")
            ),
        })
    }

    /// Whether the node takes part in a coalition now.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.phase == Some(Phase::Active)
    }

    /// Whether the node waits to be let in.
    #[must_use]
    pub fn is_joining(&self) -> bool {
        self.phase == Some(Phase::Joining)
    }

    /// Whether the node has stopped reading the log.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.phase == Some(Phase::Stopped)
    }

    /// Whether the node is a member that does not follow the log now: stopped, or on its way back.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        matches!(
            self.phase,
            Some(Phase::Stopped | Phase::Restored | Phase::Returning)
        )
    }

    /// Whether the organization is not a member any more.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.phase == Some(Phase::Gone)
    }

    /// The menu.
    #[must_use]
    pub fn menu(&self) -> [Section; 8] {
        Section::ALL
    }

    /// An icon of the sprite.
    #[must_use]
    pub fn icon(&self, name: &'static str) -> Icon {
        Icon(name)
    }

    /// The frame of a page with one text in every place that others can fill.
    #[cfg(test)]
    pub(super) fn sample(here: Section, text: &str) -> Self {
        Self {
            organization: text.to_owned(),
            coalition: Some(text.to_owned()),
            phase: Some(Phase::Active),
            here,
            banners: vec![
                Banner::stopped(text.to_owned()),
                Banner {
                    grave: false,
                    title: text.to_owned(),
                    detail: text.to_owned(),
                },
            ],
            done: None,
            calendar: Calendar::new(None, Moment(1_795_604_160_000)),
        }
    }
}

impl Banner {
    /// What everybody at this node should know of its phase.
    fn of(phase: Phase, because: String) -> Option<Self> {
        match phase {
            Phase::Joining | Phase::Active => None,
            Phase::Stopped => Some(Self::stopped(because)),
            Phase::Restored | Phase::Returning => Some(Self {
                grave: false,
                title: "This node is on its way back into the coalition".to_owned(),
                detail: format!(
                    "{because} Until it is in, it says nothing, and nothing that allies shared can be used: what \
                     was taken back since is not known yet."
                ),
            }),
            Phase::Gone => Some(Self {
                grave: true,
                title: "This organization is not a member any more".to_owned(),
                detail: format!("{because}."),
            }),
        }
    }

    fn stopped(because: String) -> Self {
        Self {
            grave: true,
            title: "This node has stopped reading the coalition's log".to_owned(),
            detail: format!(
                "{because} Lists, people and walk lists stay usable; claims and shares do not move until it is mended."
            ),
        }
    }
}

/// The time zone of an agreement.
fn zone(agreement: &Agreement) -> Option<String> {
    let terms: toml::Table = toml::from_str(&agreement.terms).ok()?;
    Some(terms.get("params")?.get("time_zone")?.as_str()?.to_owned())
}

/// A command as it can be copied: with the node's directory where that is not the usual one.
#[must_use]
pub fn command(app: &App, what: &str) -> String {
    format!("commonturf --node {} {what}", app.dir.0.display())
}
