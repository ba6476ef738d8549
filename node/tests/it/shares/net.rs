//! What the tests of shares do with a coalition.

use crate::support::coalition::Coalition;
use commonturf::{
    app::App,
    coalition as work,
    shares::{
        export,
        plan::{Ask, Universe},
        recall::{self, Recall, What},
        rectify::{self, Rectification},
        send::{self, Sent},
        uses, view,
    },
    store,
    sync::outbox,
};
use policy::{FieldClass, Purpose};
use protocol::{
    channel::Channel,
    entry::{
        housekeeping::Tick,
        share::{Consideration, RevokeKind},
    },
    id::EntryId,
};
use std::ops::Deref;

/// A coalition under the template for issue tables, with its nodes by number.
pub(super) struct Net {
    coalition: Coalition,
    pub(super) nodes: Vec<Node>,
}

impl Deref for Net {
    type Target = Coalition;
    fn deref(&self) -> &Coalition {
        &self.coalition
    }
}

/// One organization's node.
pub(super) struct Node {
    pub(super) app: App,
}

impl Net {
    /// Organizations by name and kind, under an agreement without waiting before a use.
    pub(super) async fn of(organizations: &[(&str, &str)]) -> Self {
        let terms = policy::template("us-issue-table").unwrap().text;
        let terms = terms.replace("notice_hours = 24", "notice_hours = 0");
        Self::under(organizations, &terms).await
    }

    /// The same under other terms.
    pub(super) async fn under(organizations: &[(&str, &str)], terms: &str) -> Self {
        let coalition = Coalition::of(organizations, terms).await;
        let node = |n| Node {
            app: coalition.node(n).clone(),
        };
        let nodes = (0..organizations.len()).map(node).collect();
        Self { coalition, nodes }
    }

    /// Sends a list, or received rows in a use that it announces first, and waits for everybody.
    pub(super) async fn send(&self, from: usize, ask: Ask, list: impl Into<Universe>) -> Vec<Sent> {
        let universe = list.into();
        if matches!(universe, Universe::Received(_)) {
            self.announce_uses(from).await;
        }
        let sending = send::send(&self.nodes[from].app, ask, universe);
        let sent = self.during(sending).await.unwrap();
        self.settle().await;
        sent
    }

    /// Decides on a share while the keeper is out of reach; it waits in the outbox.
    pub(super) async fn send_unheard(&self, from: usize, ask: Ask, list: impl Into<Universe>) {
        let node = &self.nodes[from];
        let sending = send::send(&node.app, ask, list);
        let queued = async {
            while node.waiting().await == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            () = queued => {}
            _ = sending => panic!("nobody can have answered"),
        }
    }

    /// Copies a node's database.
    pub(super) async fn back_up(&mut self, n: usize) -> tempfile::TempDir {
        let backup = self.coalition.back_up(n).await;
        self.nodes[n].app = self.coalition.node(n).clone();
        backup
    }

    /// Puts an old database in the place of a node's.
    pub(super) async fn restore(&mut self, n: usize, backup: &tempfile::TempDir) {
        self.coalition.restore(n, backup).await;
        self.nodes[n].app = self.coalition.node(n).clone();
    }

    /// Corrects what was shared of a person and waits for whoever is there.
    pub(super) async fn rectify(&self, from: usize, person: &str) -> Recall {
        let what = corrects(person);
        let rectifying = rectify::rectify(&self.nodes[from].app, &what, false);
        let recall = self.during(rectifying).await.unwrap();
        self.settle().await;
        recall
    }

    /// Announces a use of every share that a node holds and none goes on of.
    pub(super) async fn announce_uses(&self, n: usize) {
        let app = &self.nodes[n].app;
        for share in view::received(app).await.unwrap() {
            let idle = share.uses.is_some_and(|uses| uses.state == "none");
            if share.state == "stored" && idle {
                uses::announce(app, share.share, None).await.unwrap();
            }
        }
        self.settle().await;
    }

    /// What a node may take out of everything it holds, in a use that it announces first.
    pub(super) async fn export(&self, n: usize) -> String {
        self.announce_uses(n).await;
        let export = export::export(&self.nodes[n].app, None).await.unwrap();
        String::from_utf8(export.csv).unwrap()
    }

    /// Carries log time on by a word that says nothing else.
    pub(super) async fn tick(&self, n: usize) {
        let app = &self.nodes[n].app;
        let mut tx = app.store.write("test").await.unwrap();
        outbox::queue(app, &mut tx, Tick {}.into(), None)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        self.settle().await;
    }

    /// Takes a person back and waits for whoever is there.
    pub(super) async fn revoke(&self, from: usize, person: &str, kind: RevokeKind) -> Recall {
        let what = What::Person {
            person: person.to_owned(),
            share: None,
            kind,
        };
        let revoking = recall::revoke(&self.nodes[from].app, &what, false);
        let recall = self.during(revoking).await.unwrap();
        self.settle().await;
        recall
    }

    /// One node signs the draft that waits.
    pub(super) async fn sign(&self, n: usize) {
        work::agreement::sign(&self.nodes[n].app, None)
            .await
            .unwrap();
    }
}

impl Node {
    /// Entries that wait in the outbox.
    pub(super) async fn waiting(&self) -> i64 {
        let mut db = self.app.store.read("test").await.unwrap();
        store::outbox::waiting(&mut db).await.unwrap()
    }

    /// What became of an own entry.
    pub(super) async fn fate(&self, entry: EntryId) -> store::outbox::Outgoing {
        let mut db = self.app.store.read("test").await.unwrap();
        store::outbox::find(&mut db, entry).await.unwrap().unwrap()
    }

    /// Runs SQL text as somebody at the database could.
    pub(super) async fn sql(&self, sql: &'static str) {
        let mut tx = self.app.store.write("test").await.unwrap();
        sqlx::query(sql).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    }
}

/// A correction of everything that was shared of a person.
pub(super) fn corrects(person: &str) -> Rectification {
    Rectification {
        person: person.to_owned(),
        share: None,
        with: None,
    }
}

/// An ask for turnout work at doors.
pub(super) fn ask(to: &[&str], fields: &[FieldClass]) -> Ask {
    Ask {
        to: to.iter().map(|name| (*name).to_owned()).collect(),
        purpose: Purpose::Gotv,
        channel: Channel::Door,
        fields: fields.to_vec(),
        expires: None,
        consideration: Consideration::none(),
    }
}
