//! Goes through all orders of events of a program.

use crate::counting::allocated;
use crate::support::{Fate, fates};
use crate::world::{Program, World};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use wasp_guest_rt::native;

/// The decisions of a run, depth first: those of the prefix are repeated, the first option is taken from there on.
#[derive(Default)]
pub(crate) struct Decisions {
    /// What was chosen, and of how many.
    taken: Vec<(usize, usize)>,
    next: usize,
}

impl Decisions {
    /// One of so many.
    pub(crate) fn choose(&mut self, options: usize) -> usize {
        if options < 2 {
            return 0;
        }
        let choice = match self.taken.get(self.next) {
            Some((choice, of)) => {
                assert_eq!(*of, options, "the program does not repeat itself");
                *choice
            }
            None => {
                self.taken.push((0, options));
                0
            }
        };
        self.next += 1;
        choice
    }

    /// Goes on to the next run, if there is one.
    fn advance(&mut self) -> bool {
        self.next = 0;
        while let Some((choice, options)) = self.taken.pop() {
            if choice + 1 < options {
                self.taken.push((choice + 1, options));
                return true;
            }
        }
        false
    }
}

/// What was found over all runs of a program.
#[derive(Default)]
pub(crate) struct Findings {
    pub(crate) runs: usize,
    /// Runs that ended with the cancellation being confirmed, and those that returned first.
    pub(crate) cancelled: usize,
    pub(crate) returned: usize,
    /// The await points that were reached and not ready at once, and those that were dropped there.
    pub(crate) waited: BTreeSet<&'static str>,
    pub(crate) dropped: BTreeSet<&'static str>,
}

/// Runs the program in all orders; fewer under an interpreter.
pub(crate) fn explore(program: fn(Rc<World>) -> Program) -> Findings {
    let most = if cfg!(miri) { 10 } else { usize::MAX };
    let first = all_orders(program, most);
    // Whatever there was to warm up is warm: what is allocated now is there for good.
    let before = allocated();
    let second = all_orders(program, most);
    assert_eq!(second.runs, first.runs);
    drop(second);
    assert_eq!(allocated(), before, "memory is lost");
    first
}

fn all_orders(program: fn(Rc<World>) -> Program, most: usize) -> Findings {
    let decisions = Rc::new(RefCell::new(Decisions::default()));
    let mut findings = Findings::default();
    loop {
        run_once(program, &decisions, &mut findings);
        findings.runs += 1;
        if findings.runs == most || !decisions.borrow_mut().advance() {
            return findings;
        }
    }
}

fn run_once(program: fn(Rc<World>) -> Program, decisions: &Rc<RefCell<Decisions>>, findings: &mut Findings) {
    let handles = native::handles();
    let confirmed = || native::counts().iter().find(|(name, _)| *name == "task.cancel").map_or(0, |(_, count)| *count);
    let confirmed_before = confirmed();
    let world = World::new(decisions.clone());
    let task = world.start(program);
    world.canceller(task);
    while world.step() {}
    assert!(native::exited(task), "the task is stuck: {:?}", decisions.borrow().taken);
    match confirmed() - confirmed_before {
        0 => findings.returned += 1,
        _ => findings.cancelled += 1,
    }
    world.report(findings);
    // What a cancelled task has left to be written is taken over by the next call.
    world.another_call();
    assert_eq!(native::streams(), 0, "streams are left: {:?}", decisions.borrow().taken);
    assert!(native::open_subtasks().is_empty(), "calls are left");
    // The sets that tasks wait on are kept.
    assert!(native::handles() <= handles.max(4), "handles are left: {:?}", decisions.borrow().taken);
    let fates = fates();
    let taken = world.taken();
    for (token, fate) in &fates {
        let right = if taken.contains(token) { Fate::Given } else { Fate::Dropped };
        assert_eq!(*fate, right, "token {token}: {:?}", decisions.borrow().taken);
    }
    for token in world.owed() {
        assert!(fates.contains_key(&token), "{token} was sent and never lifted: {:?}", decisions.borrow().taken);
    }
}
