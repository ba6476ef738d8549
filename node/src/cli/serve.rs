//! `commonturf serve`: runs the node.

use super::{client::CliError, output};
use crate::{
    ambient::SystemClock,
    app::App,
    config::NodeDir,
    http::{self, serve},
    jobs, lifecycle, sync, telemetry,
};
use clap::Args;
use std::path::Path;
use tokio::net::TcpListener;

/// Runs the node until it is told to stop.
#[derive(Debug, Args)]
pub struct Serve {}

impl Serve {
    pub(super) async fn run(&self, node: &Path, json: bool) -> Result<(), CliError> {
        telemetry::start();
        let app = App::open(NodeDir(node.to_owned()), Box::new(SystemClock)).await?;
        let _ = app.federation.set(http::federation(app.clone()));
        let desk = listen(app.config.desk.listen).await?;
        let federation = match &app.config.federation {
            Some(federation) => Some((listen(federation.listen).await?, serve::tls(federation)?)),
            None => None,
        };
        crate::keeper::log::start(&app).await?;
        let life = app.life.clone();
        life.spawn(serve::run(
            desk,
            http::desk(app.clone()),
            None,
            serve::Manners::DESK,
            life.clone(),
        ));
        if let Some((listener, tls)) = federation {
            life.spawn(serve::run(
                listener,
                http::federation(app.clone()),
                tls,
                serve::Manners::FEDERATION,
                life.clone(),
            ));
        }
        sync::start(&app);
        jobs::start(&app);
        let link = crate::pages::session::new_link(&app)
            .await
            .map(|(url, _)| url)
            .unwrap_or_default();
        if json {
            output::json(
                &serde_json::json!({ "node": app.me, "desk": app.config.desk.listen, "link": link }),
            );
        } else {
            println!(
                "{} is running. Open its desk within 15 minutes: {link}",
                app.name
            );
            println!(
                "For another link: commonturf desk-link --node {}",
                node.display()
            );
        }
        lifecycle::signal().await;
        life.stop();
        let finished = tokio::select! {
            finished = life.finish() => finished,
            () = lifecycle::signal() => false,
        };
        app.store.close().await;
        if finished {
            Ok(())
        } else {
            Err(CliError::Failed(
                "stopped before everything had finished".to_owned(),
            ))
        }
    }
}

async fn listen(address: std::net::SocketAddr) -> Result<TcpListener, CliError> {
    TcpListener::bind(address).await.map_err(|error| {
        CliError::Failed(format!(
            "{address} cannot be listened on ({error}); is the node running already?"
        ))
    })
}
