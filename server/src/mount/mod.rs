//! The mounted world: the same `World` as in the page, driven by the wall clock.
//!
//! It lives on a thread of its own ([`driver`]); HTTP handlers put letters into its [`mailbox`] and await the
//! answers. Nodes may be [`real`]; what crosses the border is [`recording`] material.

mod driver;
mod incidents;
mod ledger;
mod mailbox;
pub mod real;
pub mod recording;

pub use driver::Summary;
pub use incidents::{Entry, Incident};
pub use mailbox::{Answer, Arrival, Mailbox, Observed, Ticket, Timing};

use crate::clock::{self, Clock};
use crate::metrics::Metrics;
use driver::Driver;
use mailbox::Content;
use real::RealSpec;
use recording::Recorder;
use sandbox_core::engine::{Mount as Outside, World};
use sandbox_core::ids::IncidentId;
use sandbox_core::scenario::{Document, Plan, Problem};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;
use tokio::sync::oneshot;

/// Requests under way at once; one more is turned away before it reaches the world.
const UNDER_WAY_MAX: u64 = 20_000;

/// What to mount.
pub struct Setup {
    /// The scenario as it runs, variant and changes applied.
    pub document: Document,
    /// The plan made of it.
    pub plan: Arc<Plan>,
    /// Which nodes are real.
    pub real: Vec<RealSpec>,
    /// Where to log all inputs.
    pub record: Option<PathBuf>,
    /// When time starts.
    pub start: Start,
}

/// When a mounted world's time starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At once.
    Now,
    /// When the first request comes in, so that load and timeline line up.
    FirstRequest,
}

/// A mounted world; clones are handles to the same one.
#[derive(Clone)]
pub struct Mount {
    shared: Arc<Shared>,
}

struct Shared {
    mailbox: Arc<Mailbox>,
    plan: Arc<Plan>,
    run: Arc<str>,
    recording: Option<PathBuf>,
    tickets: AtomicU64,
    under_way: AtomicU64,
}

/// The world's thread has ended.
#[derive(Debug)]
pub struct Gone;

/// Why a request did not reach the world.
#[derive(Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// Too many are under way.
    Full,
    /// The world's thread has ended.
    Gone,
}

impl Mount {
    /// Opens the real parts and starts the world's thread. The thread's result tells what was run.
    pub fn start(setup: Setup, metrics: Arc<Metrics>) -> Result<(Mount, JoinHandle<Summary>), Vec<Problem>> {
        let run: Arc<str> = format!("{:08x}", clock::unix_s() as u32 ^ std::process::id().rotate_left(20)).into();
        let mailbox = Arc::new(Mailbox::default());
        let parts = real::open(&setup.plan, &setup.real, &mailbox, &run)?;
        let outside =
            Outside { external: parts.iter().map(|(node, _)| *node).collect(), epoch_unix_s: clock::unix_s() };
        let recorder = match &setup.record {
            Some(file) => Some(Recorder::create(file, &setup.document, &setup.plan).map_err(|error| {
                let hint =
                    "Name a new file in a folder that exists, or an earlier recording of which nothing is needed.";
                let what = format!("cannot be recorded to: {error}");
                vec![Problem::new(format!("--record {}", file.display()), what, hint)]
            })?),
            None => None,
        };
        let driver = Driver::new(
            World::mounted(setup.plan.clone(), outside.clone()),
            outside,
            mailbox.clone(),
            parts,
            recorder,
            metrics,
        );
        let clock = (setup.start == Start::Now).then(|| Clock::starting_at(Instant::now()));
        let thread = std::thread::Builder::new().name("world".into()).spawn(move || driver.run(clock));
        let thread = thread.expect("a thread can be started");
        let shared = Shared {
            mailbox,
            plan: setup.plan,
            run,
            recording: setup.record,
            tickets: AtomicU64::new(0),
            under_way: AtomicU64::new(0),
        };
        Ok((Mount { shared: Arc::new(shared) }, thread))
    }

    /// What is mounted.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.shared.plan
    }

    /// What all request ids of this run begin with.
    pub fn run_id(&self) -> &str {
        &self.shared.run
    }

    /// The file that inputs are logged to.
    pub fn recording(&self) -> Option<PathBuf> {
        self.shared.recording.clone()
    }

    /// Puts a request in that came at `at`, and waits for its answer. Dropping the future is a hang-up: the world is
    /// told, and the work goes on.
    pub async fn request(&self, at: Instant, arrival: Arrival) -> Result<Answer, NotTaken> {
        let shared = &self.shared;
        let mut line = Line { shared, ticket: Ticket(shared.tickets.fetch_add(1, Ordering::Relaxed)), hang_up: false };
        if shared.under_way.fetch_add(1, Ordering::Relaxed) >= UNDER_WAY_MAX {
            return Err(NotTaken::Full);
        }
        let (sender, answer) = oneshot::channel();
        line.hang_up = true;
        shared.mailbox.put(at, Content::Arrival(arrival, line.ticket, sender));
        let answer = answer.await;
        line.hang_up = false;
        answer.map_err(|_| NotTaken::Gone)
    }

    /// How the world is now.
    pub async fn observe(&self) -> Result<Observed, Gone> {
        let (sender, answer) = oneshot::channel();
        self.shared.mailbox.put(Instant::now(), Content::Observe(sender));
        answer.await.map_err(|_| Gone)
    }

    /// Resolves an incident; false if there is none of this number that is open.
    pub async fn resolve(&self, incident: IncidentId) -> Result<bool, Gone> {
        let (sender, answer) = oneshot::channel();
        self.shared.mailbox.put(Instant::now(), Content::Resolve(incident, sender));
        answer.await.map_err(|_| Gone)
    }

    /// Lets the world answer what is under way and end.
    pub fn stop(&self) {
        self.shared.mailbox.put(Instant::now(), Content::Stop);
    }
}

/// A client waiting for an answer.
struct Line<'a> {
    shared: &'a Shared,
    ticket: Ticket,
    hang_up: bool,
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        self.shared.under_way.fetch_sub(1, Ordering::Relaxed);
        if self.hang_up {
            self.shared.mailbox.put(Instant::now(), Content::Hangup(self.ticket));
        }
    }
}
