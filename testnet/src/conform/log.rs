//! Chapter: reading the log. Spec: protocol.md, 3 and 8.3.

use super::{
    peer::Peer,
    report::{Found, Report},
};
use protocol::{
    chain::{Head, Page, READ_BYTES, READ_ITEMS},
    id::Hash,
    identity::KeyUse,
    merkle::Tree,
    note::Note,
    problem::ProblemKind,
    sign::LogPoint,
};
use std::time::Duration;

/// How long a read that waits is asked to, in seconds.
const WAIT: u64 = 2;
/// How long a read asks to wait that is to be woken, in seconds.
const LONG: u64 = 20;
/// By when it must have been woken.
const WOKEN: Duration = Duration::from_secs(10);

/// Tries every clause of the chapter.
pub(super) async fn run(peer: &Peer, report: &mut Report) {
    report.chapter("log");
    let pages = peer.log().await;
    let held = |check: fn(&Peer, &[Page]) -> Found| match &pages {
        Ok(pages) => check(peer, pages),
        Err(why) => Err(why.clone()),
    };
    let says = "positions count from 1 without gaps, and log time never goes back";
    report.clause("protocol.md 3", says, held(counted));
    let says = "the chain over all entries leads to the head";
    report.clause("protocol.md 3", says, held(chained));
    let says = "the note is the keeper's, and the entries lead to its root";
    report.clause("protocol.md 3", says, held(noted));
    let says = "a page has at most 1,000 entries and 1 MiB";
    report.clause("protocol.md 9", says, held(short));
    let says = "a read goes on after the position that it names";
    report.clause("protocol.md 8.3", says, cursor(peer).await);
    let says = "a position beyond the head is `keeper-behind`";
    report.clause("protocol.md 8.3", says, beyond(peer).await);
    let says = "another chain at the caller's position is `fork-suspected`, and shows the head";
    report.clause("protocol.md 8.3", says, forked(peer).await);
    let says = "with nothing new, a read waits as long as it asks to, and no longer";
    report.clause("protocol.md 8.3", says, waits(peer).await);
    let says = "a read that waits answers as soon as there is something";
    report.clause("protocol.md 8.3", says, woken(peer).await);
    let says = "a third wait of one member at a time is `rate`, and says when to come back";
    report.clause("protocol.md 8.3", says, third(peer).await);
    let says = "a query that nobody knows is refused";
    report.clause("protocol.md 8.3", says, unknown(peer).await);
}

fn counted(_: &Peer, pages: &[Page]) -> Found {
    let items = pages.iter().flat_map(|page| &page.items);
    let mut last = (0, i64::MIN);
    for item in items {
        if item.position != last.0 + 1 {
            return Err(format!("{} follows {}", item.position, last.0));
        }
        if item.log_time.0 < last.1 {
            return Err(format!("log time goes back at {}", item.position));
        }
        last = (item.position, item.log_time.0);
    }
    match last.0 {
        0 => Err("the log is empty".to_owned()),
        _ => Ok(()),
    }
}

fn chained(peer: &Peer, pages: &[Page]) -> Found {
    let mut head = Head::start(peer.lineage);
    for item in pages.iter().flat_map(|page| &page.items) {
        head = head.after(item).map_err(|error| error.to_string())?;
    }
    let shown = pages.last().map(|page| page.head);
    match shown.filter(|shown| shown.position == head.position) {
        Some(shown) if shown.chain == head.chain && shown.lineage == peer.lineage => Ok(()),
        Some(_) => Err("the head has another chain".to_owned()),
        None => Err("the head is at another position than the last entry".to_owned()),
    }
}

fn noted(peer: &Peer, pages: &[Page]) -> Found {
    let last = pages.last().ok_or("nothing was read")?;
    let note: Note = last
        .note
        .parse()
        .map_err(|_| "the note cannot be read".to_owned())?;
    let document = peer.document.as_ref().ok_or("no document")?;
    let key = document
        .key(KeyUse::Head)
        .ok_or("it has no key for heads")?;
    if !note.is_signed_by_keeper(&key.public) {
        return Err("the keeper did not sign the note".to_owned());
    }
    if note.head.size > last.head.position {
        return Err("the note is about more entries than there are".to_owned());
    }
    let mut tree = Tree::default();
    let items = pages.iter().flat_map(|page| &page.items);
    for item in items.filter(|item| item.position <= note.head.size) {
        tree.push(item.leaf(peer.lineage));
    }
    match tree.root() == note.head.root {
        true => Ok(()),
        false => Err("the entries lead to another root".to_owned()),
    }
}

