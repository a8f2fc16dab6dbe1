//! The kinds of node, one file each. A node acts only through its [`Ctx`].

mod cache;
mod client;
mod database;
mod gateway;
mod monitor;
mod queue;
mod service;
mod store;

pub use cache::CacheNode;
pub use client::Client;
pub use database::{Database, Statement};
pub use gateway::Gateway;
pub use monitor::{Monitor, Watch};
pub use queue::Queue;
pub use service::Service;
pub use store::Store;

use super::calls::{Caller, Over};
use super::ctx::Ctx;
use super::event::Slot;
use super::io::CallResult;
use super::stay::{Ask, Place};
use crate::scenario::{FleetPlan, Kind, NodePlan};
use crate::time::Time;
use crate::trace::What;

/// Something that happens to a node.
#[derive(Clone, Copy, Debug)]
pub enum Happening {
    /// A workload's next request is due.
    Intended { workload: u16 },
    /// A call arrives.
    Arrived(Slot),
    /// Own work on a call is done.
    Worked(Slot),
    /// A probe is due.
    ProbeDue { call: u16 },
    /// A pause of a program is over.
    Paused(Slot),
    /// The patience of a call in line is over.
    LostPatience(Slot),
    /// The first of the calls that share the workers is done.
    Shared,
    /// A fault on the node began or ended.
    ConditionChanged,
    /// The node breaks down by chance, or is repaired.
    Chance,
    /// The node's CPU time is used up, or there is some again.
    QuotaTurns,
    /// The time in which the node collects a batch may be over.
    BatchDue,
    /// An iteration of the node's language model may be over.
    IterationOver,
}

/// A node with its live state.
#[derive(Clone, Debug)]
pub enum Node {
    Client(Client),
    Gateway(Gateway),
    Service(Service),
    Cache(CacheNode),
    Store(Store),
    Monitor(Monitor),
    Queue(Queue),
    Database(Database),
}

impl Node {
    /// A node as it is at the start. `mounted`: its clients are real ones.
    pub fn new(plan: &NodePlan, seed: u64, mounted: bool, fleet: Option<&FleetPlan>) -> Node {
        let bare = mounted && matches!(plan.kind, Kind::Client(_));
        let callers = (0..plan.calls.len() as u16).map(|call| Caller::new(seed, plan, call, bare)).collect();
        match &plan.kind {
            Kind::Client(_) => Node::Client(Client { callers }),
            Kind::Gateway(gateway) => Node::Gateway(Gateway::new(gateway, callers)),
            Kind::Service(service) => Node::Service(Service::new(plan, service, seed, callers, fleet)),
            Kind::Cache(cache) => Node::Cache(CacheNode::new(plan, cache, seed)),
            Kind::Store(store) => Node::Store(Store::new(store)),
            Kind::Monitor(_) => Node::Monitor(Monitor::new(callers)),
            Kind::Queue(queue) => Node::Queue(Queue::new(queue, callers)),
            Kind::Database(database) => Node::Database(Database::new(database)),
        }
    }

    /// What happens, to whom it happens.
    #[inline]
    pub fn handle(&mut self, happening: Happening, ctx: &mut Ctx) {
        match self {
            Node::Client(client) => client.handle(happening, ctx),
            Node::Gateway(gateway) => gateway.handle(happening, ctx),
            Node::Service(service) => service.handle(happening, ctx),
            Node::Cache(cache) => cache.handle(happening, ctx),
            Node::Store(store) => store.handle(happening, ctx),
            Node::Monitor(monitor) => monitor.handle(happening, ctx),
            Node::Queue(queue) => queue.handle(happening, ctx),
            Node::Database(database) => database.handle(happening, ctx),
        }
    }

    /// A call that a stay made may be over.
    fn on_call_end(&mut self, ctx: &mut Ctx, over: Over) {
        let Some((slot, end)) = over else { return };
        match self {
            Node::Client(client) => client.answer(ctx, slot, end),
            Node::Gateway(gateway) => gateway.answer(ctx, slot, end),
            Node::Service(service) => service.on_call_end(ctx, slot, end),
            Node::Monitor(monitor) => monitor.on_call_end(ctx, slot, end),
            Node::Queue(queue) => queue.on_delivered(ctx, slot, end),
            Node::Cache(_) | Node::Store(_) | Node::Database(_) => unreachable!("it calls nobody"),
        }
    }

    /// A real part answered for a stay.
    pub fn on_answered(&mut self, ctx: &mut Ctx, slot: Slot, result: CallResult) {
        let Node::Store(store) = self else { unreachable!("only a store can be a real part") };
        store.on_answered(ctx, slot, result);
    }

