//! The batches of an import: each in one transaction, with how far the import has come.

use super::{
    batch::Batch,
    consents::Signed,
    history::{self, HistoryContext, Own},
    judge::{self, Judged},
    person::{self, Context, Prepared, fresh_id},
    report::{Counts, REJECTS_SHOWN, Report},
    request::{Request, Target},
    spool::{SpoolError, Spooled},
};
use crate::{
    app::App,
    http::problem::Failure,
    import::{self, Format, ImportError, Item, Options, ParsedAttempt, Rejected, Summary},
    store::{
        StoreError, consent,
        import_job::{self, Import, Progress, Reject},
        integer, list, natural,
    },
};
use jiff::tz::TimeZone;
use policy::{consent::form::Form, facts::Source, terms::Terms};
use protocol::problem::ProblemKind;
use sqlx::AnyConnection;
use std::{collections::BTreeMap, ops::ControlFlow};
use tokio::sync::{Mutex, mpsc};

/// Rows of one transaction.
const BATCH_ROWS: usize = 2_000;
/// Rows of one transaction of a dry run, which is undone: people who come again within so many rows
/// are seen to, and others of the node wait no longer than that.
const DRY_ROWS: usize = 5_000;
/// Batches that are read ahead of the database.
const BATCHES_AHEAD: usize = 2;

/// Imports go one after the other: the same file sent twice at once is read once and then repeated.
static TURN: Mutex<()> = Mutex::const_new(());

