//! The guest that plays the programs of the differential test.

use exports::wasp::differential::guest::Guest;
use wasp::differential::callee::late;
use wasp::differential::host;
use wasp_guest_rt::{FutureReader, FutureWriter, StreamReader, StreamWriter};

wasp_guest_rt::generate!({ path: "../guests/differential/differential.wit", world: "subject" });

mod play;

struct Subject;

export!(Subject);

fn new_numbers() -> (StreamWriter<u32>, StreamReader<u32>) {
    wit_stream::new()
}

fn new_texts() -> (StreamWriter<String>, StreamReader<String>) {
    wit_stream::new()
}

fn new_number() -> (FutureWriter<u32>, FutureReader<u32>) {
    wit_future::new(|| 77)
}

fn new_text() -> (FutureWriter<String>, FutureReader<String>) {
    wit_future::new(|| "nothing".into())
}

impl Guest for Subject {
    async fn run(id: u32) -> u32 {
        play::run(id).await
    }

    fn poke(id: u32) {
        play::poke(id);
    }

    fn give_numbers(slot: u32, end: StreamReader<u32>) {
        play::give_numbers(slot, end);
    }

    fn give_texts(slot: u32, end: StreamReader<String>) {
        play::give_texts(slot, end);
    }

    fn give_number(slot: u32, end: FutureReader<u32>) {
        play::give_number(slot, end);
    }

    fn give_text(slot: u32, end: FutureReader<String>) {
        play::give_text(slot, end);
    }

    fn take_numbers(slot: u32) -> StreamReader<u32> {
        play::take_numbers(slot)
    }

    fn take_texts(slot: u32) -> StreamReader<String> {
        play::take_texts(slot)
    }

    fn take_number(slot: u32) -> FutureReader<u32> {
        play::take_number(slot)
    }

    fn take_text(slot: u32) -> FutureReader<String> {
        play::take_text(slot)
    }
}
