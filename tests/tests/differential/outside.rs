//! What is outside of the guest, however that is run: who calls it and has the other ends of its streams. It decides what
//! an action of a program comes to, so that both runs do the same.

use crate::program::Step;

/// What is to be done.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Command {
    Nothing,
    Start { routine: u32 },
    Poke { routine: u32 },
    Cancel { call: usize },
    Give { kind: u32, slot: u32 },
    Take { kind: u32, slot: u32 },
    Read { end: usize, count: u32 },
    Write { end: usize, count: u32 },
    CancelCopy { end: usize },
    Drop { end: usize },
    Answer { number: usize },
    Press { on: u32 },
    AnswerLate { number: u32 },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Busy,
    Over,
    Gone,
}

/// An end that is outside.
pub(crate) struct End {
    pub(crate) kind: u32,
    pub(crate) reads: bool,
    pub(crate) handle: u32,
    state: State,
}

/// A call of the guest.
pub(crate) struct Call {
    pub(crate) handle: u32,
    is_over: bool,
}

#[derive(Default)]
pub(crate) struct Outside {
    pub(crate) calls: Vec<Call>,
    pub(crate) ends: Vec<End>,
}

/// What a copy returns that waits.
pub(crate) const BLOCKED: u32 = u32::MAX;

/// The import that is given this number answers at once.
pub(crate) fn is_ready(id: u32) -> bool {
    id % 4 == 3
}

/// The callee ends such a call at once when it is cancelled; the others go on until they are answered.
pub(crate) fn heeds_cancel(id: u32) -> bool {
    id.is_multiple_of(2)
}

impl Outside {
    /// Decides what an action is.
    pub(crate) fn command(&self, [what, a, b, c]: Step) -> Command {
        let ends = |wanted: &dyn Fn(&End) -> bool| {
            let ends: Vec<usize> = (0..self.ends.len()).filter(|end| wanted(&self.ends[*end])).collect();
            (!ends.is_empty()).then(|| ends[usize::from(a) % ends.len()])
        };
        let (a, b, count) = (u32::from(a), u32::from(b), u32::from(c) % 5);
        let command = match what {
            0 => Some(Command::Start { routine: a }),
            1 => {
                let open: Vec<usize> = (0..self.calls.len()).filter(|call| !self.calls[*call].is_over).collect();
                (!open.is_empty()).then(|| Command::Cancel { call: open[a as usize % open.len()] })
            }
            2 => Some(Command::Poke { routine: a }),
            3 => Some(Command::Give { kind: u32::from(c) % 4, slot: b }),
            4 => Some(Command::Take { kind: u32::from(c) % 4, slot: b }),
            5 => ends(&|end| end.reads && end.state == State::Idle).map(|end| Command::Read { end, count }),
            6 => ends(&|end| !end.reads && end.state == State::Idle).map(|end| Command::Write { end, count }),
            7 => ends(&|end| end.state == State::Busy).map(|end| Command::CancelCopy { end }),
            8 => {
                let unwritten = |end: &End| end.kind >= 2 && !end.reads && end.state == State::Idle;
                ends(&|end| !matches!(end.state, State::Gone | State::Busy) && !unwritten(end))
                    .map(|end| Command::Drop { end })
            }
            9 => Some(Command::Answer { number: a as usize }),
            11 => Some(Command::Press { on: a % 2 }),
            12 => Some(Command::AnswerLate { number: a }),
            _ => None,
        };
        command.unwrap_or(Command::Nothing)
    }

    pub(crate) fn add_call(&mut self, handle: u32, is_over: bool) {
        self.calls.push(Call { handle, is_over });
    }

    /// A call has ended.
    pub(crate) fn call_ends(&mut self, call: usize) {
        self.calls[call].is_over = true;
    }

    pub(crate) fn open_calls(&self) -> Vec<usize> {
        (0..self.calls.len()).filter(|call| !self.calls[*call].is_over).collect()
    }

    pub(crate) fn add_end(&mut self, kind: u32, reads: bool, handle: u32) {
        self.ends.push(End { kind, reads, handle, state: State::Idle });
    }

    pub(crate) fn busy_ends(&self) -> Vec<usize> {
        (0..self.ends.len()).filter(|end| self.ends[*end].state == State::Busy).collect()
    }

    /// A copy has come to something, or has to wait: the line for the record.
    pub(crate) fn settle(&mut self, end: usize, code: u32, sum: u32) -> String {
        let is_future = self.ends[end].kind >= 2;
        self.ends[end].state = match code & 15 {
            _ if code == BLOCKED => State::Busy,
            0 if is_future => State::Over,
            1 => State::Over,
            _ => State::Idle,
        };
        match code {
            BLOCKED => format!("outside: end {end} waits"),
            code => format!("outside: end {end} has {code}, items {sum}"),
        }
    }

    pub(crate) fn drop_end(&mut self, end: usize) {
        self.ends[end].state = State::Gone;
    }
}
