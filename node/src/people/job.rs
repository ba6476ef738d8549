//! The batches of an import: read once to judge the file, once more to take its rows.

use super::{
    consents::Signed,
    history::{self, HistoryContext, Own},
    person::{self, Context, fresh_id},
    report::{Counts, REJECTS_SHOWN, Report},
    request::{Request, Target},
    spool::{SpoolError, Spooled},
};
use crate::{
    app::App,
    http::problem::Failure,
    import::{self, Field, Format, Header, ImportError, Item, Options, Rejected, Summary},
    store::{
        StoreError, Write, consent,
        import_job::{self, Import, Progress, Reject},
        integer, list, natural,
    },
};
use jiff::tz::TimeZone;
use policy::{consent::form::Form, facts::Source, terms::Terms};
use protocol::{problem::ProblemKind, token::normalize::text::text};
use sqlx::AnyConnection;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};
use tokio::sync::{Mutex, mpsc};

/// Rows of one transaction.
const BATCH_ROWS: usize = 500;
/// Batches that are read ahead of the database.
const BATCHES_AHEAD: usize = 2;
/// The most committees of one file that are told apart; beyond, its rows are nobody's own.
const COMMITTEES: usize = 10_000;

/// Imports go one after the other: the same file sent twice at once is read once and then repeated.
static TURN: Mutex<()> = Mutex::const_new(());

