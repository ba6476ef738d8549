//! Received rows as a CSV file for the organization's own tools: what may be used, and for what.

use super::{
    pass_on,
    payload::{Fields, Grounds},
    uses,
};
use crate::{
    app::App,
    coalition::members,
    http::problem::Failure,
    store::{
        coalition::Phase,
        share::received::{self, Received},
    },
};
use protocol::{
    id::{EntryId, RowRef},
    problem::ProblemKind,
};

/// Rows read at a time.
const PAGE: i64 = 1_000;
/// The columns.
const HEADINGS: [&str; 26] = [
    "share",
    "from",
    "purpose",
    "channel",
    "use_until",
    "row",
    "given_name",
    "middle_name",
    "surname",
    "suffix",
    "birth_date",
    "birth_year",
    "address_line1",
    "address_line2",
    "city",
    "state",
    "postal_code",
    "country",
    "phones",
    "emails",
    "tags",
    "answers",
    "basis",
    "consent_record",
    "collected_by",
    "reference",
];

/// Rows for the organization's own tools.
#[derive(Debug)]
pub struct Export {
    /// CSV.
    pub csv: Vec<u8>,
    /// Shares left out, because no use of them goes on.
    pub not_in_use: u64,
}

/// The rows of one share, or of all, of which an announced use goes on; expired, erased and restricted
/// ones never.
///
/// # Errors
/// [`Failure`] when there is no such share or it cannot be used, when no use goes on, or this node no
/// longer learns what is taken back.
pub async fn export(app: &App, share: Option<EntryId>) -> Result<Export, Failure> {
    if let Some(why) = why_closed(app).await {
        return Err(Failure::new(ProblemKind::Conflict, why));
    }
    let mut db = app.store.read("exporting received rows").await?;
    let shares = match share {
        Some(share) => vec![received::find(&mut db, share).await?.ok_or_else(|| {
            Failure::not_found("no received share has that id; see `commonturf received list`")
        })?],
        None => received::all(&mut db).await?,
    };
    drop(db);
    let now = app.now();
    let usable = |row: &Received| {
        row.state == "stored" && row.expires_at.is_none_or(|expires| expires > now.0)
    };
    if share.is_some() && !shares.iter().all(usable) {
        return Err(Failure::new(
            ProblemKind::Conflict,
            "the share has expired, failed or was not fetched yet; `commonturf received list` says which",
        ));
    }
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(HEADINGS).map_err(Failure::internal)?;
    let (mut used, mut not_in_use, mut refused) = (0, 0, None);
    for row in shares.iter().filter(|row| usable(row)) {
        if let Err(refusal) = uses::may_begin(app, row.share).await {
            not_in_use += 1;
            refused = refused.or(Some(refusal));
            continue;
        }
        used += 1;
        let sender = {
            let coalition = crate::coalition::active(app).await?;
            members::name(&coalition.state, row.sender)
        };
        write_share(app, &mut out, row, &sender).await?;
    }
    if let Some(refused) = refused.filter(|_| used == 0) {
        return Err(refused);
    }
    Ok(Export {
        csv: out.into_inner().map_err(Failure::internal)?,
        not_in_use,
    })
}

/// Why nothing of what was received may be used now.
pub(super) async fn why_closed(app: &App) -> Option<&'static str> {
    match app.coalition.read().await.as_ref()?.row.phase {
        Phase::Joining | Phase::Active => None,
        Phase::Stopped => Some(
            "this node has stopped reading the coalition log and cannot know what was taken back since; \
             received rows must not be used before it reads on: see `commonturf coalition status`",
        ),
        Phase::Restored | Phase::Returning => Some(
            "this node is on its way back into the coalition and does not know yet what was taken back \
             since; received rows can be used again once it is in: see `commonturf coalition status`",
        ),
        Phase::Gone => Some(
            "this organization is not a member any more and does not learn what is taken back; what it \
             received must not be used",
        ),
    }
}

