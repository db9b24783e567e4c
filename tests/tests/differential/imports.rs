//! What the guest imports, natively: the answers to its calls, and the types that its streams carry.

use super::native::{Around, with};
use crate::outside::{heeds_cancel, is_ready};
use std::future::Future;
use wasp_guest_rt::__rt;
use wasp_guest_rt::native;
use wasp_guest_rt::{FutureReader, FutureWriter, StreamReader, StreamWriter};

/// The world that the types belong to.
pub(crate) struct World;

macro_rules! payloads {
    ($($kind:ident: $($ty:ty),*;)*) => {$($(
        __rt::$kind! { $ty, World, "native", new: "new", read: "read", write: "write", cancel_read: "cancel-read",
            cancel_write: "cancel-write", drop_readable: "drop-readable", drop_writable: "drop-writable" }
    )*)*};
}

payloads! {
    stream_payload: u32, String;
    future_payload: u32, String;
}

/// A call of the other component that was not answered.
pub(crate) struct Late {
    subtask: u32,
    result: usize,
    id: u32,
    started: bool,
}

/// A call of an import that was not answered.
pub(crate) struct Open {
    subtask: u32,
    result: usize,
    answer: Answer,
}

pub(crate) enum Answer {
    Number(u32),
    Text(String),
}

impl Late {
    fn returns(&self) {
        // SAFETY: the engine may write to the result area while the subtask is not resolved.
        unsafe { core::ptr::with_exposed_provenance_mut::<u32>(self.result).write(self.id + 200) }
        native::returned(self.subtask);
    }
}

/// The imports of the guest.
pub(crate) mod host {
    use super::{__rt, Answer, Future, Open, World, is_ready, native, with};

    pub(crate) fn trace(what: u32, a: u32, b: u32, c: u32) {
        native::note(format!("log {what} {a} {b} {c}"));
    }

    pub(crate) fn routine(id: u32) -> Vec<u8> {
        with(|around| around.program.routine(id))
    }

    fn called(name: &str, result: usize, answer: Answer) -> u32 {
        let status = native::subtask_started();
        let subtask = status >> 4;
        native::on_cancel(subtask, move || {
            with(|around| {
                around.open.retain(|open| open.subtask != subtask);
                around.aborted.push_back(subtask);
            });
            u32::MAX
        });
        with(|around| around.open.push(Open { subtask, result, answer }));
        native::note(format!("import {name} = {status}"));
        status
    }

    pub(crate) fn number(id: u32) -> impl Future<Output = u32> {
        // SAFETY: the stand-in answers as such an import does.
        unsafe {
            __rt::async_call::<World, _, _, 1, 1>((id,), |slots: [u64; 1], to| {
                let id = slots[0] as u32;
                if is_ready(id) {
                    core::ptr::with_exposed_provenance_mut::<u32>(to).write(id + 100);
                    native::note("import number = 2");
                    return 2;
                }
                called("number", to, Answer::Number(id + 100))
            })
        }
    }

    pub(crate) fn text(id: u32, text: String) -> impl Future<Output = String> {
        // SAFETY: the stand-in answers as such an import does.
        unsafe {
            __rt::async_call::<World, _, _, 3, { __rt::width(1, 2) }>((id, text), |slots: [u64; 3], to| {
                let text = core::slice::from_raw_parts(
                    core::ptr::with_exposed_provenance(slots[1] as usize),
                    slots[2] as usize,
                );
                let text = core::str::from_utf8_unchecked(text).to_owned();
                called("text", to, Answer::Text(text + ", answered"))
            })
        }
    }
}

/// The function of the other component.
pub(crate) fn late(id: u32, age: u32) -> impl Future<Output = u32> {
    fn called(id: u32, result: usize) -> u32 {
        native::callee_starts();
        let started = with(|around| !around.pressed);
        if started && is_ready(id) {
            // SAFETY: the caller passes where the result is to be.
            unsafe { core::ptr::with_exposed_provenance_mut::<u32>(result).write(id + 200) }
            return 2;
        }
        let status = if started { native::subtask_started() } else { native::subtask_starting() };
        let subtask = status >> 4;
        native::on_cancel(subtask, move || with(|around| around.cancel_late(subtask)));
        with(|around| around.late.push(Late { subtask, result, id, started }));
        status
    }
    // SAFETY: the stand-in answers as such an import does.
    unsafe {
        __rt::async_call::<World, _, _, 2, 1>((id, age), |slots: [u64; 2], to| {
            let status = called(slots[0] as u32, to);
            native::note(format!("import late = {status}"));
            status
        })
    }
}

pub(crate) fn new_numbers() -> (StreamWriter<u32>, StreamReader<u32>) {
    __rt::stream_new::<World, _>()
}

pub(crate) fn new_texts() -> (StreamWriter<String>, StreamReader<String>) {
    __rt::stream_new::<World, _>()
}

pub(crate) fn new_number() -> (FutureWriter<u32>, FutureReader<u32>) {
    __rt::future_new::<World, _>(|| 77)
}

pub(crate) fn new_text() -> (FutureWriter<String>, FutureReader<String>) {
    __rt::future_new::<World, _>(|| "nothing".into())
}

impl Around {
    /// A call is cancelled: its state, or that it goes on.
    pub(crate) fn cancel_late(&mut self, subtask: u32) -> u32 {
        let Some(at) = self.late.iter().position(|late| late.subtask == subtask) else { return u32::MAX };
        match &self.late[at] {
            Late { started: true, id, .. } if !heeds_cancel(*id) => return u32::MAX,
            _ => {}
        }
        if self.late.remove(at).started { 4 } else { 3 }
    }

    pub(crate) fn press(&mut self, on: bool) {
        self.pressed = on;
        if on {
            return;
        }
        for at in 0..self.late.len() {
            if !core::mem::replace(&mut self.late[at].started, true) {
                native::started(self.late[at].subtask);
            }
        }
        // Some return at once.
        let (ready, late) = core::mem::take(&mut self.late).into_iter().partition(|late| is_ready(late.id));
        self.late = late;
        ready.iter().for_each(Late::returns);
    }

    pub(crate) fn answer_late(&mut self, number: u32) {
        let started: Vec<usize> = (0..self.late.len()).filter(|at| self.late[*at].started).collect();
        if !started.is_empty() {
            self.late.remove(started[number as usize % started.len()]).returns();
        }
    }

    pub(crate) fn answer(&mut self, number: usize) {
        if self.open.is_empty() {
            return;
        }
        let open = self.open.remove(number % self.open.len());
        let to = core::ptr::with_exposed_provenance_mut::<usize>(open.result);
        match open.answer {
            // SAFETY: the engine may write a number to the result area while the subtask is not resolved.
            Answer::Number(number) => unsafe { to.cast::<u32>().write(number) },
            Answer::Text(text) => {
                let text = Box::leak(text.into_boxed_str());
                // SAFETY: as above, the two words of a string.
                unsafe {
                    to.write(text.as_ptr().expose_provenance());
                    to.add(1).write(text.len());
                }
            }
        }
        native::returned(open.subtask);
    }
}