/// Why an import did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum ImportFailure {
    /// The file as such.
    #[error(transparent)]
    File(#[from] ImportError),
    /// The file is of another kind than was said.
    #[error("{0}")]
    Kind(&'static str),
    /// The upload.
    #[error(transparent)]
    Upload(#[from] SpoolError),
    /// What was asked for does not go with what the node knows.
    #[error("{0}")]
    Input(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The node is stopping.
    #[error("the node is stopping; {0} rows are in, and the same import goes on behind them")]
    Stopping(i64),
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
            ImportFailure::Stopping(_) => Self::new(ProblemKind::Unavailable, said),
            ImportFailure::File(_) | ImportFailure::Kind(_) => {
                Self::new(ProblemKind::ImportFailed, said)
            }
            ImportFailure::Upload(SpoolError::CutOff) | ImportFailure::Input(_) => {
                Self::input(said)
            }
        }
    }
}

/// Takes a file that has arrived whole.
///
/// # Errors
/// [`ImportFailure`]; a refused file leaves nothing behind but a note that it was refused, an
/// interrupted one its committed batches, behind which the same request goes on.
pub async fn run(app: &App, request: &Request, spooled: &Spooled) -> Result<Report, ImportFailure> {
    if request.sha256.is_some_and(|told| told != spooled.hash) {
        return Err(ImportFailure::Input(
            "sha256: the file that arrived is not the file that was sent; send it again".to_owned(),
        ));
    }
    let mut options = request.options.clone();
    options.spool = Some(app.dir.0.clone());
    let judged = match judge::judge(&request.target, spooled, &options).await {
        Ok(judged) => judged,
        Err(failure) => {
            note_refusal(app, request, spooled, &failure).await?;
            return Err(failure);
        }
    };
    let turn = TURN.lock().await;
    let mut work = Work::begin(app, request, spooled, judged).await?;
    work.take_all(app, &options, spooled).await?;
    let report = work.end(app).await;
    drop(turn);
    app.wake.jobs.notify_one();
    report
}

/// A refused file stands among the imports with the reason, so that nobody takes it for imported.
async fn note_refusal(
    app: &App,
    request: &Request,
    spooled: &Spooled,
    failure: &ImportFailure,
) -> Result<(), StoreError> {
    if request.dry_run {
        return Ok(());
    }
    let mut import = Import {
        progress: Progress::Failed,
        finished_at: Some(app.now().0),
        ..fresh(request, spooled, String::new(), app.now().0)
    };
    import.counts = json(&Counts {
        refused: failure.to_string(),
        ..Counts::default()
    })?;
    let mut tx = app.store.write("noting a refused file").await?;
    import_job::put(&mut tx, &import).await?;
    tx.commit().await
}

fn fresh(request: &Request, spooled: &Spooled, list_id: String, now: i64) -> Import {
    let format = request.options.format.map(|format| format.to_string());
    Import {
        import_id: fresh_id(),
        list_id,
        fingerprint: request.fingerprint(spooled.hash),
        file_name: request.file_name.clone(),
        format: format.unwrap_or_default(),
        progress: Progress::Running,
        rows_done: 0,
        counts: "{}".to_owned(),
        started_at: now,
        finished_at: None,
    }
}

fn json(counts: &Counts) -> Result<String, StoreError> {
    serde_json::to_string(counts).map_err(|error| StoreError::damaged("import", error))
}

/// What the rows of the present import are taken with.
enum Rows {
    People(Box<Context>),
    Attempts(Box<HistoryContext>),
}

/// One row as the reading thread hands it on.
enum Row {
    Person(Box<Prepared>),
    Attempt(Box<ParsedAttempt>),
    Rejected(Rejected),
}

impl Row {
    /// None of what is no row.
    fn of(item: Item, region: &str) -> Option<Self> {
        match item {
            Item::Person { person, .. } => {
                Some(Self::Person(Box::new(Prepared::of(*person, region))))
            }
            Item::Attempt { attempt, .. } => Some(Self::Attempt(attempt)),
            Item::Rejected(rejected) => Some(Self::Rejected(rejected)),
            Item::Header(_) | Item::Progress { .. } => None,
        }
    }
}

/// One import under way.
struct Work {
    import: Import,
    counts: Counts,
    list: String,
    rows: Rows,
    summary: Summary,
    resumed_at: Option<u64>,
    dry_run: bool,
    /// Of a dry run: the rows left out, which are not stored.
    rejects: Vec<Reject>,
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
        let (list_id, list) = match &request.target {
            Target::List(name) => (list_id(&mut tx, name, now).await?, name.clone()),
            Target::Contacts(_) => (String::new(), String::new()),
        };
        let mut import = fresh(request, spooled, list_id, now);
        import.format = judged.summary.format.to_string();
        let mut resumed_at = None;
        if !request.dry_run {
            if let Some(known) = import_job::unfinished(&mut tx, &import.fingerprint).await? {
                resumed_at = Some(natural(known.rows_done));
                import = known;
                import.progress = Progress::Running;
            }
            import_job::put(&mut tx, &import).await?;
        }
        let signed = signed(&mut tx, request, spooled, import.started_at).await?;
        let mut counts = Counts::of(&import)?;
        counts.note_columns(&judged.header);
        let shared = context(app, request, &import, judged.summary.format, signed);
        let rows = match &request.target {
            Target::List(_) => Rows::People(Box::new(shared)),
            Target::Contacts(named) => Rows::Attempts(Box::new(HistoryContext {
                shared,
                own: Own::of(named.as_deref(), &app.name, &judged.committees),
                zone,
            })),
        };
        if !request.dry_run {
            tx.commit().await?;
        }
        Ok(Self {
            import,
            counts,
            list,
            rows,
            summary: judged.summary,
            resumed_at,
            dry_run: request.dry_run,
            rejects: Vec::new(),
        })
    }

    /// Reads the file once more and takes what is not in yet.
    async fn take_all(
        &mut self,
        app: &App,
        options: &Options,
        spooled: &Spooled,
    ) -> Result<(), ImportFailure> {
        let skip = natural(self.import.rows_done);
        let size = if self.dry_run { DRY_ROWS } else { BATCH_ROWS };
        let (sender, mut batches) = mpsc::channel(BATCHES_AHEAD);
        let file = spooled.reader().map_err(ImportError::Io)?;
        let options = options.clone();
        let region = app.config.lists.region.clone();
        let reader = tokio::task::spawn_blocking(move || {
            let sent = (skip, size);
            send(file, &options, &region, sent, &sender)
        });
        while let Some(batch) = batches.recv().await {
            if app.life.is_stopping() {
                return Err(ImportFailure::Stopping(self.import.rows_done));
            }
            let mut tx = app.store.write("importing rows").await?;
            self.take(&mut tx, app.now().0, batch).await?;
            if self.dry_run {
                drop(tx); // and so undone
            } else {
                tx.commit().await?;
            }
        }
        let read = reader.await;
        read.map_err(|error| ImportFailure::Reader(error.to_string()))??;
        Ok(())
    }

    /// Takes one batch and notes how far the import has come, all in the caller's transaction.
    async fn take(
        &mut self,
        db: &mut AnyConnection,
        now: i64,
        read: Vec<Row>,
    ) -> Result<(), StoreError> {
        self.import.rows_done += integer(read.len() as u64);
        let people = read.iter().filter_map(|row| match row {
            Row::Person(prepared) => Some(&**prepared),
            _ => None,
        });
        let mut batch = Batch::look_up(db, now, people).await?;
        for row in read {
            match (row, &mut self.rows) {
                (Row::Rejected(rejected), _) => self.reject(db, &rejected).await?,
                (Row::Person(prepared), Rows::People(context)) => {
                    let counts = &mut self.counts;
                    Box::pin(person::take(db, context, &mut batch, *prepared, counts)).await?;
                }
                (Row::Attempt(attempt), Rows::Attempts(context)) => {
                    Box::pin(history::take(db, context, *attempt, &mut self.counts)).await?;
                }
                // The first reading refused files that mix people and attempts.
                _ => {}
            }
        }
        batch.flush(db, &self.import.list_id).await?;
        if self.dry_run {
            return Ok(());
        }
        self.import.counts = json(&self.counts)?;
        import_job::put(db, &self.import).await
    }

    async fn reject(
        &mut self,
        db: &mut AnyConnection,
        rejected: &Rejected,
    ) -> Result<(), StoreError> {
        self.counts.rejected += 1;
        let reject = Reject {
            line: integer(rejected.line),
            column: rejected.column.as_deref().unwrap_or_default().to_owned(),
            reason: rejected.reason.to_string(),
        };
        if !self.dry_run {
            return import_job::reject(db, &self.import.import_id, &reject).await;
        }
        if integer(self.rejects.len() as u64) < REJECTS_SHOWN {
            self.rejects.push(reject);
        }
        Ok(())
    }

    /// Closes the import and reports it.
    async fn end(mut self, app: &App) -> Result<Report, ImportFailure> {
        for (warning, times) in std::mem::take(&mut self.summary.warnings) {
            self.counts.warn_times(warning.message(), times);
        }
        if let Rows::Attempts(context) = &self.rows {
            context.note_owners(self.summary.attempts, &mut self.counts);
        }
        self.import.progress = Progress::Done;
        self.import.finished_at = Some(app.now().0);
        self.import.counts = json(&self.counts)?;
        let mut report = if self.dry_run {
            self.import.import_id.clear();
            Report::of(&self.import, self.list, self.rejects)?
        } else {
            let mut tx = app.store.write("ending an import").await?;
            import_job::put(&mut tx, &self.import).await?;
            let id = &self.import.import_id;
            let rejects = import_job::rejects(&mut tx, id, REJECTS_SHOWN).await?;
            tx.commit().await?;
            Report::of(&self.import, self.list, rejects)?
        };
        report.resumed_at = self.resumed_at;
        report.dry_run = self.dry_run;
        Ok(report)
    }
}