async fn write_share(
    app: &App,
    out: &mut csv::Writer<Vec<u8>>,
    share: &Received,
    sender: &str,
) -> Result<(), Failure> {
    let until = share.expires_at.map(date).unwrap_or_default();
    let head = [
        share.share.to_string(),
        sender.to_owned(),
        share.purpose.clone(),
        share.channel.clone(),
        until,
    ];
    let mut after = Vec::new();
    loop {
        let mut db = app.store.read("exporting received rows").await?;
        let rows = received::rows(&mut db, share.share, &after, PAGE).await?;
        drop(db);
        let Some((last, _, _)) = rows.last() else {
            return Ok(());
        };
        after.clone_from(last);
        for (row, fields, grounds) in &rows {
            let fields: Fields = serde_json::from_str(fields).map_err(Failure::internal)?;
            let mut record: Vec<String> = head.to_vec();
            record.push(protocol::id::to_base32(row));
            record.extend(columns(fields));
            record.extend(ground_columns(grounds));
            record.push(collected_by(app, grounds).await?);
            record.push(reference(share.share, row));
            let safe: Vec<String> = record.into_iter().map(neutral).collect();
            out.write_record(&safe).map_err(Failure::internal)?;
        }
    }
}

fn columns(fields: Fields) -> [String; 16] {
    let identity = fields.identity.unwrap_or_default();
    let postal = fields.postal.unwrap_or_default();
    let political = fields.political.unwrap_or_default();
    let engagement = fields.engagement.unwrap_or_default();
    let phones: Vec<String> = fields
        .phones
        .into_iter()
        .map(|phone| phone.number)
        .collect();
    let tags: Vec<String> = political.tags.into_iter().chain(engagement.tags).collect();
    let answers: Vec<String> = political
        .answers
        .into_iter()
        .chain(engagement.answers)
        .map(|answer| format!("{}: {}", answer.question, answer.value))
        .collect();
    [
        identity.given,
        identity.middle,
        identity.surname,
        identity.suffix,
        identity.birth_date.unwrap_or_default(),
        identity
            .birth_year
            .map(|year| year.to_string())
            .unwrap_or_default(),
        postal.line1,
        postal.line2,
        postal.city,
        postal.state,
        postal.postal_code,
        postal.country,
        phones.join("; "),
        fields.emails.join("; "),
        tags.join("; "),
        answers.join("; "),
    ]
}

fn ground_columns(grounds: &str) -> [String; 2] {
    let grounds: serde_json::Value = serde_json::from_str(grounds).unwrap_or_default();
    let record: serde_json::Value = grounds["consent"]
        .as_str()
        .and_then(|json| serde_json::from_str(json).ok())
        .unwrap_or_default();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    [text(&grounds["basis"]), text(&record["record_id"])]
}

/// Whose people they were first.
async fn collected_by(app: &App, grounds: &str) -> Result<String, Failure> {
    let grounds: Grounds = serde_json::from_str(grounds).map_err(Failure::internal)?;
    let coalition = crate::coalition::active(app).await?;
    Ok(members::name(&coalition.state, grounds.originator))
}

/// What names the row where a person is meant.
fn reference(share: EntryId, row: &[u8]) -> String {
    let name = row.try_into().map(RowRef);
    name.map_or_else(|_| String::new(), |row| pass_on::reference(share, row))
}

fn date(milliseconds: i64) -> String {
    jiff::Timestamp::from_millisecond(milliseconds)
        .map(|time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
        .unwrap_or_default()
}

/// A cell that no spreadsheet takes for a formula. A phone number's plus sign stays.
fn neutral(cell: String) -> String {
    let first = cell.chars().next();
    let is_number = cell
        .strip_prefix('+')
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()));
    match first {
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n') if !is_number => format!("'{cell}"),
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_from_another_organization_stays_text() {
        for formula in ["=1+1", "@SUM(A1)", "-2", "+cmd|' /C calc'!A0", "\t=1"] {
            assert!(neutral(formula.to_owned()).starts_with('\''), "{formula}");
        }
        assert_eq!(neutral("+16145550100".to_owned()), "+16145550100");
        assert_eq!(neutral("Ada".to_owned()), "Ada");
    }
}
