//! A `message_queue` model: messages that are received and acknowledged at given instants.

use super::Answers;
use super::read::{Ms, in_order, read};
use crate::policy::message_queue::{AckResult, MessageQueue, MessageQueueConfig, MessageQueueParams, Receipt};
use crate::scenario::{Problem, spec};
use crate::time::Time;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

spec! {
    struct Model {
        message_queue: QueueModel,
        messages: Vec<String>,
        enqueued_at_ms: Ms,
        receives: Vec<Receive>,
        acks: Vec<Ack>,
    }
}

spec! {
    struct QueueModel {
        visibility_timeout_ms: Ms,
        max_receive_count: u32,
    }
}

spec! {
    struct Receive {
        t_ms: Ms,
    }
}

spec! {
    struct Ack {
        t_ms: Ms,
        message: String,
        receipt_of_receive_at_ms: Ms,
    }
}

/// What happens at one instant, in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// The acknowledgement of an earlier delivery.
    Ack(usize),
    Send(usize),
    Receive(usize),
    /// The acknowledgement of a delivery at this very instant.
    AckAtOnce(usize),
}

/// What every receive returns, what every acknowledgement does, and what became of the messages.
pub fn decide(model: &Value) -> Result<Answers, Vec<Problem>> {
    let Model { message_queue, messages, enqueued_at_ms, receives, acks } = read(model)?;
    in_order("receives", receives.iter().map(|receive| receive.t_ms.time()))?;
    let config = MessageQueueConfig::new(MessageQueueParams {
        visibility_timeout: message_queue.visibility_timeout_ms.0,
        max_receive_count: Some(message_queue.max_receive_count),
        ..MessageQueueParams::default()
    });
    let mut queue =
        MessageQueue::new(config.map_err(|why| vec![Problem::new("message_queue", why, "Mend the value.")])?);
    let mut steps: Vec<(Time, Step)> = Vec::new();
    steps.extend((0..messages.len()).map(|index| (enqueued_at_ms.time(), Step::Send(index))));
    steps.extend(receives.iter().enumerate().map(|(index, receive)| (receive.t_ms.time(), Step::Receive(index))));
    steps.extend(acks.iter().enumerate().map(|(index, ack)| match ack.receipt_of_receive_at_ms < ack.t_ms {
        true => (ack.t_ms.time(), Step::Ack(index)),
        false => (ack.t_ms.time(), Step::AckAtOnce(index)),
    }));
    steps.sort_unstable();

    let name = |id: u64| messages[id as usize].as_str();
    let mut received: Vec<Option<&str>> = vec![None; receives.len()];
    let mut acked = vec![""; acks.len()];
    let mut receipts: BTreeMap<(&str, Time), Receipt> = BTreeMap::new();
    let mut deliveries: Map<String, Value> = messages.iter().map(|message| (message.clone(), json!(0))).collect();
    for (now, step) in steps {
        match step {
            Step::Send(index) => drop(queue.on_send(now, index as u64, None)),
            Step::Receive(index) => {
                if let Some(delivery) = queue.decide(now) {
                    let message = name(delivery.id);
                    received[index] = Some(message);
                    receipts.insert((message, now), delivery.receipt);
                    deliveries.insert(message.to_string(), json!(delivery.count));
                }
            }
            Step::Ack(index) | Step::AckAtOnce(index) => {
                let Ack { message, receipt_of_receive_at_ms, .. } = &acks[index];
                let receipt = receipts.get(&(message.as_str(), receipt_of_receive_at_ms.time()));
                acked[index] = match receipt.map_or(AckResult::StaleReceipt, |receipt| queue.on_ack(*receipt)) {
                    AckResult::Done => "deleted",
                    AckResult::StaleReceipt => "ignored_stale_receipt",
                };
            }
        }
    }
    let dead: Vec<&str> = queue.dead_letters().iter().map(|id| name(*id)).collect();
    let answers = [
        ("receives", json!(received)),
        ("acks", json!(acked)),
        ("dead_letter", json!(dead)),
        ("deliveries", Value::Object(deliveries)),
    ];
    Ok(answers.map(|(name, value)| (name.to_string(), value)).into_iter().collect())
}
