//! A local pair gives the results that a stream of the engine gives, whatever its two ends do.

use crate::export;
use crate::support::*;
use core::cell::RefCell;
use core::pin::Pin;
use core::task::Poll;
use std::rc::Rc;
use wasp_guest_rt::{StreamRead, StreamWrite};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Write(usize),
    Read(usize),
    CancelWrite,
    CancelRead,
    DropWriter,
    DropReader,
}

use Step::*;

const STEPS: [Step; 10] =
    [Write(0), Write(1), Write(3), Read(0), Read(1), Read(2), CancelWrite, CancelRead, DropWriter, DropReader];

/// What an end does: at most one copy at a time, which borrows the end.
struct Writing {
    copy: Option<StreamWrite<'static, u8>>,
    end: Option<*mut StreamWriter<u8>>,
}

struct Reading {
    copy: Option<StreamRead<'static, u8>>,
    end: Option<*mut StreamReader<u8>>,
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.copy = None;
        if let Some(end) = self.end.take() {
            // SAFETY: it was boxed, and nothing borrows it.
            drop(unsafe { Box::from_raw(end) });
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.copy = None;
        if let Some(end) = self.end.take() {
            // SAFETY: it was boxed, and nothing borrows it.
            drop(unsafe { Box::from_raw(end) });
        }
    }
}

async fn play(
    steps: &[Step],
    settle: usize,
    writer: StreamWriter<u8>,
    reader: StreamReader<u8>,
    log: &RefCell<Vec<String>>,
) {
    let mut writing = Writing { copy: None, end: Some(Box::into_raw(Box::new(writer))) };
    let mut reading = Reading { copy: None, end: Some(Box::into_raw(Box::new(reader))) };
    let mut next = 0;
    for (number, step) in steps.iter().enumerate() {
        let in_flight = (writing.copy.is_some(), reading.copy.is_some());
        match step {
            Write(count) => {
                if let (Some(end), None) = (writing.end, &writing.copy) {
                    let items = (next..).take(*count).collect();
                    next += *count as u8;
                    // SAFETY: the end outlives the copy, and nothing else borrows it meanwhile.
                    writing.copy = Some(unsafe { (*end).write(items) });
                }
            }
            Read(count) => {
                if let (Some(end), None) = (reading.end, &reading.copy) {
                    // SAFETY: as above.
                    reading.copy = Some(unsafe { (*end).read(Vec::with_capacity(*count)) });
                }
            }
            CancelWrite => {
                if let Some(mut copy) = writing.copy.take() {
                    let (result, rest) = Pin::new(&mut copy).cancel();
                    // Engines differ in whether a copy that has come to something counts as cancelled.
                    log.borrow_mut().push(format!("write cancelled {result:?} {:?}", rest.into_vec()));
                }
            }
            CancelRead => {
                if let Some(mut copy) = reading.copy.take() {
                    log.borrow_mut().push(format!("read cancelled {:?}", Pin::new(&mut copy).cancel()));
                }
            }
            DropWriter => {
                writing.copy = None;
                drop(core::mem::replace(&mut writing, Writing { copy: None, end: None }));
            }
            DropReader => {
                reading.copy = None;
                drop(core::mem::replace(&mut reading, Reading { copy: None, end: None }));
            }
        }
        // The one that acts hears of it first, and then the other one.
        let mut order = [true, false];
        if matches!(step, Read(_) | CancelRead | DropReader) {
            order.reverse();
        }
        let settles = (number + 1) % settle == 0;
        for round in 0..2 {
            for writes in order {
                // Otherwise only a copy that starts is polled, and events heap up.
                let starts = writes == order[0] && !(if writes { in_flight.0 } else { in_flight.1 });
                if !settles && (round > 0 || !starts) {
                    continue;
                }
                if writes
                    && let Some(copy) = &mut writing.copy
                    && let Poll::Ready((result, rest)) = poll_here(copy).await
                {
                    writing.copy = None;
                    log.borrow_mut().push(format!("written {result:?} {:?}", rest.into_vec()));
                }
                if !writes
                    && let Some(copy) = &mut reading.copy
                    && let Poll::Ready(read) = poll_here(copy).await
                {
                    reading.copy = None;
                    log.borrow_mut().push(format!("read {read:?}"));
                }
            }
            if settles {
                turn().await;
            }
        }
        log.borrow_mut().push("-".into());
    }
}

fn results(steps: &[Step], settle: usize, remote: bool) -> Vec<String> {
    let log = Rc::new(RefCell::new(Vec::new()));
    let (theirs, steps) = (log.clone(), steps.to_vec());
    let task = export!(async move {
        let (writer, mut reader) = stream::<u8>();
        if remote {
            // Numbers may be read where they were written also in an engine.
            reader = lift(give(reader).lower());
        }
        play(&steps, settle, writer, reader, &theirs).await;
    });
    run();
    assert!(exited(task));
    nothing_is_left();
    log.take()
}

fn all_scripts(len: usize, script: &mut Vec<Step>, check: &mut impl FnMut(&[Step])) {
    if script.len() == len {
        return check(script);
    }
    for step in STEPS {
        script.push(step);
        all_scripts(len, script, check);
        script.pop();
    }
}

#[test]
fn local_pairs_follow_the_rules_of_the_engine() {
    let len = if cfg!(miri) { 2 } else { 3 };
    all_scripts(len, &mut Vec::new(), &mut |script| {
        assert_eq!(results(script, 1, false), results(script, 1, true), "{script:?}");
    });
}

#[test]
fn long_scripts_follow_the_rules_of_the_engine() {
    let mut seed = 1u32;
    let mut random = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 16) as usize
    };
    for _ in 0..if cfg!(miri) { 1 } else { 1000 } {
        // Without the ends' ends, which would be all too soon.
        let script: Vec<_> = (0..20).map(|_| STEPS[random() % 8]).collect();
        for settle in [1, 2, 5] {
            assert_eq!(results(&script, settle, false), results(&script, settle, true), "{settle} {script:?}");
        }
    }
}
