//! A recorded run on the stage, in the place of the lesson's. The lesson waits as the learner left it.

use crate::state::player::Player;
use crate::state::session::Session;
use sandbox_core::Run;
use sandbox_core::recording::Recording;
use sandbox_core::scenario::Problem;
use sandbox_core::time::Time;

/// The recorded run that is open.
pub struct Recorded {
    /// Where it was fetched; none if it came from a file.
    pub address: Option<String>,
    /// The digest that was recorded; none if the recording broke off.
    pub digest: Option<String>,
    /// Version of the program that recorded it.
    pub version: String,
    lesson: Player,
}

/// What became of the latest wish to open a recording.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Opening {
    /// Nothing is under way.
    #[default]
    Idle,
    /// It is being fetched or read.
    UnderWay,
    /// It cannot be opened, with all that is wrong.
    Refused(Vec<Problem>),
}

impl Session {
    /// A recording has come, or not: it takes the stage, or the page says why it cannot and stays as it is.
    pub fn open(&mut self, name: &str, address: Option<String>, text: Result<String, Problem>) {
        let read = text.map_err(|problem| vec![problem]).and_then(|text| Recording::parse(name, &text));
        let recording = match read {
            Ok(recording) => recording,
            Err(problems) => return self.opening = Opening::Refused(problems),
        };
        self.opening = Opening::Idle;
        let mut player = Player::new(Time::ZERO, true, self.player.still);
        player.begin(Run::with_script(recording.plan, recording.script));
        let before = self.put_on_stage(player);
        let lesson = match self.recorded.take() {
            Some(earlier) => earlier.lesson,
            None => before,
        };
        self.recorded = Some(Recorded { address, digest: recording.digest, version: recording.version, lesson });
    }

    /// Back to the lesson.
    pub(super) fn close_recording(&mut self) {
        if let Some(recorded) = self.recorded.take() {
            self.put_on_stage(recorded.lesson);
        }
    }

    fn put_on_stage(&mut self, mut player: Player) -> Player {
        player.generation = self.player.generation.max(player.generation) + 1;
        let mut before = std::mem::replace(&mut self.player, player);
        before.playing = false;
        before
    }
}
