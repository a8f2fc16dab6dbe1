//! A message queue: at least one delivery of every message, and a place for those that cannot be processed.
//!
//! Promise: a message that was received is invisible for the visibility timeout and then visible again, unless it was
//! acknowledged with the receipt of its latest delivery. No message is delivered more than `max_receive_count` times;
//! the receive that would do so moves it to the dead letters and looks further. A receive takes the oldest visible
//! message, or the newest where that is asked for. Messages of one group are delivered in order, one at a time: while the
//! first is invisible the others are not to be had.
//!
//! Semantics: Amazon SQS, with the message groups of its FIFO queues. An outdated receipt acknowledges nothing; the latest
//! one does even after the timeout, as long as nobody else has received the message. Left out: retention.

use crate::time::{Span, Time};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What happens to a message that is sent while `max_waiting` messages are waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFull {
    /// The producer is told that it was not taken.
    Reject,
    /// The producer keeps it and waits for room: backpressure.
    Block,
    /// The oldest waiting message makes room.
    DropOldest,
    /// It is dropped, and the producer is not told.
    DropNewest,
}

/// The parameters of a message queue, as yet unchecked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageQueueParams {
    /// How long a delivered message is invisible. Default 30 s (SQS).
    pub visibility_timeout: Span,
    /// Deliveries of one message at most; `None`: no limit, and no dead letters. Default none (SQS).
    pub max_receive_count: Option<u32>,
    /// Visible messages at most; `None`: no limit. Default none.
    pub max_waiting: Option<u32>,
    /// What happens above that. Default reject.
    pub on_full: OnFull,
    /// Whether a receive takes the newest visible message. Default no.
    pub newest_first: bool,
}

impl Default for MessageQueueParams {
    fn default() -> MessageQueueParams {
        MessageQueueParams {
            visibility_timeout: Span::from_millis(30_000),
            max_receive_count: None,
            max_waiting: None,
            on_full: OnFull::Reject,
            newest_first: false,
        }
    }
}

/// Checked parameters of a message queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageQueueConfig(MessageQueueParams);

impl MessageQueueConfig {
    /// Checks the parameters.
    pub fn new(params: MessageQueueParams) -> Result<MessageQueueConfig, String> {
        if params.visibility_timeout > Span::from_millis(12 * 3_600_000) {
            return Err(format!(
                "the visibility timeout is {} s: use at most 12 hours",
                params.visibility_timeout.as_seconds()
            ));
        }
        if params.max_receive_count == Some(0) {
            return Err("max_receive_count is 0, so nothing would be delivered: use at least 1".into());
        }
        if params.max_waiting == Some(0) {
            return Err("max_waiting is 0, so nothing could be sent: use at least 1".into());
        }
        Ok(MessageQueueConfig(params))
    }

    /// The parameters.
    pub fn params(&self) -> MessageQueueParams {
        self.0
    }
}

/// The queue; messages are numbers of the caller's.
#[derive(Clone, Debug)]
pub struct MessageQueue {
    config: MessageQueueConfig,
    /// By the order of sending.
    messages: BTreeMap<u64, Message>,
    /// Those that can be received now.
    visible: BTreeSet<u64>,
    /// Those that cannot, by when they can again.
    hidden: BTreeSet<(Time, u64)>,
    /// Of each group that has messages those behind its first, which is visible or hidden itself.
    groups: BTreeMap<u32, VecDeque<u64>>,
    /// How many are behind the first of their group.
    behind: u64,
    sent: u64,
    dead: Vec<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Message {
    id: u64,
    group: Option<u32>,
    deliveries: u32,
    /// When it is visible again, while it is not.
    hidden_until: Option<Time>,
}

/// The right to acknowledge one delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    message: u64,
    delivery: u32,
}

/// A delivered message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The message.
    pub id: u64,
    /// Which delivery of it, from 1.
    pub count: u32,
    /// To acknowledge it with.
    pub receipt: Receipt,
}

/// What became of a message that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendResult {
    /// It waits.
    Queued,
    /// It waits, and this message was dropped for it.
    QueuedInsteadOf(u64),
    /// It was not taken.
    Rejected,
    /// It was not taken yet: send it again when there is room.
    Blocked,
    /// It is lost.
    Dropped,
}

/// What an acknowledgement did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckResult {
    /// The message is gone, or visible again after a negative one.
    Done,
    /// Nothing: it has been received again, moved to the dead letters, or is gone.
    StaleReceipt,
}

impl MessageQueue {
    /// An empty queue.
    pub fn new(config: MessageQueueConfig) -> MessageQueue {
        MessageQueue {
            config,
            messages: BTreeMap::new(),
            visible: BTreeSet::new(),
            hidden: BTreeSet::new(),
            groups: BTreeMap::new(),
            behind: 0,
            sent: 0,
            dead: Vec::new(),
        }
    }

