//! How the instances of a service come, go, break and are replaced: as written.

use super::EffectSpec;
use super::spec_macro::spec;

spec! {
    /// How an instance of a service starts and stops.
    pub struct LifeSpec {
        /// From the start of an instance until it takes calls.
        pub start_s?: f64,
        /// Slow first seconds: cold caches, code that is not compiled yet.
        pub warm_up?: Option<WarmUpSpec>,
        /// Whether callers are sent to an instance only while it takes calls. Without that it is listed from the beginning of its
        /// start, and after a crash.
        pub readiness: bool = true,
        /// How long it takes until callers know that an instance is listed, or no longer.
        pub listing_delay_s?: f64,
        /// An instance that is told to stop is taken off the list at once, but goes on taking calls for this long
        /// (Kubernetes: `preStop`).
        pub stop_delay_s?: f64,
        /// After that it has this long to finish what it has begun (Kubernetes: `terminationGracePeriodSeconds` less `preStop`); what
        /// is not finished then is lost.
        pub stop_grace_s?: f64,
        /// Whether an instance that crashed is started again.
        pub restart: bool = true,
        /// An instance that has had nothing to do for this long stops; the next call starts it, and waits for that.
        pub idle_stop_s?: Option<f64>,
        /// Memory; absent: there is always enough.
        pub memory?: Option<MemorySpec>,
        /// Each instance is asked whether it is alive, and started anew if it does not answer (Kubernetes: liveness probe);
        /// absent: nobody asks.
        pub liveness?: Option<LivenessSpec>,
    }
}

spec! {
    /// A probe that restarts an instance which does not answer it. The defaults are those of Kubernetes.
    pub struct LivenessSpec {
        /// Time between two probes; an instance that starts is not asked.
        pub interval_s: f64 = 10.0,
        /// A probe without an answer after this long has failed.
        pub timeout_ms: f64 = 1_000.0,
        /// Failed probes in a row until the instance is told to stop, with the same grace as ever, and started anew.
        pub failure_threshold: u32 = 3,
        /// The route that is asked, in the line and with the workers of all other calls; absent: a listener of its own, which
        /// answers as long as there is a process.
        pub route?: Option<String>,
    }
}

spec! {
    /// Slow first seconds of an instance.
    #[derive(Copy)]
    pub struct WarmUpSpec {
        /// How long they last.
        pub for_s: f64,
        /// How fast the instance works meanwhile: 0.2 is a fifth of its speed.
        pub speed: f64,
    }
}

spec! {
    /// Memory of an instance: it crashes when it needs more than there is.
    #[derive(Copy)]
    pub struct MemorySpec {
        /// What there is.
        pub limit_mb: f64,
        /// What it needs without calls.
        pub base_mb?: f64,
        /// What each call needs while it waits or is worked on.
        pub per_call_mb?: f64,
        /// What each call leaves behind for good.
        pub leak_per_call_mb?: f64,
        /// From here on it is stopped as planned and started again, one instance at a time; absent: never.
        pub recycle_mb?: Option<f64>,
    }
}

spec! {
    /// How many of a service's `replicas` run. The others are there to be started.
    pub struct ScalingSpec {
        /// So many run at the start.
        pub initial: u32,
        /// So many from these seconds on.
        pub schedule?: Vec<ScaleStepSpec>,
        /// So many as the load needs.
        pub autoscaler?: Option<AutoscalerSpec>,
    }
}

spec! {
    /// A number of instances from a second on.
    #[derive(Copy)]
    pub struct ScaleStepSpec {
        /// From here on.
        pub at_s: f64,
        /// So many run.
        pub instances: u32,
    }
}

spec! {
    /// An autoscaler in the manner of Kubernetes: every interval it wants as many instances as would bring the utilisation of
    /// those that are up to the target, rounded up; within 10 % of the target it leaves things alone.
    #[derive(Copy)]
    pub struct AutoscalerSpec {
        /// What it looks at.
        pub of: ScaleOnSpec,
        /// The utilisation that it aims at.
        pub target: f64,
        /// Never fewer instances than this.
        pub min: u32 = 1,
        /// Time between two looks; what it sees is the mean of such an interval.
        pub interval_s: f64 = 15.0,
        /// What it sees is this old.
        pub metric_delay_s?: f64,
        /// It takes instances away only down to the most it wanted within this long (Kubernetes:
        /// `stabilizationWindowSeconds`, there 300 s by default).
        pub stabilization_s?: f64,
    }
}

spec! {
    /// What an autoscaler looks at.
    pub enum ScaleOnSpec {
        /// Workers in use, among all.
        Workers,
        /// Work done a second, with one processor for each instance; waiting is no work.
        Cpu,
    }
}

spec! {
    /// Instances of a service are replaced, batch by batch in their order: a rolling update, a planned restart, the draining of
    /// a machine.
    pub struct RolloutSpec {
        /// Title for people; the id if absent.
        pub title?: Option<String>,
        /// The service.
        pub node: String,
        /// Begins at this second.
        pub from_s: f64,
        /// So many instances, the first ones; absent: all.
        pub instances?: Option<u32>,
        /// So many at once.
        pub batch: u32 = 1,
        /// Time between the beginnings of two batches; absent: the next one begins when the one before it is up.
        pub every_s?: Option<f64>,
        /// Whether an old instance stays until the new one is up, beside it.
        pub surge?: bool,
        /// Whether instances are started anew; otherwise only what they run with changes, as with a file of settings.
        pub restart: bool = true,
        /// The release that the instances have from then on, for `release` in expressions; at the start it is 1.
        pub release: u32 = 2,
        /// How the new release behaves, in the words of a fault.
        pub effect?: Option<EffectSpec>,
        /// The first instances are watched before all others follow.
        pub canary?: Option<CanarySpec>,
        /// It is taken back, everywhere at once, at this second.
        pub undo_s?: Option<f64>,
    }
}

spec! {
    /// The first instances with a new release are compared with those that still have the old one (two-proportion z-test). If
    /// they are worse, the release is taken back.
    pub struct CanarySpec {
        /// So many instances get the release first.
        pub instances: u32 = 1,
        /// They are compared this often, with all that happened since the first of them had the release.
        pub every_s: f64,
        /// So many standard errors worse is too much.
        pub z: f64 = 3.0,
        /// What is compared: the mean of this declared signal of ones and zeros, where more is better; absent: the share of answers of
        /// 500 and above.
        pub signal?: Option<String>,
        /// If nothing was found for this long, the others follow; absent: never.
        pub for_s?: Option<f64>,
    }
}
