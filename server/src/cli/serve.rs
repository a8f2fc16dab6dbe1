//! `faultline serve`.

use super::scenario::{HowArgs, cured, runtime};
use super::{Failure, Result, duration, log};
use crate::mount::real::RealSpec;
use crate::mount::{Setup, Start};
use crate::routes::lab::parts;
use crate::serve::Server;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

#[derive(clap::Args)]
#[command(after_help = "Example:\n  faultline serve --scenario database-outage --real db=sqlite:lab.sqlite\n  \
curl -s -X POST localhost:8000/api/login -H 'content-type: application/json' -d '{\"user\": 1}'\n\n\
Environment: FAULTLINE_KEY signs tokens (at least 32 bytes; random by default), RUST_LOG chooses what is logged.")]
pub struct Options {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8000")]
    addr: SocketAddr,
    /// The scenario to mount: a link of the page, a file or an id
    #[arg(long, default_value = "database-outage")]
    scenario: String,
    #[command(flatten)]
    how: HowArgs,
    /// Make a node real: db=sqlite:FILE
    #[arg(long, value_name = "NODE=TARGET")]
    real: Vec<RealSpec>,
    /// Serve the static site of this folder too
    #[arg(long, value_name = "DIR")]
    site: Option<PathBuf>,
    /// Log every outside input, for `run --replay`
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Let the scenario's time start with the first request of the lab, not now
    #[arg(long)]
    start_on_first_request: bool,
    /// Time between turning readiness off and taking no more connections, for balancers to notice
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    drain_notice: Duration,
}

/// Serves until SIGINT or SIGTERM.
pub fn serve(options: Options) -> Result {
    log("info");
    let loaded = options.how.load(&options.scenario, cured)?;
    if !loaded.plan.routes.iter().any(|route| parts(&route.name).is_some()) {
        let what = "HTTP leads to none of its routes: name them like `GET /items/{id}`, in programs and workloads";
        return Err(Failure::Other(format!("{}: {what}", options.scenario)));
    }
    let setup = Setup {
        document: loaded.document,
        plan: loaded.plan.clone(),
        real: options.real.clone(),
        record: options.record,
        start: if options.start_on_first_request { Start::FirstRequest } else { Start::Now },
    };
    let key = std::env::var("FAULTLINE_KEY").ok();
    runtime()?.block_on(async {
        let server = Server::start(setup, options.addr, options.site, key.as_deref().map(str::as_bytes)).await?;
        let real: Vec<String> = options.real.iter().map(ToString::to_string).collect();
        tracing::info!(
            addr = %format!("http://{}/", server.addr),
            scenario = %loaded.plan.id,
            variant = %loaded.plan.variant,
            variant_title = %loaded.original.variant_title(&loaded.plan.variant),
            real = real.join(", "),
            plan = %loaded.plan.describe(),
            "ready"
        );
        let broken = wait_for_end(&server).await;
        tracing::info!("draining");
        let ended = server.stop(options.drain_notice).await;
        if let Some(summary) = &ended {
            tracing::info!(end_s = summary.end.as_seconds(), steps = summary.steps, digest = %summary.digest, "ended");
        }
        match ended {
            _ if broken => Err("the world's thread ended by itself; see the log".to_string().into()),
            Some(summary) if !summary.is_recorded => Err(Failure::Check),
            _ => Ok(()),
        }
    })
}

/// Waits for a signal; true if the world broke before.
async fn wait_for_end(server: &Server) -> bool {
    let mut tick = tokio::time::interval(Duration::from_millis(500));
    let mut end = std::pin::pin!(signal());
    loop {
        tokio::select! {
            () = &mut end => return false,
            _ = tick.tick() => if server.is_broken() { return true },
        }
    }
}

async fn signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
