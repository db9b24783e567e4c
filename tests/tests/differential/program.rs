//! Programs: what the guest's routines do, and what happens around it.

use std::fmt;

/// An instruction, or something that happens: a number for what, and what it is about.
pub(crate) type Step = [u8; 4];

#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) routines: Vec<Vec<Step>>,
    pub(crate) actions: Vec<Step>,
}

/// How much each instruction is wanted. Its number is its place.
const STEPS: [(u32, &str); 28] = [
    (6, "call number"),
    (3, "call text"),
    (4, "hold call"),
    (3, "await held"),
    (4, "drop held"),
    (4, "yield"),
    (5, "spawn"),
    (3, "join"),
    (2, "cancel handle"),
    (1, "drop handle"),
    (4, "new pair"),
    (7, "read"),
    (7, "write"),
    (2, "drop reader"),
    (2, "drop writer"),
    (2, "read or call"),
    (2, "write or call"),
    (3, "first of two calls"),
    (3, "block on"),
    (1, "back-pressure up"),
    (1, "back-pressure down"),
    (3, "wait for flag"),
    (3, "raise flag"),
    (4, "hold read"),
    (4, "hold write"),
    (4, "call late"),
    (4, "hold late"),
    (3, "late or call"),
];

/// As `STEPS`, for what happens around.
pub(crate) const ACTIONS: [(u32, &str); 13] = [
    (6, "call"),
    (3, "cancel"),
    (4, "poke"),
    (4, "give"),
    (3, "take"),
    (5, "read"),
    (5, "write"),
    (1, "cancel copy"),
    (2, "drop end"),
    (10, "answer"),
    (1, "nothing"),
    (3, "press"),
    (6, "answer late"),
];

/// Random numbers from a seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % end
    }

    fn pick(&mut self, from: &[(u32, &str)]) -> u8 {
        let sum: u32 = from.iter().map(|(weight, _)| weight).sum();
        let mut left = self.below(sum as usize) as u32;
        for (index, (weight, _)) in from.iter().enumerate() {
            match left.checked_sub(*weight) {
                Some(rest) => left = rest,
                None => return index as u8,
            }
        }
        0
    }
}

/// The instructions that name another routine.
fn names_routine(what: u8) -> bool {
    matches!(what, 6 | 18)
}

impl Program {
    /// Makes the program of a seed.
    pub(crate) fn random(seed: u64) -> Program {
        let mut chance = Chance(seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        (0..8).for_each(|_| _ = chance.below(2));
        let size = 1 + chance.below(3);
        let count = 1 + chance.below(2 + size);
        let mut routines = Vec::new();
        for id in 0..count {
            let steps = 1 + chance.below(4 * size);
            routines.push((0..steps).map(|_| step(&mut chance, id, count)).collect());
        }
        let mut program = Program { routines, actions: Vec::new() };
        for _ in 0..2 + chance.below(10 * size) {
            let what = chance.pick(&ACTIONS);
            // Calls are of routines that there are.
            let a = chance.below(if matches!(what, 0 | 2) { count } else { 4 });
            program.actions.push([what, a as u8, slot(&mut chance), chance.below(8) as u8]);
        }
        program
    }

    /// Returns smaller programs, the smallest first.
    pub(crate) fn smaller(&self) -> Vec<Program> {
        let mut smaller = Vec::new();
        for size in [8, 4, 2, 1] {
            for start in (0..self.actions.len()).step_by(size) {
                let mut program = self.clone();
                program.actions.drain(start..(start + size).min(self.actions.len()));
                smaller.push(program);
            }
            for id in 0..self.routines.len() {
                for start in (0..self.routines[id].len()).step_by(size) {
                    let mut program = self.clone();
                    program.routines[id].drain(start..(start + size).min(self.routines[id].len()));
                    smaller.push(program);
                }
            }
        }
        let simpler = |step: &Step| {
            let mut simpler = Vec::new();
            for byte in 1..4 {
                if step[byte] > 0 && !(byte == 1 && names_routine(step[0])) {
                    let mut step = *step;
                    step[byte] = 0;
                    simpler.push(step);
                }
            }
            simpler
        };
        for (id, routine) in self.routines.iter().enumerate() {
            for (index, step) in routine.iter().enumerate() {
                for step in simpler(step) {
                    let mut program = self.clone();
                    program.routines[id][index] = step;
                    smaller.push(program);
                }
            }
        }
        smaller.retain(|program| program != self);
        smaller
    }

    pub(crate) fn routine(&self, id: u32) -> Vec<u8> {
        self.routines.get(id as usize).map(|steps| steps.concat()).unwrap_or_default()
    }
}

fn step(chance: &mut Chance, id: usize, count: usize) -> Step {
    let mut what = chance.pick(&STEPS);
    let mut a = chance.below(5) as u8;
    if names_routine(what) {
        // Only later ones, so that no routine starts itself.
        match count - id - 1 {
            0 => what = 5,
            later => a = (id + 1 + chance.below(later)) as u8,
        }
    }
    [what, a, slot(chance), chance.below(4) as u8]
}

/// Mostly the first: what one makes, another one is to find.
fn slot(chance: &mut Chance) -> u8 {
    chance.below(4).saturating_sub(1).saturating_sub(chance.below(2)) as u8
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut show = |name: &str, steps: &[Step], names: &[(u32, &str)]| {
            writeln!(f, "  {name}")?;
            for [what, a, b, c] in steps {
                writeln!(f, "    {} {a} {b} {c}", names[usize::from(*what)].1)?;
            }
            Ok(())
        };
        for (id, routine) in self.routines.iter().enumerate() {
            show(&format!("routine {id}"), routine, &STEPS)?;
        }
        show("what happens", &self.actions, &ACTIONS)
    }
}
