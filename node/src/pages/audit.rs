//! Audit: who vouches for the log, whose books differ, what is disputed, who uses what.

use super::{
    Page,
    cut::Cut,
    frame::{Frame, Section},
    render,
    when::When,
    words,
};
use crate::{
    app::App,
    audit::{self, Difference, Status},
    shares::{
        dispute,
        uses::{self, Announced},
    },
};
use askama::Template;
use axum::{extract::State, http::Uri};
use protocol::{state::reconcile::Difference as Why, time::Moment};

/// The most rows that one table shows.
const ROWS: usize = 100;

/// What the page shows.
#[derive(Debug, Template)]
#[template(path = "audit.html")]
pub struct Audit {
    frame: Frame,
    heads: Option<Heads>,
    forks: Vec<Fork>,
    one_sided: Cut<OneSided>,
    disputes: Cut<Dispute>,
    uses: Cut<Use>,
}

/// How the log is vouched for.
#[derive(Debug)]
struct Heads {
    position: String,
    root: String,
    checked: String,
    vouched: Vec<Vouched>,
}

/// A checked signature under a head.
#[derive(Debug)]
struct Vouched {
    name: String,
    role: &'static str,
    entries: String,
    at: When,
}

/// Signed heads that cannot both be true.
#[derive(Debug)]
struct Fork {
    why: String,
    at: When,
}

/// A share whose two ends differ.
#[derive(Debug)]
struct OneSided {
    from: String,
    to: String,
    announced: String,
    why: &'static str,
    at: When,
}

/// What a recipient reports of a share.
#[derive(Debug)]
struct Dispute {
    by: String,
    from: String,
    rows: String,
    code: &'static str,
    at: When,
}

/// A use of shared rows.
#[derive(Debug)]
struct Use {
    by: String,
    from: String,
    purpose: String,
    channel: String,
    begins: When,
    ends: When,
}

/// Shows the page.
pub async fn show(State(app): State<App>, uri: Uri) -> Page {
    let frame = Frame::read(&app, Section::Audit, &uri).await;
    let mut page = Audit {
        heads: None,
        forks: Vec::new(),
        one_sided: Cut::first([], ROWS),
        disputes: Cut::first([], ROWS),
        uses: Cut::first([], ROWS),
        frame,
    };
    if page.frame.is_active() || page.frame.is_paused() {
        let status = audit::status(&app).await?;
        let differences = audit::reconcile(&app).await?;
        let uses = uses::all(&app).await?;
        let disputes = {
            let coalition = crate::coalition::active(&app).await?;
            dispute::open(&app, &coalition.state)
        };
        page.fill(status, differences, uses, disputes);
    }
    render(&page)
}

impl Audit {
    fn fill(
        &mut self,
        status: Status,
        differences: Vec<Difference>,
        uses: Vec<Announced>,
        disputes: Vec<dispute::Open>,
    ) {
        let calendar = &self.frame.calendar;
        self.forks = status
            .forks
            .iter()
            .map(|fork| Fork {
                why: fork.why.clone(),
                at: calendar.moment(Moment(fork.at)),
            })
            .collect();
        self.heads = Some(Heads {
            position: words::natural(status.position),
            root: status.root.to_string(),
            checked: words::natural(status.checked),
            vouched: status
                .vouched
                .into_iter()
                .map(|one| Vouched {
                    name: one.name,
                    role: one.role,
                    entries: words::natural(one.entries.unsigned_abs()),
                    at: calendar.moment(Moment(one.at)),
                })
                .collect(),
        });
        let differences = differences.into_iter().map(|one| OneSided {
            from: one.from_name,
            to: one.to_name,
            announced: words::natural(one.share.announced),
            why: match one.share.why {
                Why::Unanswered => "the recipient has not answered in time",
                Why::Numbers => "taken and not taken do not add up",
            },
            at: calendar.day(one.share.at),
        });
        self.one_sided = Cut::first(differences, ROWS);
        let disputes = disputes.into_iter().map(|open| Dispute {
            by: open.by,
            from: open.from,
            rows: words::natural(open.rows),
            code: open.code,
            at: calendar.day(open.at),
        });
        self.disputes = Cut::first(disputes, ROWS);
        let uses = uses.into_iter().map(|one| Use {
            by: one.by_name,
            from: one.from_name,
            purpose: words::spaced(&one.purpose),
            channel: one.channel,
            begins: calendar.moment(one.from),
            ends: calendar.moment(one.until),
        });
        self.uses = Cut::first(uses, ROWS);
    }

    /// Whether there is anything that a person should look into.
    fn alarms(&self) -> bool {
        !self.forks.is_empty() || self.frame.is_stopped()
    }
}

#[cfg(test)]
impl Audit {
    /// The page with one text in every place that others can fill.
    pub(super) fn sample(text: &str) -> Self {
        let frame = Frame::sample(Section::Audit, text);
        let when = || frame.calendar.moment(Moment(1_795_604_160_000));
        let text = || text.to_owned();
        Self {
            heads: Some(Heads {
                position: text(),
                root: text(),
                checked: text(),
                vouched: vec![Vouched {
                    name: text(),
                    role: "keeper",
                    entries: text(),
                    at: when(),
                }],
            }),
            forks: vec![Fork {
                why: text(),
                at: when(),
            }],
            one_sided: Cut {
                rows: vec![OneSided {
                    from: text(),
                    to: text(),
                    announced: text(),
                    why: "taken and not taken do not add up",
                    at: when(),
                }],
                more: 1,
            },
            disputes: Cut {
                rows: vec![Dispute {
                    by: text(),
                    from: text(),
                    rows: text(),
                    code: "W_OVERSHARE",
                    at: when(),
                }],
                more: 1,
            },
            uses: Cut {
                rows: vec![Use {
                    by: text(),
                    from: text(),
                    purpose: text(),
                    channel: text(),
                    begins: when(),
                    ends: when(),
                }],
                more: 1,
            },
            frame,
        }
    }
}