    /// A producer sends a message, to stand in the order of a group if it names one.
    pub fn on_send(&mut self, now: Time, id: u64, group: Option<u32>) -> SendResult {
        let mut result = SendResult::Queued;
        if self.is_full(now) {
            match self.config.0.on_full {
                OnFull::Reject => return SendResult::Rejected,
                OnFull::Block => return SendResult::Blocked,
                OnFull::DropNewest => return SendResult::Dropped,
                OnFull::DropOldest => result = SendResult::QueuedInsteadOf(self.drop_oldest()),
            }
        }
        let number = self.sent;
        self.sent += 1;
        self.messages.insert(number, Message { id, group, deliveries: 0, hidden_until: None });
        match group.and_then(|group| self.groups.get_mut(&group)) {
            Some(behind) => {
                behind.push_back(number);
                self.behind += 1;
            }
            None => {
                self.visible.insert(number);
                self.groups.extend(group.map(|group| (group, VecDeque::new())));
            }
        }
        result
    }

    /// Whether a message that is sent now finds no room.
    pub fn is_full(&mut self, now: Time) -> bool {
        self.show(now);
        self.config.0.max_waiting.is_some_and(|most| self.waiting(now) >= u64::from(most))
    }

    fn drop_oldest(&mut self) -> u64 {
        let fronts = self.groups.values().filter_map(|behind| behind.front());
        let oldest = *self.visible.iter().take(1).chain(fronts).min().expect("a full queue is not empty");
        if !self.visible.remove(&oldest) {
            let group = self.messages[&oldest].group.expect("what is not visible waits in its group");
            self.groups.get_mut(&group).expect("its group has messages").pop_front();
            self.behind -= 1;
            return self.messages.remove(&oldest).expect("a waiting message exists").id;
        }
        self.remove(oldest).id
    }

    /// A consumer asks for a message.
    pub fn decide(&mut self, now: Time) -> Option<Delivery> {
        self.show(now);
        loop {
            let number = match self.config.0.newest_first {
                false => self.visible.pop_first()?,
                true => self.visible.pop_last()?,
            };
            let message = self.messages.get_mut(&number).expect("a visible message exists");
            if self.config.0.max_receive_count.is_some_and(|most| message.deliveries >= most) {
                let dead = self.remove(number).id;
                self.dead.push(dead);
                continue;
            }
            message.deliveries += 1;
            let (id, count) = (message.id, message.deliveries);
            self.hide(number, now + self.config.0.visibility_timeout);
            return Some(Delivery { id, count, receipt: Receipt { message: number, delivery: count } });
        }
    }

    /// Takes a message out that is neither visible nor hidden any more; the next of its group is visible.
    fn remove(&mut self, number: u64) -> Message {
        let message = self.messages.remove(&number).expect("it exists");
        if let Some(group) = message.group {
            match self.groups.get_mut(&group).and_then(VecDeque::pop_front) {
                Some(next) => {
                    self.behind -= 1;
                    self.visible.insert(next);
                }
                None => _ = self.groups.remove(&group),
            }
        }
        message
    }

    /// The message was processed: it is deleted.
    pub fn on_ack(&mut self, receipt: Receipt) -> AckResult {
        self.with(receipt, |queue| {
            queue.remove(receipt.message);
        })
    }

    /// The message was not processed: it is visible again after `delay`.
    pub fn on_nack(&mut self, now: Time, receipt: Receipt, delay: Span) -> AckResult {
        self.with(receipt, |queue| queue.hide(receipt.message, now + delay))
    }

    /// The message is still being processed: its invisibility is a full timeout from now.
    pub fn on_heartbeat(&mut self, now: Time, receipt: Receipt) -> AckResult {
        self.with(receipt, |queue| queue.hide(receipt.message, now + queue.config.0.visibility_timeout))
    }

    /// When the next message will be visible again.
    pub fn next_deadline(&self) -> Option<Time> {
        self.hidden.first().map(|(at, _)| *at)
    }

    /// Messages that wait: those that can be received now, and those behind the first of their group.
    pub fn waiting(&self, now: Time) -> u64 {
        self.behind + (self.visible.len() + self.hidden.range(..=(now, u64::MAX)).count()) as u64
    }

    /// Messages that wait before a new one: those of its group, or all without one.
    pub fn ahead(&self, now: Time, group: Option<u32>) -> u64 {
        match group {
            Some(group) => self.groups.get(&group).map_or(0, |behind| behind.len() as u64 + 1),
            None => self.waiting(now),
        }
    }

    /// All messages, the oldest first, whoever works on them.
    pub fn all(&self) -> impl Iterator<Item = u64> {
        self.messages.values().map(|message| message.id)
    }

