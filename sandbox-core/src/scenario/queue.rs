//! A queue of messages.

use super::dist::{Dist, DistSpec};
use super::path::Path;
use super::planner::{Planner, SHORTEST};
use super::retry::jitter;
use super::spec_macro::spec;
use super::{CallPlan, CallSpec, JitterSpec, Kind, RoutePlan, limits};
use crate::ids::RouteId;
use crate::policy::message_queue::{MessageQueueConfig, MessageQueueParams, OnFull};
use crate::policy::retry::{RetryConfig, RetryParams};
use crate::policy::ring_hash;
use crate::time::Span;

spec! {
    /// A queue of messages: at least once, by visibility timeout (ARCHITECTURE.md, "Policies"). It delivers each message to a
    /// service as a call; success is the acknowledgement.
    pub struct QueueSpec {
        /// Title for people; the id if absent.
        pub title?: Option<String>,
        /// The service that gets the messages.
        pub consumer: String,
        /// Its route.
        pub route: String,
        /// Deliveries under way at once; absent or null: any number.
        pub consumers?: Option<u32>,
        /// Messages that may wait. Absent or null: any number.
        pub max_waiting?: Option<u32>,
        /// What becomes of one more.
        pub on_full?: OnFullSpec,
        /// Which message is next.
        pub order?: QueueOrderSpec,
        /// Messages about the same row keep their order: each row belongs to one of so many partitions, and of a partition
        /// one message is delivered at a time, the next one when that is done or dead. Absent: there is no such order.
        pub partitions?: Option<u32>,
        /// A delivery without an answer after this long counts as failed: the message is delivered again.
        pub visibility_timeout_s: f64,
        /// How often a consumer at work asks for another visibility timeout; one that is down or frozen cannot. Absent: never.
        pub heartbeat_s?: Option<f64>,
        /// Deliveries of a message; after that it goes to the dead letters. Absent or null: it is delivered until it succeeds.
        pub max_receive_count?: Option<u32>,
        /// How long a message that failed is not delivered again; absent: not at all.
        pub redelivery?: Option<RedeliverySpec>,
        /// Whether messages outlive the queue's going down. False: it has them in memory only.
        pub durable: bool = true,
        /// Time until a message is stored and its sender has the answer; absent: none.
        pub store?: Option<DistSpec>,
    }
}

spec! {
    /// What becomes of a message that finds its queue full.
    #[derive(Default)]
    pub enum OnFullSpec {
        /// It is refused with 503.
        #[default]
        Reject,
        /// Its sender is kept waiting until there is room: back-pressure.
        Block,
        /// It takes the place of the oldest one, which is lost.
        DropOldest,
        /// It is lost, and its sender is not told.
        DropNewest,
    }
}

spec! {
    /// Which message of a queue is next.
    #[derive(Default)]
    pub enum QueueOrderSpec {
        /// The oldest one; what is delivered again comes before what is newer.
        #[default]
        OldestFirst,
        /// The newest one.
        NewestFirst,
    }
}

spec! {
    /// The back-off between two deliveries of a message.
    #[derive(Copy)]
    pub struct RedeliverySpec {
        /// After the first failure.
        pub base_delay_ms: f64,
        /// The longest.
        pub max_delay_ms: f64,
        /// Each one is so many times the one before.
        pub multiplier: f64 = 2.0,
        /// How chance is mixed in.
        pub jitter?: JitterSpec,
        /// How far `proportional` jitter goes either way: 0.2 is 20 %.
        pub jitter_factor: f64 = 0.2,
    }
}

/// A queue of messages; at least once, by visibility timeout, which is also the timeout of its only call.
#[derive(Clone, Debug)]
pub struct QueuePlan {
    /// Route of the deliveries.
    pub route: RouteId,
    /// Deliveries under way at once; None: no bound.
    pub consumers: Option<u32>,
    /// Which message is next, for how long it is out of sight, when it is dead.
    pub config: MessageQueueConfig,
    /// How long a message that failed is out of sight.
    pub redelivery: RetryConfig,
    /// Messages of one partition keep their order; None: none does.
    pub partitions: Option<u32>,
    /// How often a consumer at work says so; None: never.
    pub heartbeat: Option<Span>,
    /// Whether messages outlive the queue's going down.
    pub durable: bool,
    /// Time until a message is stored; None: it takes none.
    pub store: Option<Dist>,
}

