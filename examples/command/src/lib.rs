//! A command: what it reads on standard input, it writes to standard output in upper case, as it comes.

use exports::wasi::cli::run::Guest;
use wasi::cli::{stdin, stdout};
use wasp_guest_rt::StreamResult;

wasp_guest_rt::generate!({
    path: env!("WASI_WIT"),
    inline: "
        package example:upper-case;

        world command {
            import wasi:cli/stdin@0.3.0;
            import wasi:cli/stdout@0.3.0;
            export wasi:cli/run@0.3.0;
        }
    ",
    generate_all,
});

const CHUNK: usize = 4 * 1024;

struct Command;

export!(Command);

impl Guest for Command {
    async fn run() -> Result<(), ()> {
        let (mut input, received) = stdin::read_via_stream();
        let (mut output, contents) = wit_stream::new();
        let written = stdout::write_via_stream(contents);
        let mut chunk = Vec::with_capacity(CHUNK);
        loop {
            let (result, mut read) = input.read(chunk).await;
            read.make_ascii_uppercase();
            chunk = output.write_all(read).await;
            if result == StreamResult::Dropped || !chunk.is_empty() {
                break;
            }
            chunk.reserve(CHUNK);
        }
        // The futures say how it went once the streams are done with.
        drop((input, output));
        received.await.and(written.await).map_err(|_| ())
    }
}
