//! Pipes of bytes, inside one component or through several.

use wasp_guest_rt::{StreamReader, StreamResult, StreamWriter, spawn_local};

wasp_guest_rt::generate!({ path: "../benches/pipes.wit" });

const PIECE: usize = 64 * 1024;

struct Pipes;

impl Guest for Pipes {
    async fn source(pieces: u32) -> StreamReader<u8> {
        let (writer, reader) = wit_stream::new::<u8>();
        spawn_local(write(writer, pieces)).detach();
        reader
    }

    async fn copy(bytes: StreamReader<u8>) -> StreamReader<u8> {
        let (writer, reader) = wit_stream::new::<u8>();
        spawn_local(pass_on(bytes, writer)).detach();
        reader
    }

    async fn drain(bytes: StreamReader<u8>) -> u64 {
        read(bytes).await
    }

    async fn pipe(pieces: u32, copies: u32) -> u64 {
        let mut bytes = Self::source(pieces).await;
        for _ in 0..copies {
            bytes = Self::copy(bytes).await;
        }
        read(bytes).await
    }
}

async fn write(mut writer: StreamWriter<u8>, pieces: u32) {
    let mut piece = Vec::with_capacity(PIECE);
    for number in 0..pieces {
        piece.resize(PIECE, number as u8);
        piece = writer.write_all(piece).await;
        if !piece.is_empty() {
            return;
        }
    }
}

async fn pass_on(mut from: StreamReader<u8>, mut to: StreamWriter<u8>) {
    let mut buffer = Vec::with_capacity(PIECE);
    loop {
        let (result, read) = from.read(buffer).await;
        if result == StreamResult::Dropped {
            return;
        }
        buffer = to.write_all(read).await;
        if !buffer.is_empty() {
            return;
        }
    }
}

async fn read(mut bytes: StreamReader<u8>) -> u64 {
    let (mut buffer, mut sum) = (Vec::with_capacity(PIECE), 0);
    loop {
        let (result, read) = bytes.read(buffer).await;
        sum += read.len() as u64;
        if result == StreamResult::Dropped {
            return sum;
        }
        buffer = read;
        buffer.clear();
    }
}

export!(Pipes);
