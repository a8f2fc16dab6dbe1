//! The bytes of a record that a digest is made of (ARCHITECTURE.md, "Digest").

use super::outcome::CacheFallback;
use super::record::{Record, What};
use crate::ids::Seq;

impl Record {
    /// Bytes of a record in the digest's layout.
    pub const BYTES: usize = 40;

    /// Writes the record in the digest's fixed little-endian layout (ARCHITECTURE.md, "Digest").
    #[inline]
    pub fn encode(&self, bytes: &mut [u8; Record::BYTES]) {
        let number = |seq| u64::from(Seq::number_or_max(seq));
        let (code, a, b) = self.what.encode();
        let words = [
            self.at.as_nanos(),
            u64::from(code) << 48 | u64::from(self.node.0) << 32 | u64::from(self.seq.number()),
            number(self.cause) << 32 | u64::from(self.request.0),
            u64::from(a) << 32 | number(self.follows),
            b,
        ];
        for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
    }
}

impl What {
    /// Its kind as a number: the position in the enum, from 1.
    #[inline(never)]
    pub fn code(&self) -> u16 {
        self.encode().0
    }

    /// Code and two payload words of the digest layout.
    #[inline(always)]
    fn encode(&self) -> (u16, u32, u64) {
        use What::*;
        match *self {
            Intended { route, key, user } => (1, key, u64::from(user) << 8 | u64::from(route.0)),
            Called { to, attempt } => (2, u32::from(to.0), u64::from(attempt)),
            Arrived { attempt } => (3, u32::from(attempt), 0),
            Queued { ahead } => (4, ahead, 0),
            Saturated { in_service } => (5, in_service, 0),
            Started => (6, 0, 0),
            Worked => (7, 0, 0),
            Refused { refusal } => (8, refusal as u32, 0),
            Replied { status, sojourn } => (9, u32::from(status as u8), sojourn.as_nanos()),
            Received { status } => (10, u32::from(status as u8), 0),
            TimedOut { to, after } => (11, u32::from(to.0), after.as_nanos()),
            BackedOff { delay } => (12, 0, delay.as_nanos()),
            GaveUp { end } => (13, end as u32, 0),
            CameLate => (14, 0, 0),
            CacheAsked { key, result } => (15, key, result as u64),
            CacheStored { key, version } => (16, key, version),
            FellBack { fallback } => match fallback {
                CacheFallback::Served { expired_for } => (17, 0, expired_for.as_nanos()),
                CacheFallback::NoCopy => (17, 1, 0),
                CacheFallback::TooOld => (17, 2, 0),
            },
            RowRead { key, version } => (18, key, version),
            RowWritten { key, version } => (19, key, version),
            Answered { outcome, latency } => (20, outcome as u32, latency.as_nanos()),
            BreakerOpened { to, failures, calls, slow } => {
                (21, u32::from(slow) << 16 | u32::from(to.0), u64::from(failures) << 32 | u64::from(calls))
            }
            BreakerHalfOpened { to } => (22, u32::from(to.0), 0),
            BreakerClosed { to } => (23, u32::from(to.0), 0),
            InstanceEjected { instance } => (24, u32::from(instance.0), 0),
            InstanceRestored { instance } => (25, u32::from(instance.0), 0),
            FaultBegan { fault } => (26, u32::from(fault), 0),
            FaultEnded { fault } => (27, u32::from(fault), 0),
            Probed { ok } => (28, u32::from(ok), 0),
            IncidentOpened { incident, failed_probes } => (29, u32::from(incident.0), u64::from(failed_probes)),
            AlertRaised { incident } => (30, u32::from(incident.0), 0),
            IncidentRecovered { incident } => (31, u32::from(incident.0), 0),
            IncidentRelapsed { incident } => (32, u32::from(incident.0), 0),
            IncidentResolved { incident } => (33, u32::from(incident.0), 0),
            Disconnected => (34, 0, 0),
            ProbeBegan => (35, 0, 0),
            Observed { signal, value } => (36, u32::from(signal), value.to_bits()),
            Withdrawn => (37, 0, 0),
            Paused => (38, 0, 0),
            Forked { branches } => (39, u32::from(branches), 0),
            Joined => (40, 0, 0),
            DeadLettered => (41, 0, 0),
            Admitted => (42, 0, 0),
            BrokeDown => (43, 0, 0),
            Repaired => (44, 0, 0),
            Blocked => (45, 0, 0),
            Replayed => (46, 0, 0),
            BudgetBurning { long_milli, short_milli } => (47, long_milli, u64::from(short_milli)),
            RuleBroken { number } => (48, 0, number.to_bits()),
            AlertDelivered { incident } => (49, u32::from(incident.0), 0),
            AlertLost { incident } => (50, u32::from(incident.0), 0),
            MessageLost => (51, 0, 0),
            CommitLost => (52, 0, 0),
            CacheInvalidated { key } => (53, key, 0),
            CacheRefused { key, version } => (54, key, version),
            InstanceStarting => (55, 0, 0),
            InstanceUp => (56, 0, 0),
            InstanceStopping => (57, 0, 0),
            InstanceStopped => (58, 0, 0),
            OutOfMemory => (59, 0, 0),
            InstanceCrashed => (60, 0, 0),
            Fleet { running, up, listed } => (61, u32::from(running), u64::from(up) << 16 | u64::from(listed)),
            RolloutBegan { rollout } => (62, u32::from(rollout), 0),
            CanaryFailed { rollout } => (63, u32::from(rollout), 0),
            RolledBack { rollout } => (64, u32::from(rollout), 0),
            Scaled { from, to } => (65, u32::from(from), u64::from(to)),
            Retransmitted { times, after } => (66, u32::from(times), after.as_nanos()),
            ConnectionOpened { to, took } => (67, u32::from(to.0), took.as_nanos()),
            ConnectionClosed { to, why, time_wait } => (68, u32::from(to.0), (why as u64) << 32 | u64::from(time_wait)),
            PortsExhausted { to, time_wait } => (69, u32::from(to.0), u64::from(time_wait)),
            Vanished => (70, 0, 0),
            CpuThrottled => (71, 0, 0),
            WorkStopped => (72, 0, 0),
            WorkResumed => (73, 0, 0),
            Unresponsive => (74, 0, 0),
            FirstToken => (75, 0, 0),
            Generated { tokens, took } => (76, tokens, took.as_nanos()),
            Preempted { tokens } => (77, tokens, 0),
            Iterated { sequences, prefilled, held } => (78, sequences, u64::from(prefilled) << 32 | u64::from(held)),
            Transferred { bytes, whole } => (79, u32::from(whole), bytes),
        }
    }
}