fn short(_: &Peer, pages: &[Page]) -> Found {
    for page in pages {
        let bytes: usize = page.items.iter().map(|item| item.sealed.len()).sum();
        if page.items.len() > READ_ITEMS || bytes > READ_BYTES {
            return Err(format!("{} entries, {bytes} bytes", page.items.len()));
        }
    }
    Ok(())
}

/// Where the log ends now.
async fn end(peer: &Peer) -> Result<Head, String> {
    let pages = peer.log().await?;
    pages
        .last()
        .map(|page| page.head)
        .ok_or_else(|| "nothing was read".to_owned())
}

async fn cursor(peer: &Peer) -> Found {
    let head = end(peer).await?;
    let (page, _) = peer.page(head.position - 1, 0).await?;
    match page.items.first() {
        Some(item) if item.position == head.position => Ok(()),
        Some(item) => Err(format!("{} came first", item.position)),
        None => Err("nothing came".to_owned()),
    }
}

async fn beyond(peer: &Peer) -> Found {
    let after = end(peer).await?.position + 1_000;
    let call = peer.get("log").query(format!("after={after}&wait=0"));
    peer.ask(&call).await?.refused(&[ProblemKind::KeeperBehind])
}

async fn forked(peer: &Peer) -> Found {
    let head = end(peer).await?;
    let seen = LogPoint {
        lineage: peer.lineage,
        position: head.position,
        chain: Hash::of(b"another history"),
    };
    let mut call = peer.get("log").query("after=0&wait=0");
    call.signing.seen = format!("{seen}, doc=1");
    let answer = peer.ask(&call).await?;
    answer.refused(&[ProblemKind::ForkSuspected])?;
    match answer.signed?.head {
        Some(_) => Ok(()),
        None => Err("it shows no head, so nobody could prove it".to_owned()),
    }
}

async fn waits(peer: &Peer) -> Found {
    let after = end(peer).await?.position;
    let since = crate::ambient::stopwatch();
    let (page, _) = peer.page(after, WAIT).await?;
    let took = since.elapsed();
    // Other members may say something meanwhile.
    if !page.items.is_empty() {
        return Ok(());
    }
    let bounds = Duration::from_millis(WAIT * 1_000 - 300)..Duration::from_secs(WAIT + 5);
    match bounds.contains(&took) {
        true => Ok(()),
        false => Err(format!("it took {} ms", took.as_millis())),
    }
}

async fn woken(peer: &Peer) -> Found {
    let after = end(peer).await?.position;
    let since = crate::ambient::stopwatch();
    let says = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        peer.append(vec![peer.envelope().bytes()]).await
    };
    let (read, said) = tokio::join!(peer.page(after, LONG), says);
    said?;
    match (read?.0.items.is_empty(), since.elapsed() < WOKEN) {
        (false, true) => Ok(()),
        (true, _) => Err("nothing came".to_owned()),
        (false, false) => Err(format!("it took {} s", since.elapsed().as_secs())),
    }
}

async fn third(peer: &Peer) -> Found {
    let after = end(peer).await?.position;
    let polls = (0..3).map(|_| {
        let call = peer.get("log").query(format!("after={after}&wait={WAIT}"));
        async move { peer.ask(&call).await }
    });
    let answers = futures_util::future::join_all(polls).await;
    let answers = answers.into_iter().collect::<Result<Vec<_>, _>>()?;
    let mut refused = answers.iter().filter(|answer| answer.status == 429);
    let Some(one) = refused.next() else {
        return Err("all three were answered".to_owned());
    };
    one.refused(&[ProblemKind::Rate])?;
    let wait = one.problem().and_then(|problem| problem.retry_after_ms);
    wait.ok_or("it does not say when to come back")?;
    match refused.next() {
        None => Ok(()),
        Some(_) => Err("a second one was refused, too".to_owned()),
    }
}

async fn unknown(peer: &Peer) -> Found {
    let call = peer.get("log").query("after=0&wait=0&before=9");
    peer.ask(&call).await?.refused(&[ProblemKind::InvalidInput])
}