impl QueuePlan {
    /// The partition of a message about this row, which depends on the row alone.
    pub fn partition_of(&self, key: u32) -> Option<u32> {
        self.partitions.map(|partitions| (ring_hash::hash(u64::from(key), 2) % u64::from(partitions)) as u32)
    }
}

impl<'a> Planner<'a> {
    #[inline]
    pub(super) fn queue(&mut self, path: &Path, queue: &QueueSpec, routes: &[RoutePlan]) -> (Kind, Vec<CallPlan>) {
        self.refuse_unless(&path.at("consumer"), &queue.consumer, "a queue", &["service"]);
        self.above_zero(&path.at("visibility_timeout_s"), queue.visibility_timeout_s, limits::DURATION_S);
        if let Some(consumers) = queue.consumers {
            self.within(&path.at("consumers"), f64::from(consumers), 1.0, f64::from(limits::PLACES));
        }
        if let Some(partitions) = queue.partitions {
            self.within(&path.at("partitions"), f64::from(partitions), 1.0, f64::from(limits::ROWS));
        }
        if let Some(heartbeat_s) = queue.heartbeat_s {
            self.within(&path.at("heartbeat_s"), heartbeat_s, 1e-3, queue.visibility_timeout_s);
        }
        let route = routes.iter().position(|known| known.name == queue.route);
        if route.is_none() {
            let hint = "Add it to the consumer's `routes`.";
            self.problem(&path.at("route"), format!("no service has the route `{}`", queue.route), hint);
        }
        let params = MessageQueueParams {
            visibility_timeout: Span::from_seconds(queue.visibility_timeout_s),
            max_receive_count: queue.max_receive_count,
            max_waiting: queue.max_waiting,
            on_full: match queue.on_full {
                OnFullSpec::Reject => OnFull::Reject,
                OnFullSpec::Block => OnFull::Block,
                OnFullSpec::DropOldest => OnFull::DropOldest,
                OnFullSpec::DropNewest => OnFull::DropNewest,
            },
            newest_first: matches!(queue.order, QueueOrderSpec::NewestFirst),
        };
        let config = self.taken(path, MessageQueueConfig::new(params));
        let delivery = CallSpec { timeout_ms: Some(queue.visibility_timeout_s * 1e3), ..CallSpec::default() };
        let plan = QueuePlan {
            route: RouteId(route.unwrap_or(0) as u8),
            consumers: queue.consumers,
            config: config.unwrap_or_default(),
            redelivery: self.redelivery(path, queue),
            partitions: queue.partitions,
            heartbeat: queue.heartbeat_s.map(Span::from_seconds),
            durable: queue.durable,
            store: queue.store.as_ref().map(|dist| self.dist(&path.at("store"), dist)),
        };
        (Kind::Queue(plan), vec![self.call(path, &path.at("consumer"), &queue.consumer, &delivery)])
    }

    #[inline]
    fn redelivery(&mut self, path: &Path, queue: &QueueSpec) -> RetryConfig {
        let base_delay_ms = queue.redelivery.map_or(0.0, |redelivery| redelivery.base_delay_ms);
        if queue.max_receive_count.is_none() && Span::from_ms(base_delay_ms) < SHORTEST {
            let what = "a message that fails would be delivered for ever without letting time pass";
            let hint = "Let `redelivery` wait for 1 ms at least, or bound the deliveries.";
            self.problem(&path.at("max_receive_count"), what, hint);
        }
        let Some(redelivery) = queue.redelivery else { return RetryConfig::AT_ONCE };
        let at = path.at("redelivery");
        self.within(&at.at("base_delay_ms"), redelivery.base_delay_ms, 0.0, 3_600_000.0);
        self.within(&at.at("max_delay_ms"), redelivery.max_delay_ms, 0.0, 3_600_000.0);
        let params = RetryParams {
            max_attempts: None,
            base_delay: Span::from_ms(redelivery.base_delay_ms),
            max_delay: Span::from_ms(redelivery.max_delay_ms),
            multiplier: redelivery.multiplier,
            jitter: jitter(redelivery.jitter, redelivery.jitter_factor),
            ..RetryParams::default()
        };
        self.taken(&at, RetryConfig::new(params)).unwrap_or(RetryConfig::AT_ONCE)
    }
}