    /// How the node calls others.
    pub fn callers(&self) -> &[Caller] {
        match self {
            Node::Client(client) => &client.callers,
            Node::Gateway(gateway) => &gateway.callers,
            Node::Service(service) => &service.callers,
            Node::Monitor(monitor) => &monitor.callers,
            Node::Queue(queue) => &queue.callers,
            Node::Cache(_) | Node::Store(_) | Node::Database(_) => &[],
        }
    }

    /// The same, to be changed.
    pub fn callers_mut(&mut self) -> &mut [Caller] {
        match self {
            Node::Client(client) => &mut client.callers,
            Node::Gateway(gateway) => &mut gateway.callers,
            Node::Service(service) => &mut service.callers,
            Node::Monitor(monitor) => &mut monitor.callers,
            Node::Queue(queue) => &mut queue.callers,
            Node::Cache(_) | Node::Store(_) | Node::Database(_) => &mut [],
        }
    }

    /// The answer that the stay `slot` waits for is here.
    pub fn on_reply(&mut self, ctx: &mut Ctx, slot: Slot, child: Slot) {
        if self.is_health_check(ctx, slot) {
            let reply = ctx.stay(child).reply;
            ctx.core.stays.remove(child);
            let caller = self.caller(ctx, slot);
            return caller.on_probe_end(ctx, slot, reply);
        }
        let over = self.caller(ctx, slot).on_reply(ctx, slot, child);
        self.on_call_end(ctx, over);
    }

    /// The answer of this node in `slot` found nobody: a load that it granted will not happen.
    pub fn on_late(&mut self, ctx: &mut Ctx, slot: Slot) {
        match self {
            Node::Cache(cache) => cache.on_late(ctx, slot),
            _ => ctx.core.stays.remove(slot),
        }
    }

    /// The patience of the stay `slot` is over.
    #[cold]
    pub fn on_timeout(&mut self, ctx: &mut Ctx, slot: Slot) {
        if self.is_health_check(ctx, slot) {
            return self.caller(ctx, slot).on_probe_end(ctx, slot, None);
        }
        let over = self.caller(ctx, slot).on_timeout(ctx, slot);
        self.on_call_end(ctx, over);
    }

    /// The back-off of the stay `slot` is over.
    #[cold]
    pub fn on_retry(&mut self, ctx: &mut Ctx, slot: Slot) {
        let over = self.caller(ctx, slot).on_retry(ctx, slot);
        self.on_call_end(ctx, over);
    }

    /// The next copy of the hedged call of the stay `slot` is due.
    #[cold]
    pub fn on_hedge(&mut self, ctx: &mut Ctx, slot: Slot) {
        let over = self.caller(ctx, slot).on_hedge(ctx, slot);
        self.on_call_end(ctx, over);
    }

    /// The handshake before the call of `child` is over, if its caller still waits.
    #[cold]
    pub fn on_connected(&mut self, ctx: &mut Ctx, child: Slot) {
        match ctx.core.stays.who_awaits(child) {
            Some(slot) => self.caller(ctx, slot).on_connected(ctx, slot, child),
            None => ctx.core.stays.remove(child),
        }
    }

    /// An instance that one of the node's calls left out may come back.
    #[cold]
    pub fn on_sweep(&mut self, ctx: &mut Ctx, call: u16) {
        self.callers_mut()[call as usize].on_sweep(ctx);
    }

    /// The caller of the stay `slot` withdraws the call: an answer that is on its way comes too late, anything else stops.
    #[cold]
    pub fn withdraw(&mut self, ctx: &mut Ctx, slot: Slot) {
        ctx.stay_mut(slot).withdrawn = Time::NEVER;
        if ctx.stay(slot).reply.is_some() && ctx.stay(slot).place == Place::Outside {
            return;
        }
        ctx.note(slot, What::Withdrawn);
        match self {
            Node::Service(service) => service.withdraw(ctx, slot),
            Node::Store(store) => store.withdraw(ctx, slot),
            Node::Gateway(gateway) => gateway.withdraw(ctx, slot),
            Node::Queue(queue) => queue.withdraw(ctx, slot),
            Node::Cache(cache) => cache.withdraw(ctx, slot),
            Node::Database(database) => database.withdraw(ctx, slot),
            Node::Client(_) | Node::Monitor(_) => ctx.core.stays.remove(slot),
        }
    }

    /// A health check's probe is no call of a request: it goes past breaker and retry.
    fn is_health_check(&self, ctx: &Ctx, slot: Slot) -> bool {
        let stay = ctx.stay(slot);
        stay.ask == Ask::Probe && stay.parent.is_none() && !matches!(self, Node::Monitor(_))
    }

    fn caller(&mut self, ctx: &Ctx, slot: Slot) -> &mut Caller {
        let open = ctx.stay(slot).call.as_ref().expect("a call is open");
        &mut self.callers_mut()[open.call as usize]
    }
}