    /// Messages that were delivered too often, in the order of their moving.
    pub fn dead_letters(&self) -> &[u64] {
        &self.dead
    }

    /// Takes a message out of sight if the receipt is its latest, and does something with it.
    fn with(&mut self, receipt: Receipt, act: impl FnOnce(&mut MessageQueue)) -> AckResult {
        let latest = self.messages.get(&receipt.message).filter(|message| message.deliveries == receipt.delivery);
        let Some(Message { hidden_until, .. }) = latest.copied() else { return AckResult::StaleReceipt };
        match hidden_until {
            Some(at) => self.hidden.remove(&(at, receipt.message)),
            None => self.visible.remove(&receipt.message),
        };
        act(self);
        AckResult::Done
    }

    fn hide(&mut self, number: u64, until: Time) {
        self.messages.get_mut(&number).expect("it exists").hidden_until = Some(until);
        self.hidden.insert((until, number));
    }

    /// Makes visible again what has been hidden long enough.
    fn show(&mut self, now: Time) {
        while let Some((until, number)) = self.hidden.first().copied().filter(|(until, _)| now >= *until) {
            self.hidden.remove(&(until, number));
            self.messages.get_mut(&number).expect("a hidden message exists").hidden_until = None;
            self.visible.insert(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn queue(change: impl FnOnce(&mut MessageQueueParams)) -> MessageQueue {
        let mut params = MessageQueueParams { visibility_timeout: ms(100), ..MessageQueueParams::default() };
        change(&mut params);
        MessageQueue::new(MessageQueueConfig::new(params).unwrap())
    }

    fn ms(millis: u64) -> Span {
        Span::from_millis(millis)
    }

    fn at(millis: u64) -> Time {
        Time::ZERO + ms(millis)
    }

    #[test]
    fn a_message_comes_back_until_it_is_acknowledged() {
        let mut queue = queue(|_| ());
        queue.on_send(at(0), 7, None);
        let first = queue.decide(at(0)).unwrap();
        assert_eq!((first.id, first.count, queue.decide(at(99)), queue.next_deadline()), (7, 1, None, Some(at(100))));
        assert_eq!(queue.waiting(at(99)), 0);
        let second = queue.decide(at(100)).unwrap();
        assert_eq!((second.id, second.count), (7, 2));
        assert_eq!(queue.on_ack(first.receipt), AckResult::StaleReceipt);
        assert_eq!(queue.on_ack(second.receipt), AckResult::Done);
        assert_eq!(queue.on_ack(second.receipt), AckResult::StaleReceipt);
        assert_eq!((queue.decide(at(999)), queue.next_deadline()), (None, None));
    }

    #[test]
    fn the_latest_receipt_counts_after_the_timeout_too() {
        let mut queue = queue(|_| ());
        queue.on_send(at(0), 7, None);
        let delivery = queue.decide(at(0)).unwrap();
        assert_eq!(queue.waiting(at(500)), 1);
        assert_eq!(queue.on_ack(delivery.receipt), AckResult::Done);
        assert_eq!(queue.decide(at(500)), None);
    }

    #[test]
    fn too_many_deliveries_end_in_the_dead_letters() {
        let mut queue = queue(|p| p.max_receive_count = Some(1));
        queue.on_send(at(0), 7, None);
        queue.on_send(at(0), 8, None);
        let first = queue.decide(at(0)).unwrap();
        // The receive moves the first and takes the second.
        assert_eq!(queue.decide(at(100)).map(|delivery| delivery.id), Some(8));
        assert_eq!(queue.dead_letters(), [7]);
        assert_eq!(queue.on_ack(first.receipt), AckResult::StaleReceipt);
    }

    #[test]
    fn a_nack_shows_it_sooner_and_a_heartbeat_later() {
        let mut queue = queue(|_| ());
        queue.on_send(at(0), 7, None);
        let first = queue.decide(at(0)).unwrap();
        assert_eq!(queue.on_heartbeat(at(90), first.receipt), AckResult::Done);
        assert_eq!(queue.decide(at(189)), None);
        assert_eq!(queue.on_nack(at(189), first.receipt, Span::ZERO), AckResult::Done);
        assert_eq!(queue.decide(at(189)).map(|delivery| delivery.count), Some(2));
        assert_eq!(queue.on_nack(at(189), first.receipt, Span::ZERO), AckResult::StaleReceipt);
    }

    #[test]
    fn a_full_queue_does_as_told() {
        for (on_full, result, next) in [
            (OnFull::Reject, SendResult::Rejected, 1),
            (OnFull::Block, SendResult::Blocked, 1),
            (OnFull::DropNewest, SendResult::Dropped, 1),
            (OnFull::DropOldest, SendResult::QueuedInsteadOf(1), 2),
        ] {
            let mut queue = queue(|p| (p.max_waiting, p.on_full) = (Some(2), on_full));
            assert_eq!([1, 2].map(|id| queue.on_send(at(0), id, None)), [SendResult::Queued; 2]);
            assert_eq!(queue.on_send(at(0), 3, None), result);
            assert_eq!(queue.decide(at(0)).map(|delivery| delivery.id), Some(next));
            assert_eq!(queue.waiting(at(0)), 1);
        }
    }

    #[test]
    fn a_group_is_delivered_in_order_one_at_a_time() {
        let mut queue = queue(|p| p.max_receive_count = Some(2));
        for (id, group) in [(1, 5), (2, 5), (3, 6), (4, 5)] {
            queue.on_send(at(0), id, Some(group));
        }
        assert_eq!((queue.waiting(at(0)), queue.ahead(at(0), Some(5)), queue.ahead(at(0), Some(7))), (4, 3, 0));
        let first = queue.decide(at(0)).unwrap();
        assert_eq!((first.id, queue.decide(at(0)).map(|other| other.id), queue.decide(at(0))), (1, Some(3), None));
        // What failed comes back before those behind it, until it is dead.
        queue.on_nack(at(1), first.receipt, ms(10));
        assert_eq!(queue.decide(at(10)), None);
        let again = queue.decide(at(11)).unwrap();
        assert_eq!((again.id, again.count), (1, 2));
        queue.on_nack(at(12), again.receipt, Span::ZERO);
        assert_eq!(queue.decide(at(12)).map(|next| next.id), Some(2));
        assert_eq!((queue.dead_letters(), queue.all().collect::<Vec<_>>()), (&[1][..], vec![2, 3, 4]));
    }

    #[test]
    fn the_newest_may_come_first() {
        let mut queue = queue(|p| p.newest_first = true);
        for id in 1..=3 {
            queue.on_send(at(0), id, None);
        }
        assert_eq!([(); 3].map(|()| queue.decide(at(0)).unwrap().id), [3, 2, 1]);
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        let refused = |change: fn(&mut MessageQueueParams)| {
            let mut params = MessageQueueParams::default();
            change(&mut params);
            MessageQueueConfig::new(params).unwrap_err()
        };
        assert!(refused(|p| p.visibility_timeout = Span::from_millis(50_000_000)).contains("12 hours"));
        assert!(refused(|p| p.max_receive_count = Some(0)).contains("max_receive_count"));
        assert!(refused(|p| p.max_waiting = Some(0)).contains("max_waiting"));
    }

    proptest! {
        /// Whatever the order of events: the oldest visible message is delivered, none twice within its timeout, none
        /// more often than allowed, and every message is waiting, under way, acknowledged or dead.
        #[test]
        fn nothing_is_lost_and_nothing_comes_too_often(
            steps in prop::collection::vec((0u64..60, 0u8..4, any::<prop::sample::Index>()), 1..200),
        ) {
            let mut queue = queue(|p| p.max_receive_count = Some(3));
            // Deliveries, invisible until, acknowledged or dead.
            let mut plain: Vec<(u32, u64, bool)> = Vec::new();
            let (mut receipts, mut dead, mut now) = (Vec::new(), Vec::new(), 0);
            for (gap_ms, what, which) in steps {
                now += gap_ms;
                match what {
                    0 => {
                        queue.on_send(at(now), plain.len() as u64, None);
                        plain.push((0, 0, false));
                    }
                    1 | 2 => {
                        let mut expected = None;
                        for (id, (count, until, gone)) in plain.iter_mut().enumerate() {
                            if *gone || *until > now {
                                continue;
                            }
                            if *count == 3 {
                                *gone = true;
                                dead.push(id as u64);
                                continue;
                            }
                            (*count, *until) = (*count + 1, now + 100);
                            expected = Some((id as u64, *count));
                            break;
                        }
                        let delivery = queue.decide(at(now));
                        prop_assert_eq!(delivery.map(|delivery| (delivery.id, delivery.count)), expected);
                        receipts.extend(delivery);
                        prop_assert_eq!(queue.dead_letters(), &dead[..]);
                    }
                    _ if receipts.is_empty() => {}
                    _ => {
                        let delivery = receipts[which.index(receipts.len())];
                        let (count, _, gone) = &mut plain[delivery.id as usize];
                        let latest = !*gone && *count == delivery.count;
                        let expected = if latest { AckResult::Done } else { AckResult::StaleReceipt };
                        prop_assert_eq!(queue.on_ack(delivery.receipt), expected);
                        *gone |= latest;
                    }
                }
                let waiting = plain.iter().filter(|(_, until, gone)| !gone && *until <= now).count();
                prop_assert_eq!(queue.waiting(at(now)), waiting as u64);
            }
        }
    }
}