/// Reads the rows behind the first `skip` and sends them in batches of `size`, until nobody listens.
fn send(
    file: std::fs::File,
    options: &Options,
    region: &str,
    (skip, size): (u64, usize),
    sender: &mpsc::Sender<Vec<Row>>,
) -> Result<(), ImportError> {
    let mut row: u64 = 0;
    let mut batch = Vec::with_capacity(size);
    import::read(file, options, &mut |item| {
        if !matches!(item, Item::Header(_) | Item::Progress { .. }) {
            row += 1;
        }
        if row <= skip {
            return ControlFlow::Continue(());
        }
        batch.extend(Row::of(item, region));
        if batch.len() < size {
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

async fn list_id(db: &mut AnyConnection, name: &str, now: i64) -> Result<String, StoreError> {
    if let Some(known) = list::by_name(db, name).await? {
        return Ok(known.list_id);
    }
    let list_id = fresh_id();
    list::insert(db, &list_id, name, now).await?;
    Ok(list_id)
}

fn context(
    app: &App,
    request: &Request,
    import: &Import,
    format: Format,
    signed: Option<Signed>,
) -> Context {
    let started = jiff::Timestamp::from_millisecond(import.started_at).unwrap_or_default();
    Context {
        import_id: import.import_id.clone(),
        fingerprint: import.fingerprint.clone(),
        list_id: import.list_id.clone(),
        region: app.config.lists.region.clone(),
        now: app.now().0,
        today: started.to_zoned(TimeZone::UTC).date(),
        basis: request.basis,
        source: request.source,
        usual_source: match format {
            Format::VanSavedList => Source::VoterFile,
            _ => Source::OwnSignup,
        },
        signed,
        fingerprints: BTreeMap::new(),
    }
}

async fn signed(
    db: &mut AnyConnection,
    request: &Request,
    spooled: &Spooled,
    started: i64,
) -> Result<Option<Signed>, ImportFailure> {
    let Some(hash) = request.consent_form else {
        return Ok(None);
    };
    let unknown = || ImportFailure::Input("consent_form: send the form itself first".to_owned());
    let form = consent::form(db, &hash.to_string()).await?;
    let form = Form::parse(&form.ok_or_else(unknown)?)
        .map_err(|error| ImportFailure::Input(format!("consent_form: {error}")))?;
    let day = request.consent_date;
    Ok(Some(Signed::new(form, spooled.hash, day, started)))
}

/// Where days begin: as the agreement says, or else in UTC.
async fn zone(app: &App) -> TimeZone {
    let guard = app.coalition.read().await;
    let agreement = guard.as_ref().and_then(|known| known.state.agreement());
    let terms = agreement.and_then(|(_, agreement)| Terms::parse(&agreement.terms).ok());
    let zone = terms.and_then(|terms| TimeZone::get(&terms.params.time_zone).ok());
    zone.unwrap_or(TimeZone::UTC)
}