/// Why an import did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum ImportFailure {
    /// The file as such.
    #[error(transparent)]
    File(#[from] ImportError),
    /// The upload.
    #[error(transparent)]
    Upload(#[from] SpoolError),
    /// What was asked for does not go with the file or with what the node knows.
    #[error("{0}")]
    Input(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The node is stopping.
    #[error("the node is stopping; the same import goes on where this one ended")]
    Stopping,
    /// The reading thread ended.
    #[error("reading the file ended early: {0}")]
    Reader(String),
}

impl From<ImportFailure> for Failure {
    fn from(failure: ImportFailure) -> Self {
        let said = failure.to_string();
        match failure {
            ImportFailure::File(ImportError::Io(_))
            | ImportFailure::Upload(SpoolError::Disk(_))
            | ImportFailure::Reader(_) => Self::internal(said),
            ImportFailure::Store(error) => error.into(),
            ImportFailure::File(ImportError::TooLarge)
            | ImportFailure::Upload(SpoolError::TooLarge) => {
                Self::new(ProblemKind::PayloadTooLarge, said)
            }
            ImportFailure::Stopping => Self::new(ProblemKind::Unavailable, said),
            ImportFailure::File(_) | ImportFailure::Upload(_) | ImportFailure::Input(_) => {
                Self::input(said)
            }
        }
    }
}

/// What the first reading found.
struct Judged {
    header: Header,
    summary: Summary,
    committees: BTreeSet<String>,
}

/// Takes a file that has arrived whole. A dry run does all the work in one transaction and undoes it.
///
/// # Errors
/// [`ImportFailure`]; a refused file leaves nothing behind, an interrupted one its committed batches.
pub async fn run(app: &App, request: Request, spooled: &Spooled) -> Result<Report, ImportFailure> {
    if request.sha256.is_some_and(|told| told != spooled.hash) {
        return Err(ImportFailure::Input(
            "sha256: the file that arrived is not the file that was sent; send it again".to_owned(),
        ));
    }
    let mut options = request.options.clone();
    options.spool = Some(app.dir.0.clone());
    let judged = judge(spooled, &options).await?;
    fits(&request.target, &judged)?;
    let turn = TURN.lock().await;
    let mut work = Work::begin(app, &request, spooled, judged).await?;
    let report = work.take_all(app, &options, spooled).await;
    drop(turn);
    if !request.dry_run {
        app.wake.jobs.notify_one();
    }
    report
}

/// Reads the whole file and keeps nothing of it but what the second reading has to know before.
async fn judge(spooled: &Spooled, options: &Options) -> Result<Judged, ImportFailure> {
    let file = spooled.reader().map_err(ImportError::Io)?;
    let options = options.clone();
    let read = move || {
        let mut header = None;
        let mut committees = BTreeSet::new();
        let summary = import::read(file, &options, &mut |item| {
            match item {
                Item::Header(found) => header = Some(found),
                Item::Attempt { attempt, .. } if committees.len() < COMMITTEES => {
                    committees.extend(attempt.committee.as_deref().map(text));
                }
                _ => {}
            }
            ControlFlow::Continue(())
        })?;
        let header = header.ok_or(ImportError::Empty)?;
        Ok::<_, ImportError>(Judged {
            header,
            summary,
            committees,
        })
    };
    let judged = tokio::task::spawn_blocking(read).await;
    Ok(judged.map_err(|error| ImportFailure::Reader(error.to_string()))??)
}

fn fits(target: &Target, judged: &Judged) -> Result<(), ImportFailure> {
    let history = judged.summary.attempts > 0 || judged.summary.format == Format::VanContactHistory;
    let said = match (target, history) {
        (Target::List(_), true) => {
            "format: this file is a contact history, not a list; use: commonturf contacts import"
        }
        (Target::Contacts(_), false) => {
            "format: this file is a list of people, not a contact history; use: commonturf import"
        }
        _ => return Ok(()),
    };
    Err(ImportFailure::Input(said.to_owned()))
}

/// What the rows of the present import are taken with.
enum Rows {
    People(Box<Context>),
    Attempts(Box<HistoryContext>),
}

/// One import under way.
struct Work {
    import: Import,
    counts: Counts,
    list: String,
    rows: Rows,
    summary: Summary,
    resumed_at: Option<u64>,
    /// Of a dry run: the one transaction, never committed.
    dry: Option<Write>,
}

impl Work {
    async fn begin(
        app: &App,
        request: &Request,
        spooled: &Spooled,
        judged: Judged,
    ) -> Result<Self, ImportFailure> {
        let zone = zone(app).await;
        let now = app.now().0;
        let mut tx = app.store.write("beginning an import").await?;
        let signed = signed(&mut tx, request, spooled, now).await?;
        let (list_id, list) = match &request.target {
            Target::List(name) => (list_id(&mut tx, name, now).await?, name.clone()),
            Target::Contacts(_) => (String::new(), String::new()),
        };
        let fingerprint = request.fingerprint(spooled.hash);
        let known = import_job::unfinished(&mut tx, &fingerprint).await?;
        let resumed_at = known.as_ref().map(|known| natural(known.rows_done));
        let fresh = || Import {
            import_id: fresh_id(),
            list_id: list_id.clone(),
            fingerprint: fingerprint.clone(),
            file_name: request.file_name.clone(),
            format: judged.summary.format.to_string(),
            progress: Progress::Running,
            rows_done: 0,
            counts: "{}".to_owned(),
            started_at: now,
            finished_at: None,
        };
        let import = known.unwrap_or_else(fresh);
        let mut counts = counts_of(&import)?;
        columns(&judged.header, &mut counts);
        import_job::put(&mut tx, &import).await?;
        let context = Context {
            import_id: import.import_id.clone(),
            fingerprint,
            list_id,
            region: app.config.lists.region.clone(),
            now,
            today: app_day(now),
            basis: request.basis,
            source: request.source,
            usual_source: usual_source(judged.summary.format),
            signed,
            fingerprints: BTreeMap::new(),
        };
        let rows = match &request.target {
            Target::List(_) => Rows::People(Box::new(context)),
            Target::Contacts(named) => Rows::Attempts(Box::new(HistoryContext {
                shared: context,
                own: Own::of(named.as_deref(), &app.name, &judged.committees),
                zone,
            })),
        };
        let mut dry = None;
        if request.dry_run {
            dry = Some(tx);
        } else {
            tx.commit().await?;
        }
        Ok(Self {
            import,
            counts,
            list,
            rows,
            summary: judged.summary,
            resumed_at,
            dry,
        })
    }

    /// Takes batch after batch, and ends the import.
    async fn take_all(
        &mut self,
        app: &App,
        options: &Options,
        spooled: &Spooled,
    ) -> Result<Report, ImportFailure> {
        let skip = natural(self.import.rows_done);
        let (sender, mut batches) = mpsc::channel(BATCHES_AHEAD);
        let file = spooled.reader().map_err(ImportError::Io)?;
        let options = options.clone();
        let reader = tokio::task::spawn_blocking(move || send(file, &options, skip, &sender));
        while let Some(batch) = batches.recv().await {
            if app.life.is_stopping() {
                return Err(ImportFailure::Stopping);
            }
            let mut dry = self.dry.take();
            if let Some(tx) = &mut dry {
                self.take(tx, batch).await?;
                self.dry = dry;
            } else {
                let mut tx = app.store.write("importing a batch").await?;
                self.take(&mut tx, batch).await?;
                tx.commit().await?;
            }
        }
        let read = reader.await;
        read.map_err(|error| ImportFailure::Reader(error.to_string()))??;
        for (warning, times) in std::mem::take(&mut self.summary.warnings) {
            self.counts.warn_times(warning.message(), times);
        }
        self.import.progress = Progress::Done;
        self.import.finished_at = Some(app.now().0);
        match self.dry.take() {
            Some(mut tx) => self.end(&mut tx, true).await,
            None => {
                let mut tx = app.store.write("ending an import").await?;
                let report = self.end(&mut tx, false).await?;
                tx.commit().await?;
                Ok(report)
            }
        }
    }

    async fn end(
        &mut self,
        db: &mut AnyConnection,
        dry_run: bool,
    ) -> Result<Report, ImportFailure> {
        self.save(db).await?;
        let mut report = report(db, &self.import, self.list.clone()).await?;
        report.resumed_at = self.resumed_at;
        report.dry_run = dry_run;
        if dry_run {
            report.import_id.clear();
        }
        Ok(report)
    }

    async fn save(&mut self, db: &mut AnyConnection) -> Result<(), ImportFailure> {
        let counts = serde_json::to_string(&self.counts);
        self.import.counts = counts.map_err(|error| StoreError::damaged("import", error))?;
        import_job::put(db, &self.import).await?;
        Ok(())
    }

    /// Takes one batch and notes how far the import has come, all in the caller's transaction.
    async fn take(
        &mut self,
        db: &mut AnyConnection,
        batch: Vec<Item>,
    ) -> Result<(), ImportFailure> {
        self.import.rows_done += integer(batch.len() as u64);
        for item in batch {
            match (item, &mut self.rows) {
                (Item::Person { person, .. }, Rows::People(context)) => {
                    person::take(db, context, *person, &mut self.counts).await?;
                }
                (Item::Attempt { attempt, .. }, Rows::Attempts(context)) => {
                    history::take(db, context, *attempt, &mut self.counts).await?;
                }
                (Item::Rejected(rejected), _) => {
                    self.counts.rejected += 1;
                    import_job::reject(db, &self.import.import_id, &stored(&rejected)).await?;
                }
                // The first reading refused files that mix people and attempts.
                _ => {}
            }
        }
        self.save(db).await
    }
}

/// Reads the rows behind the first `skip` and sends them in batches, until nobody listens.
fn send(
    file: std::fs::File,
    options: &Options,
    skip: u64,
    sender: &mpsc::Sender<Vec<Item>>,
) -> Result<(), ImportError> {
    let mut row: u64 = 0;
    let mut batch = Vec::with_capacity(BATCH_ROWS);
    import::read(file, options, &mut |item| {
        if matches!(item, Item::Header(_) | Item::Progress { .. }) {
            return ControlFlow::Continue(());
        }
        row += 1;
        if row <= skip {
            return ControlFlow::Continue(());
        }
        batch.push(item);
        if batch.len() < BATCH_ROWS {
            return ControlFlow::Continue(());
        }
        match sender.blocking_send(std::mem::take(&mut batch)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    })?;
    if !batch.is_empty() {
        // Whoever stopped listening knows why.
        drop(sender.blocking_send(batch));
    }
    Ok(())
}

fn stored(rejected: &Rejected) -> Reject {
    Reject {
        line: integer(rejected.line),
        column: rejected.column.as_deref().unwrap_or_default().to_owned(),
        reason: rejected.reason.to_string(),
    }
}

/// The report of a stored import, as far as it has come.
///
/// # Errors
/// [`StoreError`].
pub async fn report(
    db: &mut AnyConnection,
    import: &Import,
    list: String,
) -> Result<Report, StoreError> {
    Ok(Report {
        import_id: import.import_id.clone(),
        list,
        file_name: import.file_name.clone(),
        format: import.format.clone(),
        state: import.progress.name(),
        rows: natural(import.rows_done),
        counts: counts_of(import)?,
        rejects: import_job::rejects(db, &import.import_id, REJECTS_SHOWN).await?,
        resumed_at: None,
        dry_run: false,
        started_at: import.started_at,
        finished_at: import.finished_at,
    })
}

fn counts_of(import: &Import) -> Result<Counts, StoreError> {
    serde_json::from_str(&import.counts).map_err(|error| StoreError::damaged("import", error))
}

fn columns(header: &Header, counts: &mut Counts) {
    let names = |field: Field| {
        let columns = header.columns.iter().filter(|column| column.field == field);
        columns.map(|column| column.name.to_string()).collect()
    };
    counts.unknown_columns = names(Field::Keep);
    counts.left_out_columns = names(Field::LeaveOut);
}

async fn list_id(db: &mut AnyConnection, name: &str, now: i64) -> Result<String, StoreError> {
    if let Some(known) = list::by_name(db, name).await? {
        return Ok(known.list_id);
    }
    let list_id = fresh_id();
    list::insert(db, &list_id, name, now).await?;
    Ok(list_id)
}

async fn signed(
    db: &mut AnyConnection,
    request: &Request,
    spooled: &Spooled,
    now: i64,
) -> Result<Option<Signed>, ImportFailure> {
    let Some(hash) = request.consent_form else {
        return Ok(None);
    };
    let unknown = || ImportFailure::Input("consent_form: send the form itself first".to_owned());
    let form = consent::form(db, &hash.to_string()).await?;
    let form = Form::parse(&form.ok_or_else(unknown)?)
        .map_err(|error| ImportFailure::Input(format!("consent_form: {error}")))?;
    Ok(Some(Signed::new(
        form,
        spooled.hash,
        request.consent_date,
        now,
    )))
}

/// Where rows of a format come from, unless something else was said.
fn usual_source(format: Format) -> Source {
    match format {
        Format::VanSavedList | Format::VanContactHistory => Source::VoterFile,
        Format::NationBuilder | Format::ActionNetwork | Format::CiviCrm | Format::Csv => {
            Source::OwnSignup
        }
    }
}

fn app_day(now: i64) -> jiff::civil::Date {
    let at = jiff::Timestamp::from_millisecond(now).unwrap_or_default();
    at.to_zoned(TimeZone::UTC).date()
}

/// Where days begin: as the agreement says, or else in UTC.
async fn zone(app: &App) -> TimeZone {
    let guard = app.coalition.read().await;
    let agreement = guard.as_ref().and_then(|known| known.state.agreement());
    let terms = agreement.and_then(|(_, agreement)| Terms::parse(&agreement.terms).ok());
    let zone = terms.and_then(|terms| TimeZone::get(&terms.params.time_zone).ok());
    zone.unwrap_or(TimeZone::UTC)
}
