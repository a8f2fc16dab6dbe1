//! A server's life: mount the world, serve, drain, end.

use crate::app::{AppState, app};
use crate::auth::Auth;
use crate::metrics::Metrics;
use crate::mount::{Mount, Setup, Summary};
use sandbox_core::scenario::Problem;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// Connections that are still busy after this long are cut.
const DRAIN_PATIENCE: Duration = Duration::from_secs(10);

/// A running server.
pub struct Server {
    /// Where it listens.
    pub addr: SocketAddr,
    /// What it shares.
    pub state: AppState,
    world: JoinHandle<Summary>,
    stop: oneshot::Sender<()>,
    serving: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Mounts the world and listens on `addr`. Must be called within a tokio runtime.
    pub async fn start(
        setup: Setup,
        addr: SocketAddr,
        site: Option<PathBuf>,
        key: Option<&[u8]>,
    ) -> Result<Server, Vec<Problem>> {
        let problem = |path: &str, what: String, hint: &str| vec![Problem::new(path, what, hint)];
        let auth =
            Auth::new(key).map_err(|why| problem("FAULTLINE_KEY", why, "Set at least 32 random bytes, or none."))?;
        if let Some(site) = &site
            && !site.join("index.html").is_file()
        {
            let what = format!("{} holds no index.html", site.display());
            return Err(problem("--site", what, "Build the site first: trunk build, or cargo xtask dist."));
        }
        let listener = TcpListener::bind(addr).await.map_err(|error| {
            problem(
                "--addr",
                format!("{addr} cannot be listened on: {error}"),
                "Choose a free port, such as --addr 127.0.0.1:0.",
            )
        })?;
        let addr = listener.local_addr().map_err(|error| problem("--addr", error.to_string(), "Choose another."))?;
        let metrics = Arc::new(Metrics::new());
        let (mount, world) = Mount::start(setup, metrics.clone())?;
        let state = AppState::new(mount, auth, metrics, site);
        let (stop, stopped) = oneshot::channel::<()>();
        let router = app(state.clone());
        let serving = tokio::spawn(async move {
            let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
                let _ = stream.set_nodelay(true);
            });
            let served = axum::serve(listener, router).with_graceful_shutdown(async {
                let _ = stopped.await;
            });
            if let Err(error) = served.await {
                tracing::error!(%error, "the server stopped listening");
            }
        });
        Ok(Server { addr, state, world, stop, serving })
    }

    /// Whether the world's thread has ended by itself, which it never should.
    pub fn is_broken(&self) -> bool {
        self.world.is_finished()
    }

    /// Turns readiness off, waits `notice` for balancers to see it, takes nothing more in, answers what is under way
    /// and ends.
    pub async fn stop(self, notice: Duration) -> Option<Summary> {
        self.state.ready.store(false, Ordering::Release);
        tokio::time::sleep(notice).await;
        let _ = self.stop.send(());
        let mut serving = self.serving;
        if tokio::time::timeout(DRAIN_PATIENCE, &mut serving).await.is_err() {
            tracing::warn!("some requests were still under way and are cut off");
            serving.abort();
            let _ = serving.await;
        }
        self.state.mount.stop();
        tokio::task::spawn_blocking(move || self.world.join().ok()).await.ok().flatten()
    }
}
